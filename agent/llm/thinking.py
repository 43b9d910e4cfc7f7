"""Tells what a model thinks from what it says, in a text that comes in pieces."""

from __future__ import annotations

import re

from agent.llm.chat import ReasoningChunk, ReplyItem, Restarted, TextChunk

#: The marks around what a model thinks.
OPEN, CLOSE = "<think>", "</think>"
#: Why a reply began anew: for the log.
WAS_REASONING = "what came so far was reasoning"
#: Spaces that may stand before a mark at a line's start; four make a code block in Markdown.
_INDENT = 3
#: Characters of a line that are kept to see whether it begins or ends a fence.
_LINE_HEAD = 200
#: A mark, or what may become one.
_MARK = re.compile(r"</?think>|</?(?:t(?:h(?:i(?:nk?)?)?)?)?\Z")
#: Marks of a piece beyond which it is read in slices of so many characters: each mark moves all that is held.
_MANY_MARKS, _SLICE = 200, 1024
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)", re.DOTALL)
_QUOTES = frozenset("`\"'“”‘’「」《》")


class ThoughtFilter:
    """Separates the `<think>` blocks of one reply from its text.

    A block begins at a line's start, outside of code fences; one that never ends is reasoning to its end. A `</think>`
    without a beginning means that the chat template had opened the block: then all that came before is reasoning, and
    if some of it was given out as text, `Restarted` says so. A text that only mentions a mark (in a sentence, in
    quotes, in code) stays as it is.
    """

    def __init__(self, *, opened: bool = False) -> None:
        """`opened`: the model's template is known to open the block, so the reply begins inside of it."""
        self._held = ""
        self._inside = opened
        #: What came since the template's mark, as long as nothing shows that it really is reasoning.
        self._assumed: list[str] | None = [] if opened else None
        self._items: list[ReplyItem] = []
        #: Text so far, and how much of it the caller has.
        self._said: list[str] = []
        self._given = False
        #: Head of the line that the text ends in.
        self._line = ""
        #: Mark of the code fence that the text is in.
        self._fence = ""
        #: Whether blanks are dropped that follow a block.
        self._trim = False
        self._blocks = 0
        self._mentioned = False
        #: Whether the reply showed that the model's template opens the block.
        self.opened = False

    @property
    def inside(self) -> bool:
        """Whether the reply is in a block of reasoning just now."""
        return self._inside

    def feed(self, piece: str) -> list[ReplyItem]:
        """What of the reply so far is decided and was not given out before."""
        items: list[ReplyItem] = []
        size = _SLICE if piece.count("<") > _MANY_MARKS else max(1, len(piece))
        for start in range(0, len(piece), size):
            self._held += piece[start : start + size]
            while self._held and (self._think() if self._inside else self._talk(last=False)):
                pass
            items += self._out()
        return items

    def finish(self, *, whole: bool = True) -> list[ReplyItem]:
        """What was held back. `whole`: the model came to its end, it was not cut off."""
        while self._held and not self._inside and self._talk(last=True):
            pass
        if self._inside:
            self._reason(self._held)
            if self._assumed is not None and whole:
                # The template did not open a block this time, or the model did not think.
                self._text("".join(self._assumed).lstrip())
        elif not self._trim:
            self._text(self._held)
        self._held = ""
        return self._out()

    def _out(self) -> list[ReplyItem]:
        items, self._items = self._items, []
        self._given = self._given or any(isinstance(item, TextChunk) for item in items)
        return items

    def _think(self) -> bool:
        """Take reasoning from what is held. Whether there is more to take."""
        at = self._held.find(CLOSE)
        if at < 0:
            keep = _overlap(self._held, CLOSE)
            cut = len(self._held) - keep
            self._reason(self._held[:cut])
            self._held = self._held[cut:]
            return False
        self._reason(self._held[:at])
        self._end_block(at + len(CLOSE))
        return True

    def _talk(self, *, last: bool) -> bool:
        """Take text from what is held, up to a mark that begins or ends a block. Whether there is more to take."""
        if self._trim or not self._said:
            begun = self._held.lstrip()
            if not begun:
                # Blanks at the start are text only if no block follows.
                return False
            if not last and (OPEN.startswith(begun) or CLOSE.startswith(begun)) and begun != OPEN:
                return False
            if self._trim or begun.startswith((OPEN, CLOSE)):
                self._held = begun
        found = _MARK.search(self._held)
        at = -1 if found is None else found.start()
        if at != 0:
            self._text(self._held if at < 0 else self._held[:at])
            self._held = "" if at < 0 else self._held[at:]
            return at > 0
        return self._mark(last=last)

    def _mark(self, *, last: bool) -> bool:
        """Decide what the `<` is that what is held begins with. Whether it could be decided."""
        held = self._held
        if held.startswith(OPEN):
            if self._at_line_start():
                self._held = held[len(OPEN) :]
                self._inside = True
                self._blocks += 1
                self._trim = False
                return True
            self._mentioned = True
        elif held.startswith(CLOSE):
            after = held[len(CLOSE) : len(CLOSE) + 1]
            if not after and not last:
                return False
            if self._trim:
                # A second end of the block that has just ended.
                self._end_block(len(CLOSE))
                return True
            if self._ends_unopened_block(after):
                self._void()
                self._end_block(len(CLOSE))
                return True
        elif not last and (CLOSE.startswith(held) or OPEN.startswith(held)):
            return False
        self._text("<")
        self._held = held[1:]
        return True

    def _ends_unopened_block(self, after: str) -> bool:
        if self._blocks or self._mentioned or self._fence or self._line.count("`") % 2:
            return False
        return not (self._line[-1:] in _QUOTES and after in _QUOTES and self._line and after)

    def _at_line_start(self) -> bool:
        return not self._fence and len(self._line) <= _INDENT and not self._line.strip(" ")

    def _end_block(self, taken: int) -> None:
        self._held = self._held[taken:]
        self._inside = False
        self.opened = self.opened or self._assumed is not None
        self._assumed = None
        self._trim = True
        self._blocks += 1

    def _void(self) -> None:
        """All the text so far was reasoning."""
        self.opened = True
        thought = "".join(self._said)
        self._items = [Restarted(WAS_REASONING)] if self._given else []
        if thought:
            self._items.append(ReasoningChunk(thought))
        self._said, self._line, self._given = [], "", False

    def _reason(self, text: str) -> None:
        if self._assumed is not None:
            self._assumed.append(text)
        if text:
            append(self._items, ReasoningChunk(text))

    def _text(self, text: str) -> None:
        if not text:
            return
        self._trim = False
        self._said.append(text)
        append(self._items, TextChunk(text))
        if "\n" not in text:
            self._line = (self._line + text)[:_LINE_HEAD] if len(self._line) < _LINE_HEAD else self._line
            return
        *lines, rest = (self._line + text).split("\n")
        for line in lines:
            self._fence = _fence_after(self._fence, line)
        self._line = rest[:_LINE_HEAD]


def append(items: list[ReplyItem], item: ReplyItem) -> None:
    """Add to the last item if it is of the same kind."""
    last = items[-1] if items else None
    if isinstance(last, TextChunk) and isinstance(item, TextChunk):
        items[-1] = TextChunk(last.text + item.text)
    elif isinstance(last, ReasoningChunk) and isinstance(item, ReasoningChunk):
        items[-1] = ReasoningChunk(last.text + item.text)
    else:
        items.append(item)


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`."""
    return next((size for size in range(min(len(text), len(mark) - 1), 0, -1) if mark.startswith(text[-size:])), 0)


def _fence_after(fence: str, line: str) -> str:
    """The mark of the code fence that the text is in after this line; "" for none."""
    found = _FENCE.match(line)
    if found is None:
        return fence
    mark, info = found[1], found[2]
    if not fence:
        return "" if mark[0] == "`" and "`" in info else mark
    closes = mark[0] == fence[0] and len(mark) >= len(fence) and not info.strip()
    return "" if closes else fence
