"""What people say around a question: greetings, thanks, "does anyone know", 请问, 帮我看下, 在线等.

None of it changes what is asked, so it is taken off both ends before any rule looks. Each pattern matches one such
piece; the loops take one after another and never go back, so that time grows with the length of the text alone.
"""

from __future__ import annotations

import re

_WHO = r"(?:you|u|ya|any ?one|anybody|someone|somebody|any of you|you guys)(?: here| guys)?"
_MAYBE = r"(?: (?:please|pls|plz|kindly|just|quickly|possibly|perhaps|maybe|also|happen to|by any chance))?"
_ME = r"(?:me|us)"
_SIZE = r"(?:quick|small|random|silly|stupid|dumb|simple|easy|short|little|weird|basic)"
#: Before a question. A piece that could also be part of one ("may", "now", "help") stands only in a longer phrase.
_OPENERS_EN = (
    (
        r"(?:hi|hey|hello|hiya|yo|howdy|greetings|good (?:morning|afternoon|evening|day))"
        r"(?: (?:there|all|everyone|everybody|guys|folks|team|friends?|bot|buddy|mate|again))?"
    ),
    r"so|ok|okay|um+|uh+|erm|hm+|well|oh|ah|alright|btw|by the way|actually|also|and|anyway|please|pls|plz|kindly",
    r"sorry(?: (?:to|for) bother(?:ing)?(?: you)?)?|excuse me|pardon me|thanks",
    (
        rf"(?:(?:just|i have|i've got|got|here's|here is) )?(?:an?|one|my|another)? ?{_SIZE}"
        r" (?:math |maths )?(?:question|one|q|thing|check)(?: for you| here)?"
    ),
    r"(?:(?:i have|i've got|got) )?(?:an?other |an? )?(?:maths? )?question(?: for you)?|one more (?:question|thing)",
    rf"(?:can|could|would|will) {_WHO}{_MAYBE} (?:tell|remind|show) {_ME}(?: please| pls)?",
    (
        rf"(?:can|could|would|will) {_WHO}{_MAYBE} (?:let {_ME} know|help {_ME}(?: out)?"
        r"(?: to| with| figure out| understand| find out)?)"
    ),
    rf"(?:can|could|would|will) {_WHO}{_MAYBE}(?= (?:calculate|compute|convert|work out|solve|figure out)(?![a-z]))",
    rf"help {_ME}(?: out)?(?: (?:to|with|figure out|find out|understand))?",
    rf"(?:do|does|did|would) {_WHO}{_MAYBE} (?:know|remember|recall|have (?:any|an) idea)",
    r"(?:any ?one|anybody|someone|somebody)(?: here)? (?:knows?|remembers?)",
    rf"(?:got |have )?any (?:idea|clue)s?|any chance {_WHO} (?:knows?|remembers?)",
    r"(?:i'm|im|i am|i was|we were|we are|we're)? ?(?:just |also )?(?:wondering|curious)(?: about)?|i wonder",
    (
        r"(?:i|we)(?:'d| would)? ?(?:really |just |also )?(?:want(?:ed)?|need(?:ed)?|like|love|wish|am trying|'m trying"
        r"|was trying)(?: for you)? to (?:know|find out|ask(?: you)?|check|see|figure out|understand|learn)"
    ),
    r"(?:i|we) (?:just )?wanna know",
    rf"(?:please )?(?:tell|remind) {_ME}|(?:please )?let {_ME} know|(?:may|can|could|might) i (?:please )?(?:ask|know)",
    r"i (?:forgot|forget|can't remember|cannot remember|don't know|do not know|have no idea)",
    rf"(?:if|whether) {_WHO}{_MAYBE} (?:knows?|can|could|would)(?: (?:please )?(?:tell|remind|help) {_ME})?",
    r"figure out(?= (?:how|what|when|which))",
)
_OPENERS_ZH = (
    "你好啊?|您好|嗨+|哈[喽啰罗]|嘿+|大家好|各位好?|(?:早上|上午|中午|下午|晚上)好|早安|晚安|在吗|在不在|在么",
    "亲(?=[,，])|兄弟们?(?=[,，])|大佬们?(?=[,，])|老师好?(?=[,，])|(?:小?助手|机器人)(?=[,，])|额+(?=[,，.])|那个(?=[,，.])|急+(?=[,，!])",
    "请问(?:一?下|个问题)?|请教(?:一?下|个问题)?|请(?=帮|告诉|算|计算|问|把|将|查|看|换算|你|您)",
    "(?:麻烦|劳烦)(?:你|您|大家|问|请问)?(?:一?下)?|劳驾|不好意思|打扰(?:一?下|了)?|抱歉|拜托|求问|求助|求教",
    "弱弱[的地]?问(?:一[句下]|下)?|话说|嗯+|呃+|哎+|诶|欸|噢|哦|对了|顺便(?:问|说)?(?:一[下句]|下)?|好奇(?:问)?(?:一?下)?",
    "突然(?:很)?(?:想知道|好奇)|(?:我)?有个小?问题(?:想问)?(?:一?下)?|(?:一个|问个)小?问题",
    "(?:有(?:没有)?[人谁]|有哪位|谁|哪位|你们?|您|大家)(?:能)?(?:知不知道|知道|晓得|记不记得|记得|清楚)[吗么不]?",
    "(?:有(?:没有)?[人谁]|谁|哪位)?(?:能不能|能否|能|可不可以|可否|可以)?(?:给我|跟我)?(?:告诉|说|讲)(?:一?下)?我",
    (
        "(?:我|俺|咱们?)?(?:就|只)?(?:是)?(?:很)?(?:想要?|要|需要)(?:请)?(?:问问?|知道|了解|请教|咨询|确认|打听|搞清楚|弄清楚)"
        "(?:一?下|个问题)?"
    ),
    "问(?:一?下|个问题|问)",
    "(?:能不能|能否|能|可不可以|可否|可以)?(?:请)?(?:你|您|谁)?(?:来)?帮(?:我|忙|个忙|下忙|咱)(?:看看|看一?下|查查|查一?下|问一?下)?",
    "(?:能不能|能否|可不可以|可否)(?:请)?(?:你|您)?(?=算|计算|换算|告诉|查|看)",
)
_AFTER_THANKS = (
    r"(?: (?:you|u|a lot|a (?:bunch|ton|million)|so much|very much|in advance|again|guys|all|everyone|mate|man|bro))*"
)
_TAILS_EN = (
    r"please|pls+|plz|plox|thx|thnx|thanx|tnx|ty|tysm|tia|cheers|kthx(?:bye)?",
    rf"(?:many |big )?(?:thanks|thank){_AFTER_THANKS}",
    r"(?:(?:i'd |i )?(?:really )?appreciate it|(?:much|really) appreciated)",
    r"lol|haha(?:ha)*|hehe(?:he)*|guys|folks|everyone|mate|bro|buddy|dude|btw|asap|real quick|quickly|for me",
    r"any ?one|anybody",
    rf"(?:does |do |would )?{_WHO} (?:happen to )?knows?|any (?:idea|clue)s?|any help|help(?: me)?(?: out)?",
    r"(?:i'm |i am )?(?:just )?(?:curious|wondering|asking)|(?:just )?out of curiosity|just checking",
    rf"(?:can|could|would|will) {_WHO}{_MAYBE} (?:help(?: me)?(?: out)?|tell me|check)|let me know|tell me",
    r"i (?:forgot|forget|can't remember|don't know|have no idea|wonder)|if (?:you|anyone) (?:know|knows|can|could)",
)
_TAILS_ZH = (
    "(?:非常|十分|太)?(?:谢谢|多谢|感谢|谢)(?:你们?|您|大家|各位|啦|了|哈|哦|呀|啊)*|辛苦(?:你|您)?[了啦]",
    "(?:麻烦|拜托)(?:你|您|大家)?[了啦]?|跪?求(?:解答?|答案?|助|告知|帮忙|教|科普)|在线等|[急坐]+等|急+",
    "(?:有(?:没有)?[人谁]|有哪位|你们?|您|谁|大家)(?:知道|清楚|晓得)[吗么嘛不呢]?",
    "(?:能不能|能|可不可以|可以)(?:告诉我|帮我?(?:算|查|看|换算)?(?:一?下|算|看)?)[吗么嘛]?",
    "(?:帮我|帮忙|给我)(?:算|查|看|换算)?(?:一?下|一?算|一?看)?[吧呗哈]?|(?:告诉我)(?:一?下)?[吧呗]?",
    "哈+|来着|嘞|哟|捏",
)
_PICTURES = "[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f\u200d]+|[:;]-?[)dp(](?![a-z0-9])|\\^_\\^|@[\\w.-]{1,32}"
_SPACE = r"[ ,，.。;；:：!！~～…、-]*"

_OPENER = re.compile(
    rf"(?:(?:{'|'.join(_OPENERS_EN)})(?![a-z'])|{'|'.join(_OPENERS_ZH)}|{_PICTURES})[ ,，.。;；:：!！?？~～…、]*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    rf"{_SPACE}(?:(?<![a-z'])(?:{'|'.join(_TAILS_EN)})|{'|'.join(_TAILS_ZH)}|{_PICTURES})[ ,，.。!！?？~～…]*$",
    re.IGNORECASE,
)
#: Characters from the end in which the last piece is looked for; none is longer.
_LONGEST_TAIL = 60


def unwrap(text: str) -> str:
    """The text without the courtesies around it; the text itself where nothing else is in it.

    A question mark stays, also where it stood behind a courtesy: "Christmas, anyone?".
    """
    start, end, asked = 0, len(text), False
    while (found := _OPENER.match(text, start)) and found.end() > start:
        start = found.end()
    while found := _TAIL.search(text, max(start, end - _LONGEST_TAIL), end):
        asked = asked or "?" in found[0] or "？" in found[0]
        end = found.start()
    rest = text[start:end].strip()
    if not any(character.isalnum() for character in rest):
        return text
    return rest if not asked or rest.endswith(("?", "？")) else f"{rest}?"
