"""Text as the router reads it: one spelling for everything, and numbers in words."""

from __future__ import annotations

import re
import unicodedata

#: Traditional characters that turn up in questions about dates, and the simplified ones that the rules are written in.
_SIMPLIFIED = str.maketrans(
    "曆節氣週幾號陰陽農離還從開過後間時鐘鍾點屬龍馬雞豬蟄驚種處穀滿聖誕國慶勞動兒親禮"
    "為個長麼嗎歲現這當請問計總數會兩內與來東閏臘燈轉換應該對詢訴幫結業紀於經歷們樣頭"
    "舊甚發減師軍黨順財關準錄誰無說書",
    "历节气周几号阴阳农离还从开过后间时钟钟点属龙马鸡猪蛰惊种处谷满圣诞国庆劳动儿亲礼"
    "为个长么吗岁现这当请问计总数会两内与来东闰腊灯转换应该对询诉帮结业纪于经历们样头"
    "旧什发减师军党顺财关准录谁无说书",
)
#: The same for amounts, beside those above.
_SIMPLIFIED_AMOUNTS = _SIMPLIFIED | str.maketrans(
    "華攝溫兩錢塊價單買賣費稅餐賬帳漲調優惠購儲佔裡裏畝釐頓億萬員貫鎊邁碼顆隻條雙體積長寬圍繳騰歐園場負負烤電",
    "华摄温两钱块价单买卖费税餐账账涨调优惠购储占里里亩厘顿亿万员贯磅迈码颗只条双体积长宽围缴腾欧园场负负烤电",
)
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "～": "~", "。": ".", "、": ",", "《": '"', "》": '"'})

_SPACE_BESIDE_HAN = re.compile("(?<=[\u4e00-\u9fff]) | (?=[\u4e00-\u9fff])")

_CN_DIGITS = {c: n for n, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_CN_UNITS = {"十": 10, "百": 100, "千": 1000}
#: One number, in digits or Chinese.
NUMBER = r"(?:\d+|[〇零一二两三四五六七八九十百千廿卅]+)"

EN_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
EN_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_EN_WORDS = {word: n for n, word in enumerate(EN_SMALL)} | {word: 10 * n for n, word in enumerate(EN_TENS, 2)}
#: A number in English words; "a" counts as one where a unit follows.
EN_NUMBER = (
    rf"(?:(?:{'|'.join(_EN_WORDS)}|a|an|hundred|thousand)(?:[ -](?:and )?(?:{'|'.join(_EN_WORDS)}|hundred|thousand))*)"
)
#: The same without "a".
EN_NUMBER_WORD = rf"(?:(?:{'|'.join(_EN_WORDS)})(?:[ -](?:and )?(?:{'|'.join(_EN_WORDS)}|hundred|thousand))*)"

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    *("twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth"),
    *("twenty-sixth", "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first"),
)
#: A day of the month: 3, 3rd, third. Longer words first, or "twenty" would end inside them.
EN_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{'|'.join(sorted(_ORDINALS, key=len, reverse=True))})"


def normalise(text: str) -> str:
    """Lower case, half width, simplified Chinese, plain dashes and quotes; spaces single, and none beside Chinese."""
    text = unicodedata.normalize("NFKC", text.translate(_QUOTES)).translate(_QUOTES).lower()
    text = " ".join(_DASHES.sub("-", text).translate(_SIMPLIFIED).split())
    return _SPACE_BESIDE_HAN.sub("", text)


def simplify(text: str) -> str:
    """Simplified Chinese with no spaces beside it and plain dashes; letters keep their case, as units need it."""
    return _SPACE_BESIDE_HAN.sub("", _DASHES.sub("-", text).translate(_SIMPLIFIED_AMOUNTS))


def lower(text: str) -> str:
    """Lower case, each character where it was."""
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)


def chinese_number(text: str) -> int:
    """The value of digits or Chinese numerals, by place (二〇二五) or by unit (一百二十). Raises `ValueError`."""
    if text.isascii():
        return int(text)
    text = text.replace("廿", "二十").replace("卅", "三十")
    if not any(c in _CN_UNITS for c in text):
        return int("".join(str(_CN_DIGITS[c]) for c in text))
    total = digit = 0
    for c in text:
        if c in _CN_DIGITS:
            digit = _CN_DIGITS[c]
            continue
        total += (digit or (0 if total else 1)) * _CN_UNITS[c]
        digit = 0
    return total + digit


def english_number(text: str) -> int:
    """The value of digits or English words such as "a hundred and twenty-five"."""
    if text.isdigit():
        return int(text)
    total = 0
    for word in re.split(r"[ -]", text):
        if word in ("a", "an"):
            total += 1
        elif word == "hundred":
            total = max(total, 1) * 100
        elif word == "thousand":
            total = max(total, 1) * 1000
        elif word != "and":
            total += _EN_WORDS[word]
    return total


def ordinal(text: str) -> int:
    """The value of 3, 3rd or third."""
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else _ORDINALS.index(text) + 1
