"""What our own messages say besides the answer: labels of buttons."""

from __future__ import annotations

from typing import Final

from agent.language import Text

STOP: Final = Text("Stop", "停止")
RETRY: Final = Text("Try again", "重试")
ALLOW: Final = Text("Allow", "允许")
DENY: Final = Text("Don't allow", "不允许")
STEPS: Final = Text("Show steps", "查看步骤")
RATE: Final = Text("Rate 1–5", "评分 1–5")
#: Options of the rating, by the number that they stand for.
RATINGS: Final[dict[int, Text]] = {
    5: Text("5 – excellent", "5 – 很好"),
    4: Text("4 – good", "4 – 较好"),
    3: Text("3 – fair", "3 – 一般"),
    2: Text("2 – poor", "2 – 较差"),
    1: Text("1 – useless", "1 – 没有帮助"),
}
GOOD: Final = Text("Good answer", "回答得好")
BAD: Final = Text("Bad answer", "回答得不好")
