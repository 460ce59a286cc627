"""Messages that lean on the one before: what they take over, change and take away; other subjects; what hangs in the air."""

from __future__ import annotations

from typing import Any

import pytest

from bot.answer import Interpretation
from bot.understanding import interpret
from bot.understanding.interpret import language
from bot.understanding.lexicon import Lexicon, lexicon_for
from bot.understanding.replies import leaned_on, of_step
from tests.test_understanding import CAMPAIGNS, NOW, VALUES, understand


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


def talk(lexicon: Lexicon, *said: str) -> Interpretation:
    """What the last message means after those before it."""
    asked: list[Any] = []
    for text in said:
        previous, drafted = leaned_on(text, asked)
        found = interpret(
            text, previous, lexicon=lexicon, now=NOW, campaigns=CAMPAIGNS, lang=language(text), drafted=drafted
        )
        asked.append((found.interpretation, found.draft))
    last: Interpretation = asked[-1][0]
    return last


# messages of a conversation > crowd, metric, days of June, split, filter of the last one (- for none)
TALKS = """
昨天会员成交金额 / 粉丝的呢 > fan, paid_amount, 16, -, -
昨天会员成交金额 / 那老客 > old, paid_amount, 16, -, -
昨天会员成交金额 / 前天的 > member, paid_amount, 15, -, -
昨天会员成交金额 / 再前一天呢 > member, paid_amount, 15, -, -
上周会员成交金额 / 再往前一周 > member, paid_amount, 1-7, -, -
昨天会员成交金额 / 换成买家数 > member, buyers, 16, -, -
昨天会员成交金额 / 拆到小时看看 > member, paid_amount, 16, hour, -
昨天会员成交金额 / 各城市的 > member, paid_amount, 16, city, -
昨天会员成交金额 / 只看上海的 > member, paid_amount, 16, -, 上海
昨天会员成交金额 / 不是，我说的是老客 > old, paid_amount, 16, -, -
昨天会员成交金额 / 说错了，要的是新客 > new, paid_amount, 16, -, -
昨天会员成交金额 / 不对，要6月1号到3号的 > member, paid_amount, 1-3, -, -
昨天会员成交金额 / 不是昨天，我要前天的 > member, paid_amount, 15, -, -
昨天会员成交金额 / 不是会员，是粉丝 > fan, paid_amount, 16, -, -
昨天会员成交金额 / 对了，老客6月1号的访客数 > old, visitors, 1, -, -
昨天上海会员成交金额 / 北京的 > member, paid_amount, 16, -, 北京
昨天上海会员成交金额 / 那老客呢 > old, paid_amount, 16, -, 上海
昨天上海会员成交金额 / 不限城市 > member, paid_amount, 16, -, -
昨天上海会员成交金额 / 去掉城市限制看看 > member, paid_amount, 16, -, -
昨天上海会员成交金额 / 全国的呢 > member, paid_amount, 16, -, -
昨天各城市的成交金额 / 不拆了，汇总 > all, paid_amount, 16, -, -
昨天各城市的成交金额 / 会员的也来一份 > member, paid_amount, 16, city, -
昨天成交金额 / 其中会员有多少 > member, paid_amount, 16, -, -
昨天成交金额 / 谢谢 / 那新客呢 > new, paid_amount, 16, -, -
昨天成交金额 / 今天第几天了 / 会员的 > member, paid_amount, 16, -, -
members' paid amount yesterday / what about fans > fan, paid_amount, 16, -, -
members' paid amount yesterday / and the day before? > member, paid_amount, 15, -, -
members' paid amount yesterday / sorry, I meant old customers > old, paid_amount, 16, -, -
members' paid amount yesterday / not yesterday, today > member, paid_amount, 17, -, -
members' paid amount yesterday / split that by city > member, paid_amount, 16, city, -
members' paid amount yesterday / just 上海 > member, paid_amount, 16, -, 上海
members' paid amount yesterday / same for new customers > new, paid_amount, 16, -, -
members' paid amount of 上海 yesterday / drop the city filter > member, paid_amount, 16, -, -
members' paid amount yesterday / by the way, visitors of fans on June 3 > fan, visitors, 3, -, -
加购未付款的有多少人 / 其中会员呢 > cart_unpaid and member, crowd_size, -, -, -
加购未付款的有多少人 / 这里面老客几个 > cart_unpaid and old, crowd_size, -, -, -
加购未付款的有多少人 / 其中会员呢 / 非会员呢 > cart_unpaid and not member, crowd_size, -, -, -
没付尾款的有多少 / 会员占多少 > balance_due and member, crowd_size, -, -, -
加购未付款的有多少人 / 只看新客 > cart_unpaid and new, crowd_size, -, -, -
加购未付款的有多少人 / 权益未核销的会员有多少 > coupon_unredeemed, crowd_size, -, -, -
加购未付款的多少人 / 去掉券没用的 / 再去掉会员 > cart_unpaid and not coupon_unredeemed and not member, crowd_size, -, -, -
加购未付款的有多少人 / 老客别算 > cart_unpaid and not old, crowd_size, -, -, -
加购未付款的有多少人 / 把会员剔了 > cart_unpaid and not member, crowd_size, -, -, -
加购未付款的有多少人 / 粉丝排除掉 > cart_unpaid and not fan, crowd_size, -, -, -
加购未付款的有多少人 / 老客别算 / 算了 老客加回来 > cart_unpaid, crowd_size, -, -, -
加购未付款的有多少人 / 去掉拒收短信的 / 把拒收的加回来 > cart_unpaid, crowd_size, -, -, -
加购未付款的有多少人 / 还得是会员 > cart_unpaid and member, crowd_size, -, -, -
加购未付款的有多少人 / 再叠加老客这个条件 > cart_unpaid and old, crowd_size, -, -, -
加购未付款的有多少人 / 还得是老客 / 老客这个条件去掉 > cart_unpaid, crowd_size, -, -, -
加购未付款的有多少人 / 非会员有多少人 > not member, crowd_size, -, -, -
who owes a balance / minus the ones who opted out of texts > balance_due and not sms_opted_out, crowd_size, -, -, -
who owes a balance / exclude anyone who opted out of sms > balance_due and not sms_opted_out, crowd_size, -, -, -
people who owe a balance, how many / take out fans as well > balance_due and not fan, crowd_size, -, -, -
people who owe a balance, how many / take out fans / put fans back in > balance_due, crowd_size, -, -, -
昨天会员成交金额 / 不是会员 我说的是新客 > new, paid_amount, 16, -, -
昨天会员成交金额 / 不是会员是新客 > new, paid_amount, 16, -, -
昨天会员成交金额 / 粉丝那头 > fan, paid_amount, 16, -, -
昨天会员成交金额 / 换成买家 > member, buyers, 16, -, -
昨天会员成交金额 / 占大盘百分之多少 > member, amount_share, 16, -, -
昨天会员买家数 / 占进店的几成 > member, visit_pay_rate, 16, -, -
昨天会员买家数 / 占会员总数多少 > member, conversion_rate, 16, -, -
昨天会员加购人数 / 占访客的百分之几 > member, visit_cart_rate, 16, -, -
members' buyers yesterday / what % of visitors is that > member, visit_pay_rate, 16, -, -
昨天会员进店支付转化率 / 换人群那个口径 > member, conversion_rate, 16, -, -
昨天会员成交金额 / 往前推一天 > member, paid_amount, 15, -, -
昨天会员成交金额 / 前一天 > member, paid_amount, 15, -, -
6月14号会员成交金额 / 第二天 > member, paid_amount, 15, -, -
上周会员成交金额 / 往前推一周 > member, paid_amount, 1-7, -, -
上周会员成交金额 / 前天的 / 回到上周 > member, paid_amount, 8-14, -, -
members' paid amount yesterday / one day earlier > member, paid_amount, 15, -, -
members' paid amount of 上海 yesterday / hmm, remove that city > member, paid_amount, 16, -, -
members' paid amount yesterday / ok now only 上海 > member, paid_amount, 16, -, 上海
how many people left things in the cart unpaid / how many of them are members > cart_unpaid and member, crowd_size, -, -, -
"""


@pytest.mark.parametrize("line", TALKS.strip().splitlines())
def test_what_a_message_takes_over(lexicon: Lexicon, line: str) -> None:
    said, _, wanted = line.partition(" > ")
    what = talk(lexicon, *said.split(" / "))
    crowd, metric, days, by, place = wanted.split(", ")
    assert (what.crowds, what.metrics, what.by or "-") == ([crowd], [metric], by)
    first, _, last = days.partition("-")
    if days != "-":
        assert what.period == {"from": f"2026-06-{first:>02}", "to": f"2026-06-{last or first:>02}"}
    assert what.filters == ([] if place == "-" else [f'city:"{place}"'])
    assert what.unused == []


@pytest.mark.parametrize(
    ("said", "crowd", "channel"),
    [
        (("给新客写条短信", "不是，我说的是老客"), "old", "sms"),
        (("给新客写条短信", "push也来一版"), "new", "push"),
        (("给新客写条短信", "写成群文案"), "new", "group"),
        (("给新客写条短信", "换成企微的"), "new", "exclusive_service"),
        (("给新客写条短信", "会员的也来一条"), "member", "sms"),
        (("给新客写条短信", "辛苦", "刚才那条短信再短一点"), "new", "sms"),
        (("给新客写条短信", "昨天成交金额", "刚才那条文案再短一点"), "new", "sms"),
        (("观望的会员今天怎么做", "给他们写条短信"), "member_hesitating", "sms"),
        (("观望的会员今天怎么做", "把他们电话给我", "那写条私信"), "member_hesitating", "exclusive_service"),
        (("write a text for fans", "make it a group message"), "fan", "group"),
        (("write a text for fans", "no wait, for old customers instead"), "old", "sms"),
    ],
)
def test_a_draft_goes_on(lexicon: Lexicon, said: tuple[str, ...], crowd: str, channel: str) -> None:
    what = talk(lexicon, *said)
    assert (what.intent, what.crowds, what.channel) == ("draft", [crowd], channel)


@pytest.mark.parametrize(
    "text",
    [
        "那批人发一下",
        "给他们写个短信",
        "写个文案",
        "这句能发吗",
        "再改改",
        "why is it so low",
        "跟上次比呢",
        "is this ok to send?",
        "怎么跌了",
    ],
)
def test_what_points_at_nothing_is_asked_back(lexicon: Lexicon, text: str) -> None:
    assert understand(lexicon, text).clarify is not None


@pytest.mark.parametrize(
    "text",
    [
        "给新客写个文案",
        "写条短信",
        "今天跟昨天比",
        "会员的成交金额为什么这么低",
        "这波还有几天",
        "这批货卖得怎么样",
        "短信能发吗",
        "昨天怎么样",
        "他们家的活动",
    ],
)
def test_what_stands_by_itself_is_not_asked_back(lexicon: Lexicon, text: str) -> None:
    assert understand(lexicon, text).clarify is None


@pytest.mark.parametrize(
    ("said", "crowds"),
    [
        (("昨天会员成交金额", "粉丝也算上"), ["member", "fan"]),
        (("昨天会员成交金额", "粉丝也加进来"), ["member", "fan"]),
        (("members' paid amount yesterday", "include fans"), ["member", "fan"]),
        (("昨天会员成交金额", "粉丝也算上", "老客去掉"), ["member and not old", "fan and not old"]),
        (("昨天会员成交金额", "会员 粉丝 老客都来一下"), ["member", "fan", "old"]),
    ],
)
def test_people_are_added_and_taken_away(lexicon: Lexicon, said: tuple[str, ...], crowds: list[str]) -> None:
    assert talk(lexicon, *said).crowds == crowds


def test_two_questions_in_one_are_not_crossed(lexicon: Lexicon) -> None:
    """The first is answered; the other is told as not used."""
    out = talk(lexicon, "今天成交和昨天比,还有加购未付款多少人,再写条短信")
    assert (out.intent, out.crowds, out.compare) == ("metric", ["all"], "previous_day")
    assert out.unused == ["还有加购未付款多少人", "再写条短信"]


def test_the_shop_as_a_whole_after_a_city(lexicon: Lexicon) -> None:
    out = talk(lexicon, "昨天上海客单价", "全店的")
    assert (out.metrics, out.filters, out.crowds) == (["aov"], [], ["all"])


def test_the_same_time_last_year_is_compared_with(lexicon: Lexicon) -> None:
    out = talk(lexicon, "618到现在卖了多少,去年同期呢")
    assert (out.period, out.compare) == ({"from": "2026-05-01", "to": "2026-06-17"}, "campaign:618:2025")
    assert talk(lexicon, "昨天卖了多少", "去年这时候呢").compare == "campaign:618:2025"


def test_of_several_member_days_it_is_told_that_one_is_counted(lexicon: Lexicon) -> None:
    assert "四个会员日" in talk(lexicon, "四个会员日分别卖了多少").unused


def test_i_mean_is_no_mean(lexicon: Lexicon) -> None:
    assert talk(lexicon, "how much did we sell today", "no, i mean yesterday").metrics == ["paid_amount"]


def test_a_step_of_the_plan_is_of_its_people() -> None:
    plan = Interpretation(intent="plan")
    text, about = of_step("第二步那254人,给他们写短信", plan, ["all", "member"])
    assert about is not None
    assert about.crowds == ["member"]
    assert "254" not in text
    assert of_step("第三步的人写短信", plan, ["all", "member"]) == ("第三步的人写短信", plan)
