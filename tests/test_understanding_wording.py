"""Single questions in words that nobody foresaw: as spoken in Taiwan, at night, by a boss in three words, by one who rambles, by
a brand manager in English, and with English verbs inside Chinese."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

from bot import understanding
from bot.understanding.lexicon import Lexicon, lexicon_for
from bot.understanding.shorthand import written_out
from tests.test_understanding import CAMPAIGNS, VALUES, understand

METRICS = {
    "visitors": [
        "昨天進店人次多少", "昨日到店客数", "昨天人气旺不旺", "昨天上门的有几组客人",
        "how many ppl popped by the store yesterday",
        "how many bodies came through the door yesterday", "who strolled by the shop yesterday, how many people",
    ],
    "carters": ["昨天進購物車的有幾位", "昨天加车高不高", "昨天cart了的有几个",
        "how many folks put stuff in their basket yesterday", "members' add-to-carts yesterday"],
    "visitors carters": ["visits and carts yesterday by city", "traffic, carts yesterday"],
    "buyers": [
        "昨天有幾組客人結帳", "昨天会员出手的有几位", "流失的会员里昨天有人回来买吗", "did anyone buy yesterday",
        "老板问昨天到底有多少会员真的付了钱而不是光逛", "how many members converted yesterday",
    ],
    "paid_amount": [
        "昨儿进账几个w", "昨天谁更舍得花", "哪座城昨天最能买", "did shanghai outsell beijing yesterday", "top line yesterday",
        "what did we gross yesterday", "会员和粉丝昨天谁花得多", "昨天哪个等级的会员花得最凶",
        "昨天会员捞了多少", "昨天爆单没 卖了多少", "yesterday的sales", "昨天的revenue多少",
    ],
    "aov": [
        "昨天每个买的人摊下来多少钱", "昨天均摊到每个人头上多少钱", "yesterday's basket size for fans",
        "average ticket yesterday",
    ],
    "buyers aov": ["昨天几个人买的 人均又花多少"],
    "visitors buyers aov": ["昨天老客uv/买家/客单"],
    "refund_rate": [
        "哪款退得最狠，最近三天", "昨天退钱退了几个点", "昨天退的钱占卖的几成", "were refunds bad yesterday",
        "refunds bad yesterday?",
        "return rate by category last week", "are returns getting worse, last week by day", "昨天退货是不是有点多",
    ],
    "coupon_redeem_rate": [
        "券领了之后真用掉的有几成，上周", "上礼拜领的券 用掉的占多少", "上周发的券多少人用了",
        "coupons used vs claimed last week",
        "coupon uptake last week", "usage of our vouchers last week",
    ],
    "visit_pay_rate": [
        "昨天进来十个人有几个买的", "昨天来了的会员里下单的比例", "看到付的转化昨天多少",
        "昨天的提袋率", "visit to order rate yesterday",
        "how many of the people who came to the shop yesterday actually ended up paying",
    ],
    "visit_cart_rate": ["昨天来的一百个人里几个加购", "how many of the visitors carted yesterday"],
    "cart_pay_rate": [
        "进了购物车的人最后付钱的比例 昨天", "cart-to-purchase rate yesterday",
        "昨天老客加购的不少但是最后付款的没几个，加购到付款的转化到底是多少",
    ],
    "visit_rate": ["会员来逛的比例比同行强吗", "what % of fans visited yesterday"],
    "visit_deposit_rate": ["昨天进店的里面下定金的多少", "昨天进店下定率"],
    "deposit_balance_rate": ["of those who put down a deposit, how many settled the balance", "定金付了的最后几成把尾款交了"],
    "repurchase_rate": ["% of old customers who came back to buy in wave 1", "老客上周又回来买的比例"],
    "conversion_rate": ["members who paid out of the whole crowd yesterday, rate"],
    "amount_share": ["会员GMV占比昨天", "老客昨天的销售贡献率", "old customers' sales as a % of total, yesterday"],
    "presale_paid_amount": ["昨天预售回款多少", "昨天尾款收进来多少钱"],
    "new_members": ["new sign-ups to the membership this week", "how many signed up yesterday", "昨天有没有人入会"],
    "touch_roi": ["上周群发花的钱值不值，投产多少", "did the blast pay off last week", "短信上周划算吗"],
    "touch_delivery_rate": ["昨天短信有多少没送到"],
    "touch_click_rate": ["昨天簡訊的點閱率", "昨天短信的开封率"],
    "touch_sent touch_delivery_rate": ["昨天发出去多少条，送达率咋样"],
    "active_fans_only": ["排除会员的活跃粉丝还有多少"],
    "active_members active_member_buyers": ["昨天活跃会员数和成交的活跃会员数"],
    "rv_total rv_active": ["rv一共多少人 活跃的多少"],
}  # fmt: skip

CROWDS = {
    "cart_unpaid and member": [
        "member里cart了没pay的几个", "丟購物車沒結帳的會員有多少",
        "how many members in Hangzhou have something in their basket but no order",
    ],
    "coupon_unredeemed": [
        "昨晚薅完券就跑的有几个", "有coupon没redeem的有几个", "members w/ unused coupons, how many",
        "members with coupons but no purchase",
        "领券没用、人在上海的会员有多少",
    ],
    "deposit_unpaid": ["预售的加了车定金没付的有几位", "加了购但是定金一直没交的有几个", "预售款加了购物车可是没下定的有几个"],
    "balance_due": ["付完定金装死的有几个", "尾款没跟上的有多少", "deposit payers who ghosted us on the balance"],
    "last_push": ["快付了就卡在最后一步的有几个", "卡在付款那一步的有多少", "只差付款的有几个",
        "people stuck at the payment page, how many"],
    "high_potential": [
        "这次大促还没买、最近又老来逛的人有多少", "天天来逛就是不下单的有多少", "这波还没出手但老在看的客人有多少",
        "最近老来看店但618还没下单的有几个",
    ],
    "dormant_vip": ["以前买得多、半年没下单的好客人有多少", "从前花得多最近不买的老客有多少"],
    "member_hesitating": ["观望着没下手的会员有多少", "会员里头一直在犹豫没下单的有多少"],
    "prechurn_high": ["要跑掉的高频会员有几个"],
    "new_member": ["入会还没满一个月的会员有几个", "入会不到两周的会员有几个"],
    "challenge_open": ["挑战半路掉队的有几个"],
    "member_dormant_intent": ["沉睡会员里最近又冒头的有多少"],
    "fan and not member": ["关注了店但没入会的有几个"],
    "cart_fav_unpaid": ["how many customers saved an item but never ordered"],
    "member and not group_member": ["没加群的会员有多少"],
    "trial": ["买了小样没买正装的会员有多少"],
    "presale_history": ["老预售客户有几个"],
    "member and new": ["new customers that joined as members, how many"],
    "not wave_buyers and old": ["本波还没买的老客有多少"],
}  # fmt: skip

FILTERS = [
    ("30天内买过的、人在杭州的会员，圈一下有多少", ["member"], ["city:杭州", "last_paid_within:30"]),
    ("近三个月下过单、家在北京的粉丝有多少", ["fan"], ["city:北京", "last_paid_within:90"]),
    ("消费满1k的会员有多少", ["member"], ["min_amount:1000"]),
    ("花了2w以上的老客有几个", ["old"], ["min_amount:20000"]),
    ("一年花了不到三百块的新会员几个", ["new_member"], ["max_amount:300"]),
    ("加了购一直晾着的上海老客多少", ["cart_unpaid and old"], ["city:上海"]),
    ("半年没下单的老客有多少", ["old"], ["not last_paid_within:180"]),
]

WRITTEN_OUT = [
    ("members w/ coupons", "members with coupons"),
    ("members w/o orders", "members without orders"),
    ("msgs to ppl", "messages to people"),
    ("member里cart了没pay的几个", "会员里加购了没付款的几个"),
    ("昨天member visited多少", "昨天会员进店多少"),
    ("昨天fans的aov", "昨天粉丝的客单价"),
    ("fans里add to cart的", "粉丝里加购的"),
]

AS_WRITTEN = [
    "vip member有多少",
    "昨天cart rate多少",
    "push效果",
    "how many members",
    "add-on的卖了多少",
    "e.g. w.e.",
    "paypal的买家",
]

NO_METRIC = [
    "投产日期怎么写", "怎么让领了券的人都用掉", "新客老看不到券怎么办", "did the campaign start", "what did you say",
    "退换货政策是什么", "how good is the playbook for members", "有人气的款是哪些", "好的会员怎么做",
]  # fmt: skip

NO_CROWD = [
    "visits and carts by city yesterday", "购物车在哪看", "天天特卖活动怎么报名", "关注有礼怎么设置", "昨天进了购物车的人数",
    "上周领的券用掉的占多少", "昨天有人付定金吗",
]  # fmt: skip


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


def normal(crowds: list[str]) -> list[str]:
    return [" and ".join(sorted(c.split(" and "))) for c in crowds if c != "all"]


@pytest.mark.parametrize(("keys", "text"), [(keys, text) for keys, texts in METRICS.items() for text in texts])
def test_what_is_counted(lexicon: Lexicon, keys: str, text: str) -> None:
    found = understand(lexicon, text)
    assert found.clarify is None
    assert sorted(found.interpretation.metrics) == sorted(keys.split())


@pytest.mark.parametrize(("crowd", "text"), [(crowd, text) for crowd, texts in CROWDS.items() for text in texts])
def test_whom_it_is_about(lexicon: Lexicon, crowd: str, text: str) -> None:
    found = understand(lexicon, text)
    assert found.clarify is None
    assert normal(found.interpretation.crowds) == [crowd]


@pytest.mark.parametrize(("text", "crowds", "filters"), FILTERS)
def test_conditions_beside_crowds(lexicon: Lexicon, text: str, crowds: list[str], filters: list[str]) -> None:
    found = understand(lexicon, text)
    assert found.clarify is None
    assert normal(found.interpretation.crowds) == crowds
    assert sorted(f.replace('"', "") for f in found.interpretation.filters) == filters


@pytest.mark.parametrize(("text", "written"), WRITTEN_OUT)
def test_hurried_and_mixed_words_are_written_out(text: str, written: str) -> None:
    assert written_out(text) == written


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_other_words_stay_as_they_are_written(text: str) -> None:
    assert written_out(text) == text


@pytest.mark.parametrize("text", NO_METRIC)
def test_what_counts_nothing(lexicon: Lexicon, text: str) -> None:
    found = understand(lexicon, text)
    assert found.interpretation.intent != "metric"
    assert [m for m in found.interpretation.metrics if m != "crowd_size"] == []


@pytest.mark.parametrize("text", NO_CROWD)
def test_what_names_nobody(lexicon: Lexicon, text: str) -> None:
    assert normal(understand(lexicon, text).interpretation.crowds) == []


def test_what_stands_in_the_way_of_a_slip_is_not_changed(lexicon: Lexicon) -> None:
    found = understand(lexicon, "昨天会圆买丹的人数").interpretation
    assert (found.crowds, found.metrics) == (["member"], ["buyers"])


def test_a_word_boundary_stands_between_letters_and_chinese() -> None:
    """`\\b` takes a Chinese character for a part of the word before it, unless the pattern is of ASCII alone."""
    modules = [
        importlib.import_module(f"bot.understanding.{m.name}") for m in pkgutil.iter_modules(understanding.__path__)
    ]
    patterns = [(m.__name__, name, p) for m in modules for name, p in vars(m).items() if isinstance(p, re.Pattern)]
    assert len(patterns) > 100
    bounded = [(m, name) for m, name, p in patterns if "\\b" in str(p.pattern) and not p.flags & re.A]
    assert bounded == []
