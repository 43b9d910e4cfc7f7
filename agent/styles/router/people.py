"""Of whom a question about an age speaks, and whether it is their age now that it asks for."""

from __future__ import annotations

import re

_ANYONE = r"some ?one|somebody|any ?one|anybody|people|folks|those|babies|children|kids|twins"
#: My younger sister, a person, the man. No word that makes it somebody else: the daughter of …, a friend of ….
_NOUN = r"(?!(?:of|and|or|than|when|if|whose|who|that|late|dead|deceased|born|was|is|to)(?![a-z]))[a-z]+(?:'s|-[a-z]+)?"
_WHO_EN = rf"(?:{_ANYONE}|(?:an?|the|my|our|his|her|your|their) {_NOUN}(?: {_NOUN}){{0,2}})"
_BORN_EN = re.compile(
    r"(?P<asks>(?<![a-z])how old (?:is|are|was|were|would|will)|(?<![a-z])(?:age|ages) (?:of|for)) "
    rf"{_WHO_EN}(?P<be> be)?(?:,? (?:(?:who|that)(?: is| was| are| were|'s)|if (?:he|she|they) (?:is|was|were|are)))?"
    r",? (?:born|with (?:an? |the )?(?:birthday|birthdate|birth date)(?: of)?)(?: on)?(?: the)? D"
)
_KIN = (
    "(?:外?曾?祖[父母]|爷爷|奶奶|外[公婆]|姥[姥爷]|阿[公婆姨]|父亲|母亲|爸爸?|妈妈?|老[爸妈公婆]|丈夫|妻子|爱人|对象|[男女]朋友"
    "|[表堂]?(?:哥哥?|姐姐?|弟弟?|妹妹?)|儿子|女儿|闺女|孙[子女]|外孙女?|侄[子女儿]|外甥女?|叔叔?|伯[伯父母]|婶婶?|舅[舅妈]|姑[姑父妈]"
    "|姨[妈父]?|孩子|小孩|娃|宝宝|同学|同事|朋友|老师|老板|邻居|室友)"
)
#: 某人, 有个人, 我弟弟, 她的表姐; 爷爷 where a clause begins with it.
_WHO_ZH = (
    "(?:(?:假[如设]|如果|要是|若)?(?:某个?人|有一?个?[人位]"
    f"|(?:[我你您他她]们?家?的?|一个|(?<![\u4e00-\u9fff]))[大小二三]?{_KIN}))"
)
_BORN_ZH = re.compile(
    f"{_WHO_ZH}(?=,?(?:是|在|于|出?生于|的?(?:生日|出生日期)是?)?D)|(?P<after>D出?生的)(?:那个)?{_WHO_ZH}"
)

#: Somebody is older or younger than the one whose birthday is told, is dead, or turns an age some other day.
_OTHER = re.compile(
    r"(?<![a-z])(?:older|younger|elder than|died|dead|deceased|passed away|next birthday|twice|half)(?![a-z])"
    r"|born on (?:the )?D(?:,? (?:and|or)|,)(?: on)? ?D|how old \w+ (?:[a-z']+ ){1,3}of(?![a-z])"
    r"|(?<![a-z])my (?P<born>[a-z]+) (?:was |is )?born .*how old is my (?!(?P=born)(?![a-z]))"
    r"|比[^,.?!]{0,12}[大小]|去世|过世|逝世|死|生的人的|D(?:和|与|跟|或)D出?生"
)
#: "Was" and "will" need another day than today.
_OTHER_DAY = re.compile(r"how old (?:was|were|will)(?![a-z])|将会?[是有]?(?:多大|几岁)")
_TWO_BORN = re.compile(r"(?<![a-z])born(?![a-z]).*(?<![a-z])born(?![a-z])|出生.*出生")
_APART = re.compile(r"(?<![a-z])(?:differ[a-z]*|gap|apart|between)(?![a-z])|[差隔]")
_ME = re.compile(r"how old am i(?![a-z])|我(?:[DY]|是|有|应该|到底|,)*(?:多大|几岁|多少岁)")
_NOT_ME = re.compile(
    r"(?<![a-z])(?!i |i'm |i am )[a-z']+ (?:was|is|were|are) born"
    rf"|[他她]|某个?人|我的?{_KIN}"
)


def with_known_person(text: str) -> str:
    """The template of a question about an age with plain words for whoever was born."""
    text = _BORN_EN.sub(r"\g<asks> a person\g<be> born on D", text)
    return _BORN_ZH.sub(lambda found: f"{found['after']}人" if found["after"] else "某人", text)


def asks_other_age(text: str, days: int) -> bool:
    """Whether the age isn't that of the one who was born on the day told, or not that on one of the `days` named."""
    if days == 2 and _TWO_BORN.search(text) and not _APART.search(text):
        return True
    if _OTHER.search(text) or (days == 1 and _OTHER_DAY.search(text)):
        return True
    return bool(_ME.search(text) and _NOT_ME.search(text))
