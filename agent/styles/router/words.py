"""What a question may say besides its dates. A word that isn't known here means: not sure, no tool."""

from __future__ import annotations

import re


def _words(text: str) -> list[str]:
    return text.split()


_EN = frozenset(
    _words(
        """
        a about after age ago alive all also altogether am an and animal animals anniversary any apart appointment
        approximately are arrive arrives as astrological astrology at autumn away baby be been before begin
        beginning begins beijing being belong belongs between birth birth-sign birthday born both brother by
        calculate calendar can celebrate celebrated celebration check child chinese come comes compute conference
        constellation contract convert corresponding corresponds could count countdown counting course current date
        dates daughter day day's days deadline delta details did difference distance do does due duration each
        elapse elapsed end ending ends equivalent event exact exactly exam examination expire expires fall fallen
        falls far father festival festivals find first following for forward friend from full gap give go gone
        gonna graduation gregorian had happen happens has have he hello help her here hey hi his holiday holidays
        horoscope hour hours how how's i i'd i'll i'm if in included including inclusive info information interval
        is it it's its itself just kid know land lands last lasted lasts launch leap left length let lie lies life
        list listed live lived long look lunar many marriage married me meeting minus minute minutes mom moment month
        months more mother much must my next night nights now number occur occurs of ok old on one or our out pass
        passed passport past people period person please precisely prior project quite release remain remaining
        remains right run say second seconds see semester separate separated separates she show sign signs since
        sister so solar somebody someone son soon span spanned spans spring star start started starting starts
        still summer sun suppose take takes tell term term's terms than thank thanks that that's the their them
        then there there's these they this those through til till time times to today total traditional trip
        twenty-four two under until up us visa wait was we wedding week weekday weekend weeks were western what
        what's whats when when's which whole whose why will winter wish with worked working would year years you
        your zodiac
        """
    )
)
#: Longest first, so that 多少天 goes before 多少 and 天.
_ZH_WORDS = _words(
    """
    请问 请 麻烦 帮我 帮忙 帮 你 您 我们 我 他 她 它 咱们 大家 能不能 能 可以 可否 告诉 算一算 算一下 算算 计算
    算起 算 查一查 查一下 查询 查看 查 看一下 看看 看 想知道 想问 想 知道 问一下 问 一下 吧 呢 啊 呀 吗 嘛 哦 哈
    的话 的 地 得 是不是 是否 是 在 于 为 对应 换算 转换 转 成 叫 做 作 属于 那么 那天 那一天 那 这一天 这天 这
    当天 当日 和 与 跟 同 以及 及 或者 或 到 至 从 自 由 离 距离 距 之间 之 间 相差 相距 相隔 间隔 差距 差 隔 还有
    还要 还会 还差 还剩下 还剩 还 剩下 剩余 剩 有 总共 一共 共计 共有 共 合计 大概 大约 约 具体 准确 精确 究竟 到底 整整
    整 多少 几 天数 天 日子 日 周数 周 星期 礼拜 个 月 年 小时 钟头 分钟 分 秒钟 秒 多久 多长时间 多长 时间差 时间
    时长 久 长 倒计时 倒数 过去 过了 经过 度过 过 已经 已 了 至今 距今 迄今 以来 起 止 会 将 即将 才 就 才能 来临
    到来 开始 结束 出生于 出生 生于 生日 生 人 宝宝 孩子 小孩 朋友 儿子 女儿 妈妈 爸爸 妻子 丈夫 老婆 老公 活 岁数
    岁 多大 年龄 年纪 周岁 满 什么时候 什么时间 什么日子 什么 啥时候 啥 哪一天 哪天 哪一日 哪日 哪个 哪些 哪几 哪年
    哪一年 哪月 哪 几月几号 几月几日 几号 何时 何日 日期 农历 阴历 旧历 夏历 公历 阳历 新历 西历 历法 历 生肖 属相
    属 星座 座 节日 过节 节气 节 二十四个 二十四 24个 24 所有 全部 全年 每个 每一个 各个 各 分别 列出 列表 列一下
    列 列举 表 时刻 信息 情况 详情 日历 闰年 平年 闰月 闰 包括 包含 含 首尾 两端 头尾 两天 两个 两者 两 之后 以后
    后 之前 以前 前 里面 里 内 中 当中 期间 上 下一个 下个 下 接下来 最近 即 第 也 都 又 某人 一个 该 其 说 显示
    截止 截至 项目 考试 婚礼 结婚 毕业 合同 到期 纪念日 活动 会议 旅行 护照 签证 比赛 工期 周末 并 还是 一年 今
    新年 北京时间 对照 几时 给我 持续 历时 历经 才要 要 初几 属鼠 属牛 属虎 属兔 属龙 属蛇 属马 属羊 属猴 属鸡 属狗
    属猪 呗 喔 呐 每天 每日 再过 再 零 小朋友 小孩子 同学 婴儿
    """
)
_ZH = re.compile("|".join(sorted(_ZH_WORDS, key=len, reverse=True)))
_WISH = re.compile(
    r"(?<![a-z])(?:i|we)(?: (?:want|need|wish|would like)|'d like|'m trying) to"
    r" (?:know|find out|calculate|check|ask|see)(?![a-z])"
)
#: What a date may belong to. Such a thing has a time of its own, which no tool knows.
_EVENT = re.compile(
    r"(?<![a-z])(?:anniversary|appointment|birthday|conference|contract|course|deadline|exam|examination|graduation|marriage"
    r"|meeting|passport|project|semester|trip|visa|wedding)(?![a-z])"
    r"|项目|考试|婚礼|结婚|毕业|合同|活动|会议|旅行|护照|签证|比赛|工期|纪念日"
)
_CLAUSE = re.compile(r"([^.,;:!?()\"]+)([.,;:!?()\"]*)")
_ASKS = re.compile(
    r"(?<![a-z])(?:what|what's|which|when|where|who|whom|whose|why|how|do|does|did|can|should)(?![a-z])"
    r"|什么|啥|哪|谁|为何|怎|多少|几|吗|多久|多长|多大|是不是|是否|能否"
)
#: These change what is counted; no tool here counts that way.
_OTHER_COUNT = re.compile(
    r"weekends?|week days|weekdays|workdays?|work(?:ing)? (?:days?|hours?|weeks?)|business|exclud|except|without|skip"
    r"|trading|school|days? off|sick"
    r"|sunny|rain|snow|(?:days?|hours?) (?:have|has|had|did|do) (?:i|we|you|he|she|they) (?:been )?work"
    r"|工作日|周末|节假|除去|除了|不算|不含|不包括|不计|排除|扣除|交易日|上班|上学|放假|双休|休息|虚岁|下雨|下雪|晴|第[几多]"
    "|(?:多少|几)天的?(?:项目|考试|活动|会议|旅行|比赛|假)"
)


def unknown(text: str) -> list[str]:
    """Words, Chinese characters and numbers in a template that the router has no meaning for."""
    rest = re.sub("[DYMWCX](?:'s)?", " ", _WISH.sub(" ", text))
    words = [word for word in re.findall(r"[a-z]+(?:['-][a-z]+)*", rest) if word not in _EN]
    chinese = _ZH.sub("", re.sub(r"[a-z'-]+", " ", rest))
    return words + re.findall(r"[\u4e00-\u9fff]+|\d+", chinese)


def is_question(text: str) -> bool:
    """Whether the text has a word that asks."""
    return _ASKS.search(text) is not None


def is_only(text: str, *signals: re.Pattern[str]) -> bool:
    """Whether a template asks for one of what `signals` stand for, and for nothing else.

    Every clause that asks must consist of known words; a clause that only tells something ("my passport expires on
    D") is free.
    """
    clauses = [(clause, "?" in end or is_question(clause)) for clause, end in _CLAUSE.findall(text)]
    asking = [clause for clause, _ in clauses if any(signal.search(clause) for signal in signals)]
    return (
        bool(asking)
        and not any(unknown(clause) for clause in asking)
        and not any(unknown(clause) for clause, asks in clauses if asks)
    )


def asks_for_event(text: str) -> bool:
    """Whether a clause that asks is about something that has a time of its own, such as a meeting."""
    return any(_EVENT.search(clause) for clause, end in _CLAUSE.findall(text) if "?" in end or is_question(clause))


def counts_otherwise(text: str) -> bool:
    """Whether the question counts only some days, such as working days."""
    return _OTHER_COUNT.search(text) is not None
