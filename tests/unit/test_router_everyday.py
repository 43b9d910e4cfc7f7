"""Everyday sums and conversions inside sentences: which are worked out, to what, and what only looks like one.

What a sum comes to is written here as arithmetic on exact fractions, and conversions by the units' definitions.
"""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

from agent.events import StepFinished, StepStarted
from agent.styles.router import amounts
from agent.styles.router.rules import MAX_QUESTION, route
from agent.styles.router.style import Router
from agent.tools.builtin import builtin_tools
from agent.tools.expression import work_out
from tests.support.agent import NOW, finished, run, task

F = Fraction
MILE, FOOT, INCH, POUND = F("1.609344"), F("0.3048"), F("0.0254"), F("0.45359237")
OUNCE, GALLON, ACRE = POUND / 16, F("3.785411784"), F("4046.8564224")


def celsius(fahrenheit: int | str) -> F:
    return (F(fahrenheit) - 32) * 5 / 9


def fahrenheit(celsius: int | str) -> F:
    return F(celsius) * 9 / 5 + 32


TIPS_AND_TAXES = [
    ("Dinner was $86.40 for the table, how much is an 18% tip?", F("86.40") * 18 / 100),
    ("How much should I tip on $64.20 at 20%?", F("64.20") / 5),
    ("The bill came to $120 and I want to leave 20%. How much is the tip?", F(24)),
    ("hey, how much is 15% tip on a 42 dollar bill?", F("6.3")),
    ("18% tip on $86.40", F("15.552")),
    ("tip for $58 at 15%", F("8.7")),
    ("My haircut was $35 and I want to tip 20%, how much is that?", F(7)),
    ("what should I tip on $73.50 if I want to leave 18 percent", F("13.23")),
    ("Our bill is $95, what's the total with a 20% tip?", F(114)),
    ("what's the total for a $64 meal with 18% tip", F(64) * F("1.18")),
    ("if my bill is $50 and i tip 20% how much do i pay in total", F(60)),
    ("The laptop is $999 plus 8.25% sales tax. What's the total?", F(999) * F("1.0825")),
    ("What is the sales tax on $250 at 7%?", F("17.5")),
    ("Price is $1,200 and VAT is 20%. How much is the VAT?", F(240)),
    ("what is $89.99 plus 6% tax", F("89.99") * F("1.06")),
    ("Lunch was €30 before tip. What is a 10% tip?", F(3)),
    ("请问一下，158块的账单给10%小费是多少钱呀", F("15.8")),
    ("吃饭花了320块，小费给12%，是多少", F("38.4")),
    ("消费了268元，给15%的小费是多少", F("40.2")),
    ("账单320元，加10%小费一共多少钱", F(352)),
    ("一顿饭花了500元，加15%的小费总共要付多少", F(575)),
    ("税率13%，1000元的税是多少", F(130)),
    ("发票金额2000元，税率6%，税额是多少", F(120)),
    ("1000元加13%的税一共多少", F(1130)),
    ("商品不含税价1000元，税率13%，含税价是多少", F(1130)),
]
DISCOUNTS = [
    ("A jacket costs $80 and it's 25% off, how much is it?", F(60)),
    ("These shoes were $120, now 30% off. How much do I pay?", F(84)),
    ("how much is 20% off $45", F(36)),
    ("25% discount on $80", F(60)),
    ("this tv is $499 with 15% off, what's the final price", F(499) * F("0.85")),
    ("I have a 30% off coupon for a $60 sweater, how much will I pay?", F(42)),
    ("Sneakers cost $120. They're on sale for 25% off. What is the sale price?", F(90)),
    ("how much do I save with 20% off $45", F(9)),
    ("how much do you save on a $200 item at 35% off?", F(70)),
    ("The sofa is $700 and it's half price, how much is it?", F(350)),
    ("一件外套原价899，打7折是多少钱", F("629.3")),
    ("原价350，打八五折多少钱", F("297.5")),
    ("299元的鞋子打8折后多少钱", F("239.2")),
    ("这件衣服标价459元，现在打六折，要多少钱？", F("275.4")),
    ("手机原价4999元，打九折之后多少钱", F("4499.1")),
    ("打八八折的话，1200元的包要多少钱", F(1056)),
    ("打9.5折，200元的书多少钱", F(190)),
    ("原價1200元，打七折是多少錢？", F(840)),
    ("原价680，半价是多少", F(340)),
    ("一双鞋原价500元，打对折多少钱", F(250)),
    ("原价1299的手机优惠15%多少钱", F(1299) * F("0.85")),
    ("原价500的鞋打6折能省多少钱", F(200)),
    ("880元的鞋打7折能便宜多少钱", F(264)),
]
SPLITS = [
    ("Split $120 among 4 people", F(30)),
    ("We're four people and the bill is $86, how much does each person pay?", F("21.5")),
    ("3 of us shared a $74.25 uber, what's each person's share", F("24.75")),
    ("how do we split a $96 bill 3 ways", F(32)),
    ("4 roommates share rent of $2400, how much does each pay?", F(600)),
    ("The taxi cost 45 euros and there are three of us, how much per person?", F(15)),
    ("Dinner for 5 people was $180, with a 20% tip how much is it per person?", F("43.2")),
    ("三个人吃饭花了186元，平均每人多少钱", F(62)),
    ("我们4个人AA，一共花了358元，每人多少", F("89.5")),
    ("480元5个人平摊，每个人给多少", F(96)),
    ("五个人吃火锅花了435元，人均多少", F(87)),
    ("费用1200元，四个人AA，一个人多少钱", F(300)),
]
PRICES = [
    ("一瓶水2.5元，买12瓶多少钱", F(30)),
    ("每本书32元，买5本一共多少钱", F(160)),
    ("包子1.5元一个，8个多少钱", F(12)),
    ("一斤苹果5元，3斤多少钱", F(15)),
    ("苹果6.5元一斤，两斤半多少钱", F("16.25")),
    ("橙子10块钱3斤，买9斤多少钱", F(30)),
    ("排骨28元一斤，2公斤多少钱", F(112)),
]
PERCENTAGES = [
    ("my electricity bill went from $80 to $100, how much percent did it go up", F(25)),
    ("what percent of 80 is 20", F(25)),
    ("what % of 60 is 15", F(25)),
    ("42 is what percent of 60", F(70)),
    ("I scored 42 out of 50, what percentage is that?", F(84)),
    ("18 out of 24 as a percentage", F(75)),
    ("What's the percent change from 80 to 100?", F(25)),
    ("Rent went from $1200 to $1350, what percent increase is that?", F("12.5")),
    ("stock went from $40 to $34, what percent drop is that?", F(-15)),
    ("My salary is $5000 and I got a 4% raise, what's my new salary?", F(5200)),
    ("my rent is $1,400 and goes up 5%, what's the new rent?", F(1470)),
    ("population of 80000 grew by 12%, what is it now", F(89600)),
    ("My rent is $1500. How much is 30% of that?", F(450)),
    ("what is 3.5% of $52,000", F(1820)),
    ("30占120的百分之几", F(25)),
    ("45是60的百分之多少", F(75)),
    ("50人里有20人，占百分之几", F(40)),
    ("考试满分150，我考了120分，得分率是多少", F(80)),
    ("从80涨到100，涨幅是多少", F(25)),
    ("房租从3000涨到3300，涨了百分之几", F(10)),
    ("股价从25元跌到20元，跌了百分之几", F(-20)),
    ("体重从80公斤减到72公斤，减了百分之几", F(-10)),
    ("工资8000涨10%是多少", F(8800)),
    ("月薪12000，加薪8%后是多少钱", F(12960)),
    ("房租3500，明年涨8%，涨完是多少", F(3780)),
    ("原价2399的耳机降价20%是多少钱", F("1919.2")),
    ("3000元的百分之十二是多少", F(360)),
    ("200元的东西便宜了20%，现在多少钱", F(160)),
]
CONVERSIONS = [
    ("26.2 miles in km pls", F("26.2") * MILE),
    ("Recipe says preheat to 350°F, what is that in Celsius?", celsius(350)),
    ("The oven is at 350 degrees, what's that in celsius?", celsius(350)),
    ("It's -5°C outside, what's that in Fahrenheit?", fahrenheit(-5)),
    ("what's 98.6 F in C", celsius("98.6")),
    ("I'm 5'11\", how tall is that in cm?", (5 * FOOT + 11 * INCH) * 100),
    ("how tall is 170cm in feet", F("1.7") / FOOT),
    ("a baby weighing 7 lbs 8 oz is how many kg", 7 * POUND + 8 * OUNCE),
    ("how many ounces are in 2 pounds", F(32)),
    ("how many miles is a 10k race?", 10 / MILE),
    ("I weigh 150 lbs. How much is that in kg?", 150 * POUND),
    ("My car weighs 3,500 lbs how much is that in kilograms", 3500 * POUND),
    ("The pool is 25 meters long, how many feet is that?", 25 / FOOT),
    ("I ran 5 miles today, convert to km please", 5 * MILE),
    ("I'm driving at 65 mph. How fast is that in km/h?", 65 * MILE),
    ("the apartment is 850 sq ft, what's that in square meters?", 850 * FOOT**2),
    ("how big is 2 acres in square meters", 2 * ACRE),
    ("2½ cups in ml", F("2.5") * GALLON * 1000 / 16),
    ("half a mile in meters", MILE * 1000 / 2),
    ("how many litres is 5 gallons roughly", 5 * GALLON),
    ("three and a half hours in minutes?", F(210)),
    ("My tyres say 32 psi, what's that in bar?", 32 * POUND * F("9.80665") / INCH**2 / 100_000),
    ("The label says 250 kcal, how many kJ is that?", F(1046)),
    ("120平米的房子是多少平方英尺啊", 120 / FOOT**2),
    ("房子面积90平，换算成平方英尺是多少", 90 / FOOT**2),
    ("我身高175厘米，是多少英尺", F("1.75") / FOOT),
    ("我1米75是多少英尺", F("1.75") / FOOT),
    ("身高一米八是多少厘米", F(180)),
    ("烤箱要预热到350华氏度，摄氏是多少", celsius(350)),
    ("华氏100度是摄氏多少度", celsius(100)),
    ("38度是多少华氏度", fahrenheit(38)),
    ("室外零下10度，用华氏度表示是多少", fahrenheit(-10)),
    ("今天華氏95度，換算成攝氏度是多少？", celsius(95)),
    ("今天跑了10公里，等于多少英里呢", 10 / MILE),
    ("马拉松42.195公里，等于多少英里", F("42.195") / MILE),
    ("30里地有多少公里", F(15)),
    ("五十里路有多少公里", F(25)),
    ("2两是几克", F(100)),
    ("半斤肉是多少克", F(250)),
    ("一斤半是多少克", F(750)),
    ("100磅多少公斤", 100 * POUND),
    ("体重60公斤，换算成磅是多少", 60 / POUND),
    ("3亩地是多少平方米", F(2000)),
    ("1小时30分钟是多少秒", F(5400)),
    ("2个半小时是多少分钟", F(150)),
    ("5英尺11英寸是多少厘米", (5 * FOOT + 11 * INCH) * 100),
    ("加油加了10加仑，是多少升", 10 * GALLON),
    ("90分钟是几个小时", F("1.5")),
    ("一尺布是多少厘米", F(100, 3)),
    ("求助，72华氏度是多少摄氏度，急", celsius(72)),
]
PLAIN = [
    ("帮我算下 (1280+765)*12 等于多少", F(24540)),
    ("麻烦算下18*24，谢谢", F(432)),
    ("请帮我计算一下256÷16=?", F(16)),
    ("帮忙算一算 3.14*5*5", F("78.5")),
    ("99加1等于几啊", F(100)),
    ("hey can you calculate 12 * 12 for me? thanks!", F(144)),
    ("quick question: what's 17% of 2400?", F(408)),
    ("ok so what is 3/8 + 1/4, anyone?", F(5, 8)),
]
ALL = [*TIPS_AND_TAXES, *DISCOUNTS, *SPLITS, *PRICES, *PERCENTAGES, *CONVERSIONS, *PLAIN]

#: Each has a word or a number because of which the sum that it resembles would be a wrong answer, or no answer at all.
LOOK_ALIKES = [
    # The amount already has the tip, the tax or the discount in it.
    "Dinner was $86.40 including an 18% tip. How much was the tip?",
    "The total was $118 including an 18% tip, how much was dinner?",
    "We paid $100 with tip, 20%, how much is the tip",
    "A shirt is $40 after 20% off, how much was it originally?",
    "I paid $80 with 20% off, how much did I save?",
    "$80 is 20% off, what was the original price",
    "The sofa half price was $700, how much is it?",
    "The stock fell 20% to $80, how much was it?",
    "My salary after a 5% raise is $63000, what was it before?",
    "打7折后是899元，原价多少",
    "打了8折的衣服卖400元，原价多少钱",
    "含税价1130元，税率13%，不含税多少钱",
    "我涨薪10%后工资是8800，原来多少",
    "涨价20%后是120元，涨价前多少钱",
    "今年比去年涨了10%，今年110元，去年多少钱",
    # Something else changes the sum.
    "Dinner was $86.40 but we had a $10 coupon, how much is an 18% tip?",
    "Dinner was $86.40 each for four of us, how much is an 18% tip?",
    "how much is 3 shirts at $20 each with 10% off",
    "buy one get one 50% off, each is $30, how much",
    "split $120 among 4 people, but Bob only pays $20",
    "split $120 between me and 3 friends",
    "split the bill of $90 between me, my wife and 2 friends",
    "I invest $1000 at 5%, how much do I have after 10 years?",
    "$100 at 5% interest, how much is it then?",
    "salary after tax is $4000 with 20% tax, what's my salary before tax?",
    "Dinner was $86.40, how much is an 18% tip in euros?",
    "第二件半价，一件100元，两件多少钱",
    "满300减50，500元打8折多少钱",
    "原价899，会员打7折再减50，多少钱",
    "两件打8折，一件100元，两件多少钱",
    "我和3个朋友平摊300元，每人多少",
    "一共500元，6个人，其中一个免单，每人多少",
    "月薪10000，个税税率10%，要交多少税",
    "工资8000元，扣税10%，税后多少",
    "存10000元，年利率3%，一年利息多少",
    "I got paid $500 and spent 20%. How much is the tip?",
    "A 20% tip was added to my $50 bill. what's the total?",
    "The price went up 10% from $50. how much did I save?",
    "We walked half of 10 miles, what is it in km?",
    "200元的东西便宜了20%，税是多少",
    "省了20%，花了200元，涨了多少",
    "一件衣服200元打8折，涨了多少",
    "一件衣服200元打8折，换算成美元是多少",
    # A number that counts something else.
    "I bought 3 shirts at 20% off, how much do I pay?",
    "My iPhone 15 has 8% tax, how much is the tax?",
    "I have 5 apples and eat 20% of them, how many are left?",
    "小米14打8折多少钱",
    "5块蛋糕打8折多少钱",
    "50%的人不喜欢香菜，多少人",
    "一斤苹果5元，3个多少钱",
    "一瓶水2.5元，第二瓶半价，买2瓶多少钱",
    "买一送一，一瓶水3元，4瓶多少钱",
    "苹果6元一斤，3米多少钱",
    "I got a 22% tip on $31.75, what does it come to?",
    "I bought shoes for $65 at 40% discount. How much did they cost?",
    # An amount is missing, or no sum is asked for.
    "How much is an 18% tip?",
    "What is 15% of my salary?",
    "How much is a 20% tip in Japan?",
    "Dinner was $86.40, how much should I tip the driver?",
    "Is an 18% tip on $86.40 too much?",
    "Should I tip 18% on $86.40?",
    "Why is a 20% tip on $50 customary?",
    "8折优惠券满200可用",
    "打折后省了100元，打几折",
    # Differences of temperature, areas, rates, money, things that no unit measures.
    "The temperature rose by 10°F, what is that in Celsius?",
    "it's 10°C warmer today, what is that in Fahrenheit?",
    "the difference is 5 °C, how much is that in °F?",
    "温度升高了10华氏度，是多少摄氏度",
    "温差10摄氏度，是多少华氏度",
    "今天比昨天低10摄氏度，换算成华氏度是多少",
    "5 meters squared in feet",
    "room is 5 m by 4 m, what's that in feet?",
    "The car does 5 km/l, what is that in miles?",
    "120码是多少公里",
    "5-10 km in miles?",
    "convert 100 dollars to euros",
    "how many euros is 100 dollars",
    "100美元是多少人民币",
    "My phone has 64 GB, how many photos is that?",
    "how many km can a car drive on 10 gallons",
    "how many calories do I burn running 5 km",
    "how many people live within 5 km in france",
    "How long does it take to run 5 km in minutes",
    "I'm 30 degrees from north, how many radians is that?",
    "5公里有多少步",
    "10斤苹果有几公斤果核",
    "我开了100公里，还有多少英里",
    "100米的跑道一圈有多少公里",
    "他跑100米要几秒",
    "二两酒是多少毫升",
    "三人行必有我师",
    "半斤八两是什么意思",
]


def comes_to(question: str) -> F | None:
    """What the calculator makes of the question; None where it isn't asked."""
    found = route(question, NOW)
    if found is None or found.call.tool != "calculator":
        return None
    return work_out(found.call.args["expression"]).value.number


@pytest.mark.parametrize(("question", "value"), ALL, ids=[question for question, _ in ALL])
def test_an_everyday_sum_comes_to_its_exact_value(question: str, value: F) -> None:
    assert comes_to(question) == value


@pytest.mark.parametrize("question", LOOK_ALIKES)
def test_what_only_looks_like_an_everyday_sum_is_not_worked_out(question: str) -> None:
    assert route(question, NOW) is None


def test_at_least_sixty_of_the_examples_are_chinese() -> None:
    assert sum(any("\u4e00" <= character <= "\u9fff" for character in question) for question, _ in ALL) >= 60


@pytest.mark.parametrize(
    ("question", "lead", "line"),
    [
        ("Dinner was $86.40 for the table, how much is an 18% tip?", "Tip: **$15.55**", "`18% of 86.4` = **15.552**"),
        ("Our bill is £95, what's the total with a 20% tip?", "In total: **£114**", "`95 + 20%` = **114**"),
        ("Split €100 among 3 people", "Each: **€33.33**", "`100 / 3` ≈ **33.3333333333**"),
        ("what percent of 90 is 30", "**33.33%**", "`30 / 90 * 100` ≈ **33.3333333333**"),
        ("how much do I save with 20% off $45", "Saved: **$9**", "`20% of 45` = **9**"),
        ("299元的鞋子打8折后多少钱", "价格：**239.20 元**", "`299 * 80%` = **239.2**"),
        ("原价350，打八五折多少钱", "价格：**297.5**", "`350 * 85%` = **297.5**"),
        ("1000元加13%的税一共多少", "合计：**1130 元**", "`1000 + 13%` = **1130**"),
        ("三个人吃饭花了186元，平均每人多少钱", "每人：**62 元**", "`186 / 3` = **62**"),
    ],
)
async def test_the_answer_says_what_the_sum_stands_for_and_shows_it(question: str, lead: str, line: str) -> None:
    events = await run(task(question), Router(), tools=builtin_tools())
    assert [event.tool for event in events if isinstance(event, StepStarted)] == ["calculator"]
    assert [event.ok for event in events if isinstance(event, StepFinished)] == [True]
    assert finished(events).text.startswith(lead)
    assert line in finished(events).text


async def test_a_sum_too_large_for_two_decimal_places_has_only_its_own_line() -> None:
    events = await run(task("what is 50% of $99999999999999999999"), Router(), tools=builtin_tools())
    assert finished(events).text.startswith("`50% of 99999999999999999999`")


@pytest.mark.parametrize(
    ("text", "template", "numbers"),
    [
        ("$1,234.50 and 18%", "A and P", ["1234.5", "18"]),
        ("1.5万元的百分之三点五", "A的P", ["15000", "3.5"]),
        ("3块5毛", "X块X毛", ["3", "5"]),
        ("iPhone 15", "iphone X", ["15"]),
        ("at 10:30 on 2026-11-21", "at X on X", ["", ""]),
        ("two and a half miles", "Q", ["2.5"]),
        ("5 ft 11 in", "Q", ["5"]),
        ("5 ft, 10 km", "Q, Q", ["5", "10"]),
        ("three of us", "H", ["3"]),
        ("三个人", "H", ["3"]),
        ("一个人", "一个人", []),
        ("85折", "Z", ["85"]),
        ("十折", "X", [""]),
        ("零下3.5度", "Q", ["-3.5"]),
    ],
)
def test_amounts_get_letters(text: str, template: str, numbers: list[str]) -> None:
    found = amounts.read(text)
    assert found is not None
    assert (found.text, [amount.number for amount in found.found]) == (template, numbers)


def test_text_whose_characters_would_lose_their_meaning_has_no_amounts() -> None:
    assert amounts.read("2⁵ km in miles") is None


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "so ",
            "thanks ",
            "请问",
            "谢谢",
            "啊",
            "1 ",
            "1",
            "$1 ",
            "5 km ",
            "5'",
            "one ",
            "hundred and ",
            "how much is ",
        ),
        *(
            "5 km in ",
            "how many ",
            "百分之",
            "- ",
            "℃",
            "you know ",
            "1/1/",
            "1,111,",
            "多少",
            "是",
            "大概",
            "tip ",
            "the a ",
        ),
        *("半", "个半", "1米1", ":) ", "@a ", "二", "三点", "5 lb 3 oz ", "🙏", "every", "each ", "A", "Q in U "),
    ],
)
def test_no_wording_costs_time(piece: str) -> None:
    # CPU time, so that a busy machine makes no difference; the bound is some fifty times what the slowest takes.
    question = (piece * MAX_QUESTION)[: MAX_QUESTION - 20]
    started = time.process_time()
    for end in ("", "?", " 5 km in miles", "5公里是多少英里", " 18% tip on $5"):
        route(question + end, NOW)
    assert time.process_time() - started < 5
