"""What a copy may state: the shop's data, the request's words, and nothing else."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from bot.wiring import WarRoom
from tests.shops import own
from tools.claims import number
from tools.compliance import check
from tools.offers import Item, Offer, contradictions, offer_of

CREAM = Item("云雾保湿面霜", 299.0, 276.0, 40.0, 858)
SERUM = Item("白桦精华30ml", 329.0, 238.0, None, 12)
OFFER = Offer(
    signature="花漾",
    at=datetime(2026, 6, 20, 10),
    items=(CREAM, SERUM, Item("样品")),
    coupons=((300.0, 50.0), (199.0, 25.0), (199.0, 30.0)),
    days=frozenset({date(2026, 6, 16), date(2026, 6, 20)}),
    moments=frozenset({0, 20 * 60}),
    deadlines=(datetime(2026, 6, 21), datetime(2026, 6, 30)),
)


def stating(words: str) -> Offer:
    return Offer(**{**{f: getattr(OFFER, f) for f in Offer.__dataclass_fields__}, "stated": words})


def rules(text: str, offer: Offer = OFFER) -> list[str]:
    return [f.rule for f in check("push", text, offer=offer).findings]


@pytest.mark.parametrize(
    "text",
    [
        "云雾保湿面霜活动价276元，日常价299元",
        "云雾保湿面霜 ¥276，白桦精华30ml ¥238",
        "238元带走白桦精华30ml",
        "云雾保湿面霜券后246元",
        "云雾保湿面霜定金40，尾款236元",
        "云雾保湿面霜立省23元",
        "云雾保湿面霜原价299元，现价276元",
        "云雾保湿面霜打9.2折",
        "满300减50，满199减25",
        "满三百减五十元",
        "30元券还在卡包，满199可用",
        "¥50 off orders over ¥300",
        "6月20日24点结束",
        "6.16-6.20，晚8点开播",
        "June 20, 8pm",
        "20号前用券",
        "今天最后一天，还有14小时",
        "今晚截止",
        "白桦精华30ml仅剩12件",
        "白桦精华30ml快抢光了",
        "第2步领券，1对1客服，24小时在线，7天无理由，50ml",
        "618大促，双11预告",
        "专属客服在线时间9:00-21:00，9点到21点在线",
    ],
)
def test_what_the_data_holds_passes(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    ("text", "rule", "rewrite"),
    [
        ("云雾保湿面霜活动价199元", "price_not_in_offer", "活动价276元"),
        ("云雾保湿面霜活动价238元", "price_not_in_offer", "活动价276元"),  # the other item's
        ("云雾保湿面霜原价999元", "price_not_in_offer", "原价299元"),
        ("云雾保湿面霜定金20", "price_not_in_offer", "定金40"),
        ("全场一百元", "price_not_in_offer", None),
        ("现在买再减80元", "price_not_in_offer", None),
        ("满 300 减 100", "coupon_not_in_offer", "满300减50"),
        ("满300元可用100元券", "coupon_not_in_offer", "满300减50"),
        ("满199减100", "coupon_not_in_offer", None),  # two coupons have that threshold
        ("¥100 off orders over ¥300", "coupon_not_in_offer", "¥50 off orders over ¥300"),
        ("满500包邮", "price_not_in_offer", None),
        ("全场8折", "discount_not_in_offer", None),
        ("云雾保湿面霜八五折", "discount_not_in_offer", None),
        ("第二件半价", "discount_not_in_offer", None),
        ("买一送一", "discount_not_in_offer", None),
        ("20% off today", "discount_not_in_offer", None),
        ("6月25日截止", "date_not_in_offer", None),
        ("６月２５日截止", "date_not_in_offer", None),
        ("2025年6月20日结束", "date_not_in_offer", None),
        ("今晚九点开抢", "date_not_in_offer", None),
        ("最后2小时", "deadline_not_in_offer", None),
        ("还有5天", "deadline_not_in_offer", None),
        ("明天截止", "deadline_not_in_offer", None),
        ("云雾保湿面霜仅剩3件", "stock_not_in_offer", "仅剩858件"),
        ("限量100份", "stock_not_in_offer", None),
        ("云雾保湿面霜快抢光了", "false_scarcity", "数量有限"),
        ("送精华小样3支", "gift_not_in_offer", None),
        ("free samples for you", "gift_not_in_offer", None),
        ("前100名下单有礼", "gift_not_in_offer", None),
        ("拍1发3", "gift_not_in_offer", None),
    ],
)
def test_what_the_data_does_not_hold_is_blocked(text: str, rule: str, rewrite: str | None) -> None:
    verdict = check("push", text, offer=OFFER)
    assert verdict.verdict == "block"
    assert [(f.rule, f.rewrite) for f in verdict.findings] == [(rule, rewrite)]
    finding = verdict.findings[0]
    if rewrite:
        fixed = text[: finding.span[0]] + rewrite + text[finding.span[1] :]
        assert rules(fixed) == []


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("全场8折", "给老客全场八折"),
        ("送精华小样3支", "满额送精华小样3支"),
        ("6月25日截止", "写到6月25日为止"),
        ("再减80元", "额外立减80"),
        ("满500减80", "满500减80"),
        ("满500可用", "满500减80"),
        ("今晚九点开抢", "21:00开抢"),
        ("第二件半价", "第二件半价"),
        ("限量100份", "限量100份"),
        ("前100名下单有礼", "前100名有礼"),
        ("最后24小时", "强调最后24小时"),
    ],
)
def test_what_the_request_states_may_be_stated(text: str, stated: str) -> None:
    assert rules(text) != []
    assert rules(text, stating(stated)) == []


@pytest.mark.parametrize(
    ("stated", "item", "known"),
    [
        ("满300减100", None, ("50",)),
        ("满199减50", None, ("25", "30")),
        ("云雾保湿面霜今晚199元", "云雾保湿面霜", ("276", "299")),
        ("云雾保湿面霜只剩3件", "云雾保湿面霜", ("858",)),
    ],
)
def test_what_the_data_contradicts_may_not_be_stated(stated: str, item: str | None, known: tuple[str, ...]) -> None:
    (found,) = contradictions(OFFER, stated)
    assert (found.item, found.known) == (item, known)
    assert found.words in stated
    for lang in ("zh", "en"):
        assert all(k in found.text(lang) for k in known)
        assert found.words in found.text(lang)
    assert rules(stated, stating(stated)) != []


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "满500减80",
        "云雾保湿面霜立减30",
        "6月25日截止",
        "送小样",
        "云雾保湿面霜276元",
        "299元的云雾保湿面霜",
        "轻松写短一点",
    ],
)
def test_what_the_data_does_not_know_contradicts_nothing(stated: str) -> None:
    assert contradictions(OFFER, stated) == []


def test_a_wrong_coupon_in_the_request_does_not_take_the_rest_with_it() -> None:
    offer = stating("满300减100，送精华小样")
    assert rules("送精华小样", offer) == []
    assert rules("满300减100", offer) == ["coupon_not_in_offer"]


def test_the_signature_is_the_shops_own() -> None:
    (finding,) = check("sms", "【别家】券今晚到期 拒收请回复R", offer=OFFER).findings
    assert (finding.rule, finding.rewrite, finding.text) == ("missing_signature", "【花漾】", "【别家】")
    (finding,) = check("sms", "券今晚到期 拒收请回复R", offer=OFFER).findings
    assert (finding.span, finding.rewrite) == ((0, 0), "【花漾】")


def test_a_title_may_hold_what_would_otherwise_be_found() -> None:
    named = Offer(signature="花漾", at=OFFER.at, items=(Item("极品乌龙茶 8折券版 500元礼盒", 99.0),))
    assert rules("极品乌龙茶 8折券版 500元礼盒 到货", named) == []
    assert rules("极品面霜到货", named) == ["absolute_term"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("299", 299), ("1,299.5", 1299.5), ("1.2万", 12000), ("十", 10), ("二十一", 21), ("三百", 300), ("三百五", 350),
     ("三百零五", 305), ("一千二百", 1200), ("两", 2), ("八五", 85), ("一万二千", 12000), ("百", 100)],
)  # fmt: skip
def test_numbers_are_read_in_both_scripts(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "元", "三x"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        number(text)


def test_the_offer_of_a_shop_is_its_tables_and_calendar(demo: WarRoom) -> None:
    ctx = demo.context(datetime(2026, 6, 17, 10), "zh")
    offer = offer_of(ctx, "满259减40")
    run = own(demo.engine).execute
    assert {(i.title, i.promo_price) for i in offer.items} == {
        (t, None if p is None else float(p)) for t, p in run("SELECT title, promo_price FROM items")
    }
    held = [
        (float(t), float(v))
        for t, v, claimed, end, used in run(
            "SELECT threshold, value, claimed_at, valid_to, redeemed_order_id FROM coupons"
        )
        if used is None and claimed <= ctx.at <= end
    ]
    assert set(offer.coupons) == set(held) != set()
    assert offer.signature == "花漾"
    assert {date(2026, 6, 16), date(2026, 6, 20), date(2026, 6, 18)} <= offer.days
    assert date(2026, 11, 11) not in offer.days
    assert datetime(2026, 6, 21) in offer.deadlines
    assert all(d > ctx.at for d in offer.deadlines)
    assert (offer.stated, offer.at) == ("满259减40", ctx.at)


def test_between_campaigns_the_next_one_counts(demo: WarRoom) -> None:
    offer = offer_of(demo.context(datetime(2026, 7, 20, 10), "zh"))
    assert date(2026, 11, 11) in offer.days
    assert date(2026, 6, 20) not in offer.days


def test_a_shop_without_data_states_nothing(demo: WarRoom) -> None:
    empty = Offer(signature="甲", at=datetime(2026, 1, 1))
    assert rules("面霜199元，满300减50，6月20日截止", empty) == [
        "price_not_in_offer",
        "coupon_not_in_offer",
        "date_not_in_offer",
    ]
    assert rules("新品上架，来看看", empty) == []
