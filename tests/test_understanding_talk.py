"""Comparisons, splits, channels and texts to check, in words that nobody listed; and what only looks like them."""

from __future__ import annotations

import pytest

from bot.understanding.checking import text_to_check
from bot.understanding.lexicon import Lexicon, fold, lexicon_for
from bot.understanding.replies import chosen
from tests.test_understanding import CAMPAIGNS, VALUES, understand


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


# question | what it is compared with; - where it asks for none that is computed
COMPARED = """
今天会员成交金额跟咱们定的目标比差多少 | target
昨天的成交金额对比计划怎么样 | target
revenue today against our plan | target
老客成交占比在行业里比同层怎么样 | peers
会员进店率 vs the industry | peers
昨天成交金额比前天 | previous_day
16号的买家数比15号多吗 | previous_day
昨天的访客和前天相比涨了没 | previous_day
前天和昨天比，成交金额哪天高 | previous_day
6月1号到3号的成交额跟5月29到5月31号比 | previous_window
上周成交金额比上上周多多少 | previous_window
did last week beat the week before in revenue | previous_window
revenue June 4-6 versus June 1-3 | previous_window
revenue yesterday vs the day before | previous_day
老客成交金额昨天vs前天 | previous_day
今年开门红的成交金额跟去年开门红比 | campaign:618:2025
开门红的GMV vs 去年同期 | campaign:618:2025
开门红成交额不如去年吗 | campaign:618:2025
opening sale revenue compared with the same period last year | campaign:618:2025
第一波的成交额对比去年618同一阶段 | campaign:618:2025
这周成交金额和上周比 | from:2026-06-08
本月成交额和上个月比 | from:2026-05-01
本月成交额和上月同期比 | from:2026-05-01
revenue this month versus last month | from:2026-05-01
昨天的访客比上周同一天多吗 | from:2026-06-09
今天访客和上周同期比 | from:2026-06-10
昨天成交额周同比 | from:2026-06-09
16号和2号的成交额比 | from:2026-06-02
成交额和6月2号比 | from:2026-06-02
6月10号到12号的加购人数和6月3号到5号比 | from:2026-06-03
today's revenue versus June 2 | from:2026-06-02
昨天和上周比成交额 | -
6月1号到16号的成交额和上个月比 | -
周六的成交金额和上周六比 | -
昨天会员的成交占比 | -
进店支付比率昨天多少 | -
会员和新客昨天的成交金额 | -
昨天性价比高的商品成交金额 | -
昨天和前天的成交金额 | -
老客昨天比较多的成交金额 | -
"""

# question | what it is split by; - where it is split by nothing
SPLIT = """
昨天的成交金额拆到城市看 | city
昨天哪里的人买得最多 | city
会员昨天各地成交金额 | city
revenue yesterday broken down by region | city
上周成交额一天一天列出来 | day
这周哪天成交金额最高 | day
6月1号到5号逐天的买家数 | day
which day had the highest revenue last week | day
昨天一小时一小时的成交金额 | hour
昨天几点卖得最猛 | hour
what was the busiest hour yesterday | hour
昨天啥卖得最好 | item
昨天卖得最好的五款是哪些 | item
昨天哪个链接成交最多 | item
top 10 products yesterday | item
昨天哪几类卖得好 | category
各品类昨天的成交金额 | category
昨天每一级会员的成交金额 | member_level
revenue by membership tier yesterday | member_level
昨天的访客都是从哪个渠道来的 | channel
昨天的成交金额 | -
昨天城市会员的成交金额 | -
昨天成交最多的会员有多少 | -
爆款打法是什么 | -
"""

# request | channel
DRAFTS = """
push一句话，喊新客回来 | push
给老客来条SMS | sms
老客短信，满199减20 | sms
微信群里给粉丝发一段话 | group
粉丝群来三句预热的 | group
企微一对一跟观望的会员说，写一段 | exclusive_service
给会员的私信怎么写，出两版 | exclusive_service
主播口播来两句，催会员用券 | live
外呼话术整一版给老客 | ai_call
卡片短信，会员人群，满300减30 | card_sms
sms for fans about the gift | sms
a push to new customers | push
group post for fans | group
one to one message to hesitating members, two versions | exclusive_service
call script for old customers, draft it | ai_call
"""
NO_DRAFTS = """
昨天短信发了多少条
短信和push哪个效果好
会员群里有多少人
短信几点发合适
老客要不要发短信
how many texts did we send yesterday
push点击率多少
直播间的会员有多少
which channel works best for members
短信一天最多发几次
"""

CHECKS = [
    ("帮我看看“全网第一”能发不", "全网第一"),
    ("这句合规吗 “七天见效”", "七天见效"),
    ("这条短信有没有超字数：【花漾】今晚八点开抢，拒收请回复R", "【花漾】今晚八点开抢，拒收请回复R"),
    ("把把关：【花漾】最后一天", "【花漾】最后一天"),
    ("过一遍：【花漾】您的券今晚到期，拒收请回复R", "【花漾】您的券今晚到期，拒收请回复R"),
    ("群里想发这句，有没有毛病：家人们冲", "家人们冲"),
    ("全网最低价，错过再等一年，这么写行吗", "全网最低价，错过再等一年"),
    ("史上最强大促这几个字能上海报吗", "史上最强大促"),
    ("【花漾】买它买它，拒收请回复R 这条能发吗", "【花漾】买它买它，拒收请回复R"),
    ("这条推送踩不踩红线：国家级配方", "国家级配方"),
    ("is it ok to say 'best cream ever' on our poster", "best cream ever"),
    ("can we say the cheapest price in China in our sms?", "the cheapest price in China"),
    ("can this go out: 100% effective", "100% effective"),
    ("proofread: last day, don't miss it", "last day, don't miss it"),
    ("would 'up to 90 off' break any rule?", "up to 90 off"),
]
NO_CHECKS = [
    "帮我看看：昨天会员成交多少",
    "帮我看看昨天的成交金额",
    "“转化率”是什么意思",
    "老客这么多人能发短信吗",
    "这句能发吗",
    "短信能发吗",
    "what does 'conversion rate' mean",
    "看看这个：会员今天怎么做",
    "写个短信：今晚八点开抢",
    "can we send sms at 10 pm",
    "晚上几点以后不能再发短信",
    "帮我写一条“满300减50”的短信",
    "广告法是怎么规定的",
    "今天的目标能完成吗",
    "短信里没写退订会怎样",
]


def _rows(table: str) -> list[list[str]]:
    return [line.split(" | ") for line in table.strip().splitlines()]


@pytest.mark.parametrize(("text", "wanted"), _rows(COMPARED))
def test_what_is_compared_with(lexicon: Lexicon, text: str, wanted: str) -> None:
    assert (understand(lexicon, text).interpretation.compare or "-") == wanted


def test_what_is_not_computed_is_told(lexicon: Lexicon) -> None:
    assert "和上周" in understand(lexicon, "昨天的成交金额和上周比").interpretation.unused
    assert "和上周六" in understand(lexicon, "周六的成交金额和上周六比").interpretation.unused


@pytest.mark.parametrize(("text", "wanted"), _rows(SPLIT))
def test_what_is_split_by(lexicon: Lexicon, text: str, wanted: str) -> None:
    assert (understand(lexicon, text).interpretation.by or "-") == wanted


@pytest.mark.parametrize(("text", "channel"), _rows(DRAFTS))
def test_a_piece_of_copy_is_asked_for(lexicon: Lexicon, text: str, channel: str) -> None:
    found = understand(lexicon, text)
    assert (found.interpretation.intent, found.interpretation.channel) == ("draft", channel)


@pytest.mark.parametrize("text", NO_DRAFTS.strip().splitlines())
def test_messages_that_are_asked_about_are_not_written(lexicon: Lexicon, text: str) -> None:
    assert understand(lexicon, text).draft is None


@pytest.mark.parametrize(("question", "text"), CHECKS)
def test_the_text_to_check(question: str, text: str) -> None:
    found = text_to_check(question)
    assert found is not None
    assert found[1] == text


@pytest.mark.parametrize("question", NO_CHECKS)
def test_no_text_to_check(question: str) -> None:
    assert text_to_check(question) is None


@pytest.mark.parametrize(
    ("reply", "nth"),
    [
        ("第二个", 1),
        ("the latter", 1),
        ("1", 0),
        ("最后一个", 2),
        ("人群转化率", 1),
        ("就按进店那个", 0),
        ("我说的是尾款那个", 2),
        ("前者", 0),
    ],
)
def test_a_reply_points_at_an_option(reply: str, nth: int) -> None:
    options = ["进店-支付比率（买家 ÷ 访客）", "人群转化率（买家 ÷ 人群）", "付定金未付尾款"]
    assert chosen(reply, options) == options[nth]


@pytest.mark.parametrize("reply", ["会员呢", "昨天卖了多少", "比率", "第五个", "不是", "转化"])
def test_a_reply_that_points_at_no_single_option_stays(reply: str) -> None:
    assert chosen(reply, ["进店-支付转化比率", "加购-支付转化比率"]) == reply
    assert chosen(fold(reply), []) == fold(reply)


OF_PEOPLE = ["进店-支付比率（全部成交买家数 ÷ 进店访客数）", "人群转化率（全部成交买家数 ÷ 人群总数）"]


@pytest.mark.parametrize(
    ("reply", "nth"),
    [
        ("进店的人里付钱的那种", 0), ("按访客算", 0), ("到店的", 0), ("the one based on visitors", 0), ("per visitor", 0),
        ("out of visitors", 0), ("分母用人群的", 1), ("paid out of the whole crowd, not just visitors", 1), ("按全体算", 1),
        ("不是访客 是全部人那种", 1), ("everyone, not the visitors", 1),
    ],
)  # fmt: skip
def test_a_reply_names_whom_a_formula_is_of(reply: str, nth: int) -> None:
    assert chosen(reply, OF_PEOPLE) == OF_PEOPLE[nth]


@pytest.mark.parametrize(
    "reply", ["会员进店人数", "昨天的访客里多少人加购", "按城市看", "how many visitors", "进店访客是什么"]
)
def test_a_new_question_is_no_reply(reply: str) -> None:
    assert chosen(reply, OF_PEOPLE) == reply


def test_a_crowd_is_told_by_its_characters() -> None:
    options = ["加购未付款", "加购收藏未付款", "付定金未付尾款"]
    assert [chosen(r, options) for r in ("加购那种", "尾款没付的", "收藏的")] == [options[0], options[2], options[1]]


# question | what it is asked back for: a number or people that nobody knows, where the whole shop would be answered
UNKNOWN = """
今天好评率多少 | 好评率
DSR多少 | dsr
库存还有多少 | 库存
住海边的有多少人 | 住海边
昨天搜索占比多少 | 搜索
what was the bounce rate yesterday | bounce
"""


@pytest.mark.parametrize(("text", "word"), _rows(UNKNOWN))
def test_what_nobody_knows_is_asked_back(lexicon: Lexicon, text: str, word: str) -> None:
    back = understand(lexicon, text).clarify
    assert back is not None
    assert word in back.question
    assert back.options


@pytest.mark.parametrize(
    "text", ["今天整体怎么样", "报一下核心数据", "全店有多少人", "how is business today", "昨天上午的数据"]
)
def test_an_overview_is_not_asked_back(lexicon: Lexicon, text: str) -> None:
    assert understand(lexicon, text).clarify is None


# question | the numbers shown with the one that moved
WHY = """
成交额怎么跌了 | paid_amount visitors visit_pay_rate aov
为什么昨天加购人数少了 | carters visitors visit_cart_rate
why did revenue drop yesterday | paid_amount visitors visit_pay_rate aov
为什么进店支付比率降了 | visit_pay_rate visit_cart_rate cart_pay_rate
昨天访客为什么少了 | visitors
"""


@pytest.mark.parametrize(("text", "keys"), _rows(WHY))
def test_why_a_number_moved_is_shown_by_what_it_is_made_of(lexicon: Lexicon, text: str, keys: str) -> None:
    found = understand(lexicon, text).interpretation
    assert (found.intent, found.metrics, found.compare) == ("metric", keys.split(), "previous_day")
    assert found.assumed


def test_a_plan_of_one_channel(lexicon: Lexicon) -> None:
    found = understand(lexicon, "群里今天发什么").interpretation
    assert (found.intent, found.channel, found.unused) == ("plan", "group", [])


def test_two_days_in_a_list_stand_against_each_other(lexicon: Lexicon) -> None:
    found = understand(lexicon, "16号和2号会员成交金额各多少").interpretation
    assert (found.period, found.compare) == ({"from": "2026-06-16", "to": "2026-06-16"}, "from:2026-06-02")
    assert understand(lexicon, "6月2号、6月9号和6月16号的访客").interpretation.unused  # three are told


# question | crowds | metrics: a whole, and what part of it some are
PARTS = """
昨天加购多少人，其中老客多少 | all old | carters
昨天加购的有多少人，老客占多少 | all old | carters
今天访客多少，其中会员有多少人 | all member | visitors
How many shoppers added to cart on June 14, and how many of the old customers? | all old | carters
昨天成交金额多少，会员占几成 | member | amount_share
会员昨天成交多少，新客呢 | member new | paid_amount
"""


@pytest.mark.parametrize(("text", "crowds", "metrics"), _rows(PARTS))
def test_a_whole_and_a_part_of_it_are_both_counted(lexicon: Lexicon, text: str, crowds: str, metrics: str) -> None:
    found = understand(lexicon, text).interpretation
    assert (found.crowds, found.metrics) == (crowds.split(), metrics.split())


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("今天不要发短信了,其他渠道安排一下", "not sms"),
        ("不想发短信 加购未付款还能怎么触达", "not sms"),
        ("不要发短信，其他安排一下", "not sms"),
        ("别发短信，其他渠道安排一下", "not sms"),
        ("今天用短信给谁发", "sms"),
        ("要不要给老客发短信", "sms"),
        ("我们现在能不能发短信", "sms"),
        ("今天能不能群发短信", "sms"),
    ],
)
def test_a_channel_that_is_denied_is_left_out_of_the_plan(lexicon: Lexicon, text: str, channel: str) -> None:
    found = understand(lexicon, text).interpretation
    assert (found.intent, found.channel) == ("plan", channel)


@pytest.mark.parametrize(
    "text", ["照这个速度到20号能卖多少", "20号能卖多少", "今天预计能卖多少", "where will we end up at this rate"]
)
def test_what_is_to_come_is_told_by_the_target(lexicon: Lexicon, text: str) -> None:
    found = understand(lexicon, text).interpretation
    assert (found.intent, found.metrics, found.period) == ("target", ["paid_amount"], None)


# question | first day | last day | compare | by
TIMES = """
昨天这个时候卖了多少 | 2026-06-17 | 2026-06-17 | previous_day | None
16号0点到2点成交多少钱 | 2026-06-16 | 2026-06-16 | None | hour
昨晚8点以后的成交人数 | 2026-06-16 | 2026-06-16 | None | hour
sales today by 9am | 2026-06-17 | 2026-06-17 | None | hour
新客占比昨天多少 | 2026-06-16 | 2026-06-16 | None | None
Good morning! Visitor count for yesterday? | 2026-06-16 | 2026-06-16 | None | None
早上好，昨天访客多少 | 2026-06-16 | 2026-06-16 | None | None
"""


@pytest.mark.parametrize(("text", "first", "last", "compare", "by"), _rows(TIMES))
def test_hours_and_the_same_time(lexicon: Lexicon, text: str, first: str, last: str, compare: str, by: str) -> None:
    found = understand(lexicon, text).interpretation
    assert found.period == {"from": first, "to": last}
    assert (str(found.compare), str(found.by)) == (compare, by)
    assert found.unused == []


def test_what_is_to_be_done_is_done_today(lexicon: Lexicon) -> None:
    found = understand(lexicon, "昨天加购今天还没付的怎么催").interpretation
    assert (found.intent, found.period) == ("plan", {"from": "2026-06-17", "to": "2026-06-17"})
    assert found.unused == ["昨天"]


# question | crowds
WHO = """
有券又加购没付的多少 | coupon_unredeemed and cart_unpaid
群里有多少人还没买 | group_member and not wave_buyers
群里有多少人 | group_member
进了专属客服的有多少 | service_contact
加购没付定金的有多少人 | deposit_unpaid
预售没付尾款的人里会员几个 | balance_due and member
加购没付的比昨天多还是少 | cart_unpaid
5月20号会员数 | member
"""


@pytest.mark.parametrize(("text", "crowd"), _rows(WHO))
def test_who_is_counted(lexicon: Lexicon, text: str, crowd: str) -> None:
    found = understand(lexicon, text).interpretation
    assert found.crowds == [crowd]
    assert found.metrics == ["crowd_size"]


def test_several_cities_are_set_side_by_side(lexicon: Lexicon) -> None:
    found = understand(lexicon, "北京和上海昨天谁卖得多").interpretation
    assert (found.by, found.metrics, len(found.filters)) == (None, ["paid_amount"], 2)


@pytest.mark.parametrize(
    ("text", "crowd"),
    [
        ("尾款提醒短信写一条", "balance_due"),
        ("给付了定金的人写条短信", "balance_due"),
        ("催定金的短信写一条", "deposit_unpaid"),
    ],
)
def test_a_reminder_goes_to_whom_it_is_for(lexicon: Lexicon, text: str, crowd: str) -> None:
    found = understand(lexicon, text).interpretation
    assert (found.intent, found.crowds) == ("draft", [crowd])


@pytest.mark.parametrize("text", ["今天定金收了多少", "昨天退款多少"])
def test_an_amount_that_no_metric_gives_is_told(lexicon: Lexicon, text: str) -> None:
    assert understand(lexicon, text).interpretation.unused


@pytest.mark.parametrize("reply", ["都要", "两个都看", "全部", "both", "all of them"])
def test_both_options_may_be_chosen(reply: str) -> None:
    options = ["进店-支付比率（全部成交买家数 ÷ 进店访客数）", "人群转化率（全部成交买家数 ÷ 人群总数）"]
    assert chosen(reply, options) == "进店-支付比率、人群转化率"
    assert chosen(reply, []) == reply


@pytest.mark.parametrize(
    ("text", "by"), [("加购最多的商品前10", "item"), ("昨天加购率最高的商品", "item"), ("昨天退款率最高的城市", "city")]
)
def test_the_most_of_a_kind_is_a_split(lexicon: Lexicon, text: str, by: str) -> None:
    assert understand(lexicon, text).interpretation.by == by


def test_a_list_of_people_is_refused(lexicon: Lexicon) -> None:
    assert understand(lexicon, "把加购没付的名单发我").interpretation.intent == "unsupported"


@pytest.mark.parametrize(
    ("text", "first", "last", "by"),
    [
        ("yesterday的visitors按hour拉一下", "2026-06-16", "2026-06-16", "hour"),
        ("last week的成交额按day", "2026-06-08", "2026-06-14", "day"),
        ("today的成交", "2026-06-17", "2026-06-17", None),
        ("会员日那天(6.9)会员成交了多少钱", "2026-06-09", "2026-06-09", None),
        ("6月9日会员日成交了多少", "2026-06-09", "2026-06-09", None),
        ("会员日会员成交了多少钱", "2026-06-16", "2026-06-16", None),
    ],
)
def test_words_of_two_languages_and_days_of_two_kinds(
    lexicon: Lexicon, text: str, first: str, last: str, by: str | None
) -> None:
    found = understand(lexicon, text).interpretation
    assert (found.period, found.by, found.unused) == ({"from": first, "to": last}, by, [])


@pytest.mark.parametrize(
    ("text", "intent", "metrics", "by", "unused"),
    [
        ("加购没付的最多是哪几款货", "crowd", ["crowd_size"], None, []),
        ("会员人数按小时看", "crowd", ["crowd_size"], None, ["按小时"]),
        ("会员人数按城市看", "metric", ["crowd_size"], "city", []),
        ("昨天加购人数按商品看", "metric", ["carters"], "item", []),
        ("要是进店率能提一点，缺口能补多少", "target", ["paid_amount"], None, ["提一点"]),
        ("离结束还有几天", "phase", [], None, []),
    ],
)
def test_what_cannot_be_split_or_has_no_target_is_told_otherwise(
    lexicon: Lexicon, text: str, intent: str, metrics: list[str], by: str | None, unused: list[str]
) -> None:
    found = understand(lexicon, text).interpretation
    assert (found.intent, found.metrics, found.by, found.unused) == (intent, metrics, by, unused)
