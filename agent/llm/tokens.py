"""A quick and careful guess at how many tokens a text has, for fitting prompts where no tokenizer can be asked.

Class-based, because one number of characters per token is wrong by a factor of two to three on Chinese, digits and
addresses. It errs upwards: by about a tenth on prose and code, up to a third on Chinese, more on JSON and digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from agent.llm.chat import ChatMessage

#: Tokens that a chat template adds per message (role, separators); ChatML has 5 to 6.
MESSAGE_OVERHEAD = 8

#: Camel case and base64 break into pieces in every tokenizer.
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_DIGITS = re.compile(r"[0-9]+")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]+")
_BLANKS = re.compile(r" {2,}")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
#: Control characters, tabs among them, count as one token each, too: tokenizers fall back to bytes there.
_PLAIN = re.compile(r"[\n -~\u4e00-\u9fff]+")

_PER_HAN = 0.95
_LETTERS_PER_TOKEN = 4.2
_PER_PUNCTUATION = 0.75
_PER_NEWLINE = 0.4
_BLANKS_PER_TOKEN = 4
#: One token per digit (Qwen's tokenizer); others join up to three.
_PER_DIGIT = 1.0
#: Kana, Hangul, Cyrillic, full-width punctuation: at most about one token per character.
_PER_OTHER = 1.0
#: Emoji and rare ideographs: up to one token per UTF-8 byte, mostly three.
_PER_ASTRAL = 3.0


def estimate(text: str) -> int:
    """Tokens that `text` has in a common tokenizer, rather too many than too few; 0 for ""."""
    words = _WORD.findall(text)
    other = _PLAIN.sub("", text)
    astral = sum(ch > "\uffff" for ch in other)
    tokens = (
        max(len(words), sum(map(len, words)) / _LETTERS_PER_TOKEN)
        + _PER_DIGIT * _total(_DIGITS, text)
        + _PER_PUNCTUATION * _total(_PUNCTUATION, text)
        + _PER_NEWLINE * text.count("\n")
        + _total(_BLANKS, text) / _BLANKS_PER_TOKEN
        + _PER_HAN * _total(_HAN, text)
        + _PER_ASTRAL * astral
        + _PER_OTHER * (len(other) - astral)
    )
    return math.ceil(tokens)


def upper_bound(text: str) -> int:
    """What `estimate` never exceeds, without a look at the characters."""
    # No class of ASCII characters has more than one token per character.
    return len(text) if text.isascii() else math.ceil(_PER_ASTRAL * len(text))


def estimate_messages(messages: Iterable[ChatMessage]) -> int:
    """Tokens that these messages have as a prompt."""
    return sum(MESSAGE_OVERHEAD + estimate(message.content) + of_images(message) for message in messages)


def of_images(message: ChatMessage) -> int:
    """Tokens of a message's pictures, which no tokenizer counts."""
    return sum(image.tokens for image in message.images)


def most_tokens(messages: Iterable[ChatMessage]) -> int:
    """What `estimate_messages` never exceeds, without a look at the characters."""
    return sum(MESSAGE_OVERHEAD + upper_bound(message.content) + of_images(message) for message in messages)


def _total(pattern: re.Pattern[str], text: str) -> int:
    return sum(map(len, pattern.findall(text)))
