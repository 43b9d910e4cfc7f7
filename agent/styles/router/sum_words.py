"""The words by which a question about money and percentages shows what it asks for, in English and Chinese. For text
with letters in the place of its amounts (`agent.styles.router.amounts`)."""

from __future__ import annotations

from agent.styles.router.signals import any_of


def _split(text: str) -> list[str]:
    return text.split()


def _words(*words: str) -> str:
    return rf"(?<![a-z])(?:{'|'.join(words)})(?![a-z])"


#: Words that change what is to be worked out, or hide a number.
CHANGES = any_of(
    _words(
        *("apiece", "per", "half", "doubled?", "twice", "tripled?", "both", "dozens?", "pairs?", "couple", "several"),
        *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "hundreds?", "thousands?", "not"),
        *("million", "never", "no", "without", "except", "exclud\\w*", "excl", "instead", "already", "another"),
        *("additional(?:ly)?", "extra", "again", "coupons?", "vouchers?", "cashback", "refund\\w*", "second", "third"),
        *("compound\\w*", "annual\\w*", "yearly", "monthly", "weekly", "daily", "an? year", "an? month", "an? week"),
        *("interest", "inflation", "average", "more than", "less than", "at least", "at most", "up to", "or", "but"),
        *("[a-z]+n't", "rather", "then", "minus", "remaining", "left", "leftover", "deposit", "down payment", "each"),
        *(
            "shipping",
            "delivery",
            "fees?",
            "commission",
            "pre-tax",
            "pretax",
            "otherwise",
            "unless",
            "every",
            "get one",
            "free",
        ),
    ),
    "[二两三四五六七八九十百千万亿双倍俩仨满券送另再又每各赠次免]|第|其中|换算|换成|折合|汇率|华氏|摄氏|返现|返利|抵[扣用]|首付|运费|邮费|不|没|未|除了|以外|复利|利息|利率|年化|会员|立减|平均"
    "|至少|至多|最多|以上|以下|起步|手续费|佣金|定金|押金|尾款|税前|税后|个税|所得税",
)
TIP = any_of(_words("tip", "tips", "gratuity", "tipping"), "小费")
TAX = any_of(_words("tax", "taxes", "vat", "gst"), "税")
SERVICE = any_of(_words("service charge"), "服务费")
OFF = any_of(_words("off", "discounts?", "discounted", "sale"), "折扣|优惠")
UP = any_of(
    _words(
        "increas\\w+",
        "raised?",
        "raises",
        "rises?",
        "rose",
        "gr[eo]ws?",
        "w[eo]nt up",
        "go(?:es|ing|ne)? up",
        "hike",
        "mark ?up",
    ),
    "[涨增升]|提高|加薪|上调",
)
DOWN = any_of(
    _words(
        "decreas\\w+", "reduc\\w+", "drop(?:s|ped)?", "fell", "falls?", "cut", "w[eo]nt down", "go(?:es|ing|ne)? down"
    ),
    "[降跌]|减[少了到至]|下调|便宜了?(?=P)",
)
SPLIT = any_of(
    _words("split(?:ting)?", "divided?", "dividing", "shar(?:e|ed|ing)", "each", "per person", "per head", "apiece"),
    "平摊|均摊|分摊|平分|平均分|分|(?<![a-z])aa(?![a-z])|每人|每个人|人均|各",
)
#: Splitting says how often itself.
EACH = any_of(
    _words("each(?: (?:of us|person|one))?", "per person", "per head", "apiece", "a head", "everyone", "everybody"),
    _words("(?:my|our) share"),
    "(?:平均)?(?:每个?人|人均|每位)|各自?(?=[要得该付出给交花])|一个人|平均分|平均",
)
#: Then the number of people may be one too small.
AND_ME = any_of(
    _words(
        "(?:me|myself|i)(?:,| and)",
        "and(?= ?H)",
        "and (?:me|myself|i)",
        "with(?: my)?(?= ?H)",
        "my(?= ?H)",
        "others?",
        "plus me",
        "the other",
    ),
    "我[和跟与同]|[和跟与同加]上?我|其他|其余|还有",
)

TOTAL = any_of(
    _words("total", "altogether", "all together", "in all", "overall", "pay", "owe", "final"),
    _words(
        "(?:with|including|incl|after|plus|and|add(?:ing)?)(?: in)?(?: the| a| an)?(?: ?P)?(?: sales)?"
        " (?:tip|gratuity|tax|vat|gst)",
    ),
    "一共|总共|总计|合计|总价|总额|共|连|加上?(?:小费|税|P)|含",
)
SAVED = any_of(
    _words("sav(?:e|ed|ings?)", "cheaper", "how much less", "(?:is|'s|was) (?:the|my) discount(?! price)"),
    "[省]|便宜[了]?(?=多少|几)|优惠了?(?=多少|几)|[降减跌少][了付花]?(?=多少|几)",
)
MORE = any_of(
    _words("how much more", "how much (?:is|was|will be) (?:the|my) (?:raise|increase)"), "[涨增加升]了?(?=多少|几)"
)
ORIGINAL = any_of(
    _words("original\\w*", "regular", "full price", "used to", "initial\\w*", "list price", "at first", "previous\\w*"),
    "原价(?:是|为)?(?:多少|几)|原来(?:是|的)?(?:价格)?(?:多少|几)|打折前|之前|以前|去年|涨价前|降价前",
)
#: Then the amount has the tip or the tax in it already.
INCLUDED = any_of(
    _words(
        "includ\\w+", "inclusive", "incl", "tipped", "taxed", "added", "with (?:the )?(?:tip|tax)", "after", "already"
    ),
    "已|含|包括|加了|[后完][是为]?A|实付",
)
#: Then the amount is what is left of a price.
REDUCED = any_of(
    _words("includ\\w+", "inclusive", "incl", "after", "paid", "spent", "charged", "discounted"),
    r"(?<![a-z])(?:now|to|only|just|for|total)(?: only| just)? A",
    "(?:[到至达成后完]|只要|仅需?|现价|到手价?|实付|付了|花了|折后价?|特价|优惠价|活动价)[是为要:]?A",
    r"(?:P|Z)(?: off| discount)?,? ?(?:is|was|makes it|at|=|为|是)? ?A(?! ?(?:的|[a-z]))(?=[^a-z]*$)",
)
PERCENT_ASKED = any_of(
    r"(?<![a-z])per ?cent(?:age|ages)?(?![a-z])|%",
    "百分之|百分比|比例|占比|[涨跌降增]幅|增长率|正确率|得分率|及格率|几成",
)
CHANGE_ASKED = any_of(_words("change[ds]?", "differen\\w+"), "变化|[涨跌降增]幅|增长率")


#: What an English question about a sum may say, beside the names of things.
KNOWN_EN = frozenset(
    _split(
        """
    want wants wanted plan like coupon voucher
    how much many is are was were will would should shall do does did can could i we you one it that this they he she
    the a an my our your its of on for at in to into be being leave give tip tips tipping gratuity bill total totals
    price prices cost costs amount tax taxes vat gst sales meal dinner lunch breakfast brunch food drinks check tab
    restaurant order coffee taxi cab ride final new sale discounted discount off save saves saved saving savings with
    including incl after plus add added adding altogether together overall all come comes out owe owes get gets each
    person per head everyone everybody us people share split splitting equally evenly between among ways way need have
    has if when and so what what's whats percent percentage percentages calculate compute work find now actually money
    increase increases increased decrease decreased decreases reduce reduced reduction change changed raise raised
    rises rise rose salary rent pay paying by from went go goes gone going up down
    result value number portion part as score grade
    mark service charge there then be who which grow grows grew growth drop drops dropped fall falls fell exactly
    me whole at half customer exact more less something item items purchase buy buying spend worth
    difference expressed make makes made us cheaper equals equal during
        """
    )
)
#: After these an unknown word names a thing.
ARTICLES = frozenset(_split("the a an my our this that"))
DETERMINERS = frozenset(_split("the a an my our your his her their this that these those on for of"))
