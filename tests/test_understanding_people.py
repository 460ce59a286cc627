"""Crowds as ops people describe them, at once and apart, left out, filtered; words that look like people and are none."""

from __future__ import annotations

import pytest

from bot.understanding.lexicon import Lexicon, lexicon_for
from tests.test_understanding import CAMPAIGNS, VALUES, understand

DESCRIBED = {
    "cart_unpaid": [
        "车里堆了一堆货就是不掏钱的有多少", "加购完到现在还没下单的", "丢进购物车就没下文的人今天怎么办",
        "没结账的加购人群", "购物车吃灰的客户有几位",
        "加了车，但一直没付款的", "弃购的今天怎么追", "東西放進購物車一直沒結帳的客人",
        "people who filled a basket and walked off",
        "folks whose carts are just gathering dust", "shoppers with abandoned checkouts",
        "anyone who carted something but never followed through",
    ],
    "cart_fav_unpaid": [
        "收藏了没下单的今天怎么推", "加购或收藏了却没买的有多少", "收藏夹里躺着没付的", "未付款的收藏客户",
        "people who favourited it but never bought",
    ],
    "balance_due": [
        "下了定后面的钱没交的", "定金付完就没下文的", "还欠着尾款的剩几个", "尾款还没动静的有多少",
        "催尾款今天怎么安排", "拖着尾款不付的那批人",
        "交了订金，尾款一直没补", "people who put down a deposit and still owe the rest", "whose final payment is overdue",
        "customers yet to settle the remaining balance",
    ],
    "deposit_unpaid": ["没交定金的有多少", "预售加了车还没付定金的", "people who have not paid the deposit"],
    "last_push": [
        "就差一步的那批人", "眼看就要下单的人今天给点什么", "差最后一哆嗦的有多少", "shoppers on the brink of buying",
    ],
    "high_potential": ["购买意向很强的客户有多少", "高潜的用户今天怎么打", "our hot leads"],
    "category_interest": ["对主推类目感兴趣的人有多少", "people interested in the hero category"],
    "presale_history": ["往年买过预售的有多少人", "参加过预售的老底子", "previous presale buyers"],
    "gold_intent": ["会充购物金的会员有多少", "likely to top up the shopping credit"],
    "member_dormant_intent": ["好久没买但最近又在逛的会员", "沉睡的高潜会员"],
    "member_hesitating": [
        "举棋不定的会员今天怎么推", "会员里还在纠结的有多少", "犹豫不决的会员", "fence-sitters", "wavering members",
    ],
    "bought_nonmember": ["买了好几单却没入会的", "下过单但还不是会员的有几个", "people who bought but never joined"],
    "nonmember_bought": ["买过东西的非会员", "non-members who have ordered"],
    "nonmember_unbought": ["不是会员也从没买过的", "non-members who never bought anything"],
    "member_unbought": ["入会了一单没下的", "会员里从来没买过东西的有多少", "零单会员", "members with no orders yet"],
    "member_bought": ["买过的会员", "下过单的老会员有多少"],
    "live_member": ["天天蹲直播的会员", "直播间的老面孔", "members who regularly watch our livestreams"],
    "coupon_unredeemed": [
        "手里攥着券不用的今天推不推", "领了券还没核销的有多少", "券捏在手上没花的", "没用券的会员",
        "囤着优惠券不用的人", "有券的会员提醒一下",
        "members hoarding vouchers", "people with coupons they haven't redeemed", "who has yet to use their voucher",
    ],
    "challenge_open": [
        "挑战做到一半的有几个", "报了名的挑战没做完的", "没完成挑战的今天催一下",
        "people with an unfinished challenge",
    ],
    "dormant_vip": [
        "好久没来的老客", "沉睡的大客户", "以前买得多现在不来了的", "lapsed big spenders",
        "our best customers who went quiet",
    ],
    "new_member": ["刚入会没几天的", "新来的会员今天给点什么", "members who just joined", "recently enrolled members"],
    "prechurn_high": ["快流失但以前买得勤的会员", "高回购的要跑掉的会员"],
    "prechurn_low": ["快流失、以前买得少的会员"],
    "churned": ["已经流失的会员有多少", "跑掉的老会员", "members we have lost"],
    "trial": ["只拿过小样的会员", "samples-only buyers"],
    "group_member": ["进了群的人有多少", "people in our chat group"],
    "service_contact": ["加了企微的有多少"],
    "sms_opted_out": ["拒收短信的有多少", "unsubscribed from our texts"],
    "old": ["回头客有多少", "repeat buyers"],
    "new": ["新面孔有多少", "first-time shoppers"],
    "fan": ["关注了店铺的人有多少", "people who follow us"],
    "not member": ["还没入会的人有多少", "people who haven't joined yet", "non-members"],
}  # fmt: skip

TOGETHER = [
    ("加购没付的里面，会员几个", ["cart_unpaid and member"]),
    ("购物车里的老客没付款的多少", ["cart_unpaid and old"]),
    ("同时是会员和粉丝的有多少", ["fan and member"]),
    ("people who are both members and fans", ["fan and member"]),
    ("会员粉丝都是的有几个，既是会员也是粉丝", ["fan and member"]),
    ("粉丝但不是会员的有多少", ["fan and not member"]),
    ("members who follow us but carted and didn't pay", ["cart_unpaid and fan and member"]),
    ("加购没付款的会员和非会员各多少", ["cart_unpaid and member", "cart_unpaid and not member"]),
    ("老客里会员和粉丝分别多少", ["member and old", "fan and old"]),
    ("老客和新客里加购没付款的各多少", ["cart_unpaid and old", "cart_unpaid and new"]),
    ("昨天会员、粉丝各来了多少人", ["member", "fan"]),
    ("new vs old customers yesterday", ["new", "old"]),
    ("除了会员和粉丝还有多少人加购没付款", ["cart_unpaid and not fan and not member"]),
    ("会员以外的加购没付款的多少", ["cart_unpaid and not member"]),
    ("快流失的会员有多少", ["prechurn_high", "prechurn_low"]),
    ("anyone but members", ["not member"]),
]

FILTERED = [
    ("不含上海和杭州的会员有多少", ["not city:上海", "not city:杭州"]),
    ("上海以外的老客昨天的成交金额", ["not city:上海"]),
    ("gmv of Shanghai members yesterday", ["city:上海"]),
    ("un-paid carters based in Beijing", ["city:北京"]),
    ("members outside of nothing but not in Hangzhou", ["not city:杭州"]),
    ("消费过千的会员有多少", ["min_amount:1000"]),
    ("累计花了两千五以上的老客", ["min_amount:2500"]),
    ("消费500到1000之间的会员有多少", ["max_amount:1000", "min_amount:500"]),
    ("members who spent between 500 and 1,000", ["max_amount:1000", "min_amount:500"]),
    ("年消费1万+的老客", ["min_amount:10000"]),
    ("members with a total spend over 2k", ["min_amount:2000"]),
    ("会员里90天内下过单的有几个", ["last_paid_within:90"]),
    ("一个半月没买过东西的粉丝", ["not last_paid_within:45"]),
    ("三个月没露面的会员有多少", ["not last_seen_within:90"]),
    ("有多少老客半年没买了", ["not last_paid_within:180"]),
    ("60天没复购的老客", ["last_paid_before:60"]),
    ("members inactive for 30 days", ["not last_seen_within:30"]),
    ("fans who ordered within the past two weeks", ["last_paid_within:14"]),
    ("old customers with no orders in six months", ["not last_paid_within:180"]),
    ("燕麦屏障面霜昨天卖了多少钱", ["item:燕麦屏障面霜"]),
    ("山茶花那款昨天加购多少人", ["item:山茶花修护精华"]),
    ("洁面类目昨天的成交金额", ["category:洁面"]),
    ("燕麦屏障面霜加了购没买的怎么催", ["item:燕麦屏障面霜"]),
]  # fmt: skip

NO_CROWD = [
    "昨天多少人加购", "昨天付款的有多少人", "加购率为什么不涨", "昨天券核销率", "会员日几号",
    "怎么把粉转成会员价敏感的", "流失率怎么算", "尾款支付人数昨天多少",
    "昨天付尾款的有多少人", "挑战怎么设计", "直播间怎么布置", "购物车功能在哪", "目标完成都多少了", "新人礼怎么设",
    "how do carts work", "coupon redemption rate last week",
    "balances paid yesterday", "定金怎么设", "昨天收藏的人多不多", "昨天下单付款的人",
]  # fmt: skip


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


def normal(crowds: list[str]) -> list[str]:
    return [" and ".join(sorted(c.split(" and "))) for c in crowds]


@pytest.mark.parametrize(("crowd", "text"), [(crowd, text) for crowd, texts in DESCRIBED.items() for text in texts])
def test_a_described_crowd_is_found(lexicon: Lexicon, crowd: str, text: str) -> None:
    found = understand(lexicon, text)
    assert found.clarify is None
    assert found.interpretation.crowds == [crowd]


@pytest.mark.parametrize(("text", "crowds"), TOGETHER)
def test_crowds_at_once_apart_and_left_out(lexicon: Lexicon, text: str, crowds: list[str]) -> None:
    found = understand(lexicon, text)
    assert found.clarify is None
    assert normal(found.interpretation.crowds) == crowds


@pytest.mark.parametrize(("text", "filters"), FILTERED)
def test_filters_in_other_words(lexicon: Lexicon, text: str, filters: list[str]) -> None:
    found = understand(lexicon, text).interpretation
    assert sorted(f.replace('"', "") for f in found.filters) == filters


@pytest.mark.parametrize("text", NO_CROWD)
def test_what_only_looks_like_a_crowd_is_none(lexicon: Lexicon, text: str) -> None:
    found = understand(lexicon, text)
    assert found.interpretation.crowds in ([], ["all"])


def test_the_numbers_of_an_item_are_those_of_its_own_acts_and_else_it_is_said_whose_they_are(lexicon: Lexicon) -> None:
    own = understand(lexicon, "燕麦屏障面霜昨天的成交金额").interpretation
    assert (own.by, own.filters, own.assumed) == ("item", ["item:燕麦屏障面霜"], [])
    by_day = understand(lexicon, "燕麦屏障面霜近7天每天的成交金额").interpretation
    assert (by_day.by, by_day.filters) == ("day", ["item:燕麦屏障面霜"])
    assert by_day.assumed == ["「燕麦屏障面霜」按本波看过、收藏、加购或买过的人算"]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("VIP昨天的成交金额", ["VIP会员", "至尊VIP"]),
        ("没付款的会员有多少", ["加购未付款", "加购收藏未付款", "付定金未付尾款"]),
        ("沉睡会员有多少人", ["高潜未购会员", "优质老客", "流失会员"]),
        ("面霜那款昨天的成交金额", ["云雾保湿面霜", "燕麦屏障面霜"]),
    ],
)
def test_where_readings_differ_it_is_asked_back(lexicon: Lexicon, text: str, options: list[str]) -> None:
    found = understand(lexicon, text)
    assert found.clarify is not None
    assert found.clarify.options == options


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("今天没来的会员有多少", "没来的"),
        ("购物车里放了三天没付的有多少", "三天"),
        ("一线城市的会员有多少", "一线城市"),
    ],
)
def test_what_narrows_and_is_not_understood_is_said(lexicon: Lexicon, text: str, unused: str) -> None:
    assert unused in understand(lexicon, text).interpretation.unused
