"""Drafts of touch messages: every one passes its own check, says nothing without a source, and goes to the right people."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from bot import grounding, writer
from bot.answer import Answer, Interpretation
from bot.conversation import Question, answer, forget
from bot.wiring import WarRoom
from knowledge import catalog
from knowledge.catalog import CatalogError, Channel
from knowledge.copy_templates import FORM_OF, Moment, copy_file, load, purpose_for
from tests.shops import load as load_engine
from tests.shops import own
from tools import compliance
from tools.context import Context
from tools.copy_text import framed, sentences, shorter_and_shorter
from tools.copywriting import draft
from tools.errors import AskAgain
from tools.facts import FactSheet, ToolResult
from tools.offers import offer_of

CHANNELS: tuple[Channel, ...] = get_args(Channel)
MOMENTS: dict[Moment, tuple[str, ...]] = {
    "prepare": ("2025-09-15 10:00",),
    "pool": ("2025-05-10 10:00", "2025-10-12 15:00"),
    "presale": ("2025-05-26 10:00", "2025-10-27 10:00"),
    "preheat": ("2025-05-30 10:00", "2025-11-06 10:00"),
    "sale": ("2025-06-02 10:00", "2026-06-17 10:00", "2025-11-02 10:00"),
    "last_day": ("2025-06-03 10:00", "2025-06-20 18:00", "2025-11-11 14:00"),
    "review": ("2025-06-25 10:00", "2025-11-20 10:00"),
    "outside": ("2026-03-01 10:00",),
}
PAY = re.compile(r"付款|结算|下单|支付|拍下|清空|付尾款|买单")
DEPOSIT = re.compile(r"付定金|付了定金")


@pytest.fixture(scope="module")
def room(demo_root: Path) -> Iterator[WarRoom]:
    with WarRoom(demo_root) as opened:
        yield opened


def at(room: WarRoom, moment: str = "2026-06-17 10:00", lang: str = "zh") -> Context:
    return room.context(datetime.fromisoformat(moment), lang)


def as_answer(result: ToolResult, lang: str = "zh") -> Answer:
    what = Interpretation(intent="draft")
    text = writer.write(result.model_dump(), what, lang)
    return Answer(text=text, lang="zh", interpretation=what, facts=result.facts, drafts=result.drafts)


def faults(result: ToolResult, moment: Moment) -> list[str]:
    """Everything that is wrong with the drafts of one result."""
    found = [f"untraced {p.span}" for p in grounding.problems(as_answer(result), "")]
    in_window = result.data["purpose"] == "balance"
    for d in result.drafts:
        if d.verdict.verdict != "pass":
            found.append(f"{d.verdict.verdict}: {d.text}")
        if d.units != len(d.text.encode("utf-16-le")) // 2:
            found.append(f"units {d.units}: {d.text}")
        sms = d.channel in ("sms", "card_sms")
        if d.segments != (1 if not sms or d.units <= 70 else -(-d.units // 67)):
            found.append(f"segments {d.segments}")
        if sms and not (d.text.startswith("【花漾】") and d.text.endswith(" 拒收请回复R") and d.units <= 70):
            found.append(f"frame or length: {d.text}")
        if moment not in ("sale", "last_day") and not in_window and PAY.search(d.text):
            found.append(f"asks for payment: {d.text}")
        if moment != "presale" and DEPOSIT.search(d.text):
            found.append(f"asks for a deposit: {d.text}")
        if "{" in d.text or "，，" in d.text or "。。" in d.text or "  " in d.text:
            found.append(f"not put together: {d.text}")
    return found


def test_every_channel_crowd_and_phase_gives_drafts_that_pass(room: WarRoom) -> None:
    """All crowds × all moments, each with two channels in turn."""
    wrong: list[str] = []
    written: set[tuple[str, str]] = set()
    moments = [(m, text) for m, texts in MOMENTS.items() for text in texts]
    turns = itertools.cycle(CHANNELS)
    for crowd, (moment, text) in itertools.product(catalog.crowds(), moments):
        for channel in itertools.islice(turns, 2):
            result = draft(at(room, text), channel, crowd)
            written |= {(crowd, channel) for _ in result.drafts}
            assert result.drafts or result.data["head"]
            wrong += [f"{channel} {crowd} {text} {result.data['purpose']}: {f}" for f in faults(result, moment)]
    assert wrong == []
    missing = set(itertools.product(catalog.crowds(), CHANNELS)) - written
    assert {crowd for crowd, _ in missing} <= {"sms_opted_out", "churned"}, (
        missing
    )  # hardly anything is written for them


def test_every_sentence_of_the_file_passes_with_all_data_and_with_none(room: WarRoom) -> None:
    """The full product of purpose, channel and angle, without a crowd: with all slots, with the campaign's name, with none."""
    usual, last_day = (offer_of(at(room, f"2026-06-{day} 10:00"), "送小样") for day in (17, 20))
    full = {
        "event": "618大促", "wave": "618大促", "end": "6 月 20 日 24 点", "start": "6 月 16 日 0 点", "hero": "轻盈水感防晒乳",
        "hero_price": "114 元", "hero_in_stock": "轻盈水感防晒乳", "carted": "海风防晒喷雾", "carted_price": "83 元",
        "carted_in_stock": "海风防晒喷雾", "presale_item": "燕麦舒缓身体乳", "deposit": "20 元",
        "deposit_end": "6 月 20 日 24 点", "balance_start": "6 月 16 日 0 点", "balance_end": "6 月 20 日 24 点",
        "own_coupon": "卡包里的满 129 减 10 券", "coupon_end": "6 月 20 日", "any_coupon": "卡包里还有没用的券",
        "some_coupon": "满 129 减 10 券", "some_coupon_end": "6 月 20 日", "member_day": "6 月 16 日", "benefit": "送小样",
    }  # fmt: skip
    checked = 0
    for key, purpose in copy_file().purposes.items():
        outside = "outside" in purpose.moments
        for channel in CHANNELS:
            for angle in getattr(purpose.forms, FORM_OF[channel]):
                for values in (full, {"event": "618大促", "wave": "618大促"}, *([{}] if outside else [])):
                    for step in shorter_and_shorter(sentences(angle, purpose, channel, values), values):
                        text = framed(step, channel, signature="花漾", opt_out="拒收请回复R", link=None)
                        offer = last_day if purpose.moments == ["last_day"] else usual
                        verdict = compliance.check(channel, text, offer=offer)
                        place = f"{key} {channel} {angle.name.zh}: {text}"
                        assert step, place
                        assert verdict.verdict == "pass", (place, verdict.findings)
                        checked += 1
    assert checked > 1500


@pytest.mark.parametrize("text", ["2026-06-04 10:00", "2026-06-17 10:00", "2026-06-25 10:00", "2026-08-01 10:00"])
@pytest.mark.parametrize("channel", CHANNELS)
def test_who_missed_the_balance_is_told_so_and_not_greeted_as_somebody_who_found_nothing(
    room: WarRoom, text: str, channel: Channel
) -> None:
    result = draft(at(room, text), channel, "balance_due", purpose="balance")
    assert result.data["purpose"] == "balance_missed"
    for d in result.drafts:
        assert "尾款时间" in d.text
        assert "没挑到" not in d.text
        assert not PAY.search(d.text)


def test_unpaid_crowds_are_asked_to_pay_only_when_they_can() -> None:
    """Domain 1: what is written for un-paid people in each phase, and nothing else."""
    for crowd in ("cart_unpaid", "cart_fav_unpaid", "last_push"):
        chosen = {m: purpose_for([crowd], [m]) for m in get_args(Moment) if not m.startswith("balance")}
        assert chosen == {
            "prepare": "carted", "pool": "carted", "presale": "deposit", "preheat": "announce", "sale": "pay",
            "last_day": "last_hours", "review": "greet", "outside": "greet",
        }  # fmt: skip
    assert purpose_for(["balance_due"], ["balance", "sale"]) == "balance"
    assert purpose_for(["balance_due"], ["sale"]) == "greet"
    assert purpose_for(["balance_due"], ["balance_over", "sale"]) == "balance_missed"
    assert purpose_for(["member", "cart_unpaid"], ["sale"]) == "pay", "the un-paid part of an expression decides"
    for crowd in [*catalog.crowds(), "none of these"]:
        for moment in get_args(Moment):
            key = purpose_for([crowd], [moment, "sale"] if moment.startswith("balance") else [moment])
            purpose = copy_file().purposes[key]
            assert moment.startswith("balance") or moment in purpose.moments


HAND = """
WITH wave_cart AS (SELECT user_id, min(ts) AS first FROM events
  WHERE kind = 'cart' AND ts >= '2026-06-04' AND ts <= '{at}' GROUP BY 1),
crowd AS (SELECT user_id FROM wave_cart w WHERE NOT EXISTS
  (SELECT 1 FROM orders o WHERE o.user_id = w.user_id AND o.paid_at >= w.first AND o.paid_at <= '{at}'))
SELECT c.user_id,
  c.user_id IN (SELECT user_id FROM orders WHERE paid_at >= '2026-06-04' AND paid_at <= '{at}') AS paid,
  coalesce(k.sms_opt_out = 1, false) AS opted_out,
  coalesce(trim(k.phone), '') = '' AS no_phone,
  coalesce(k.in_exclusive_service, 0) <> 1 AS not_in_service,
  coalesce(k.in_group, 0) <> 1 AS not_in_group,
  c.user_id IN (SELECT user_id FROM touches WHERE sent_at >= TIMESTAMP '{at}' - INTERVAL 72 HOUR AND sent_at <= '{at}') AS touched
FROM crowd c LEFT JOIN customers k USING (user_id)
"""


@pytest.mark.parametrize(
    ("channel", "steps"),
    [
        ("sms", ["paid", "opted_out", "no_phone", "touched"]),
        ("exclusive_service", ["paid", "not_in_service", "touched"]),
        ("group", ["not_in_group"]),
        ("push", ["paid", "touched"]),
        ("live", []),
    ],
)
def test_who_is_left_out_equals_sql_written_by_hand(room: WarRoom, channel: str, steps: list[str]) -> None:
    moment = "2026-06-17 10:00:00"
    cursor = own(room.engine).raw.execute(HAND.format(at=moment))
    names = [c[0] for c in cursor.description]
    people = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert len(people) > 1000
    result = draft(at(room), channel, "cart_unpaid")
    expected = {}
    left = people
    for step in steps:
        expected[step] = sum(bool(p[step]) for p in left)
        left = [p for p in left if not p[step]]
    by_id = {f.id: f.value for f in result.facts}
    assert {r["reason"]: by_id[r["fact"]] for r in result.data["removed"]} == {k: n for k, n in expected.items() if n}
    send = next(f for f in result.facts if f.display == result.data["send"] and f.label == "会发给的人数")
    assert send.value == len(left)


@pytest.mark.parametrize(
    ("channel", "crowd", "moment"),
    [
        ("sms", "last_push", "2026-06-17 10:00"),
        ("group", "cart_unpaid and member", "2026-06-03 10:00"),
        ("exclusive_service", "balance_due", "2026-06-02 10:00"),
        ("sms", "cart_unpaid", "2026-05-26 10:00"),
        ("ai_call", "coupon_unredeemed", "2026-06-17 10:00"),
    ],
)
def test_the_query_of_every_fact_gives_its_value(room: WarRoom, channel: str, crowd: str, moment: str) -> None:
    result = draft(at(room, moment), channel, crowd, variants=3)
    assert result.drafts
    for fact in result.facts:
        value: Any = own(room.engine).raw.execute(fact.query).fetchall()[0]
        got = value[0]
        if fact.unit == "date":
            assert got.strftime("%Y-%m-%d %H:%M") == fact.value, fact.label
        elif isinstance(fact.value, str):
            assert got == fact.value, fact.label
        else:
            assert float(got) == pytest.approx(fact.value), fact.label


def test_who_owes_a_balance_gets_the_balance_reminder_and_no_discount(room: WarRoom) -> None:
    inside = draft(at(room, "2026-06-02 10:00"), "sms", "balance_due", benefit="再减20")
    assert inside.data["purpose"] == "balance"
    assert inside.drafts
    assert not any("减" in d.text for d in inside.drafts)
    assert any("再减20" in n for n in inside.data["notes"])
    gift = draft(at(room, "2026-06-02 10:00"), "sms", "balance_due", benefit="送小样")
    assert all("送小样" in d.text for d in gift.drafts)
    pushed = draft(at(room, "2026-06-02 10:00"), "sms", "balance_due", purpose="pay")
    assert pushed.data["purpose"] == "balance"
    reminded = draft(at(room, "2026-06-02 10:00"), "sms", "cart_unpaid")
    assert "owing" in {r["reason"] for r in reminded.data["removed"]}
    over = draft(at(room, "2026-06-17 10:00"), "sms", "cart_unpaid")
    assert "owing" not in {r["reason"] for r in over.data["removed"]}, "it can be paid no more"


def test_a_payment_reminder_before_sales_open_becomes_what_fits(room: WarRoom) -> None:
    result = draft(at(room, "2026-05-30 10:00"), "sms", "cart_unpaid", purpose="催付")
    assert result.data["purpose"] == "announce"
    assert any("还不能发" in n for n in result.data["notes"])
    assert not any(PAY.search(d.text) for d in result.drafts)


def test_a_benefit_that_the_data_contradicts_gives_no_draft(room: WarRoom) -> None:
    result = draft(at(room), "sms", "cart_unpaid", benefit="满129减50")
    assert result.drafts == []
    text = as_answer(result).text
    assert "满129减50" in text
    assert "10" in text, "what the data says"
    assert grounding.problems(as_answer(result), "") == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_the_request_gives_stands_in_every_variant(room: WarRoom, channel: Channel) -> None:
    for benefit in ("满300减50", "送小样", "双倍积分"):
        result = draft(at(room), channel, "cart_unpaid", benefit=benefit, variants=3)
        assert len(result.drafts) == 3, (benefit, result.data)
        assert all(benefit in d.text for d in result.drafts)
        assert faults(result, "sale") == []


def test_an_english_benefit_reads_chinese(room: WarRoom) -> None:
    result = draft(at(room, lang="en"), "sms", "cart_unpaid", benefit="50 off orders over 300")
    assert all("满 300 减 50" in d.text for d in result.drafts)
    assert grounding.problems(as_answer(result, "en"), "") == []


def test_nobody_there_and_nobody_left(room: WarRoom) -> None:
    empty = draft(at(room), "sms", "member and not member")
    assert (empty.drafts, empty.data["send"]) == ([], "0 人")
    assert "没有人" in empty.data["head"]
    refused = draft(at(room), "sms", "sms_opted_out")
    assert refused.drafts == []
    assert "退订" in refused.data["head"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"channel": "fax"}, "unknown_channel"),
        ({"purpose": "beg"}, "unknown_purpose"),
        ({"crowd": "nobody_knows"}, "unknown_crowd"),
        ({"variants": 0}, "bad_variants"),
        ({"variants": 99}, "bad_variants"),
        ({"benefit": "送" * 80}, "benefit_too_long"),
        ({"style": ["loud"]}, "unknown_style"),
    ],
)
def test_what_cannot_be_read_is_asked_again(room: WarRoom, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(AskAgain) as e:
        draft(at(room), **arguments)
    assert e.value.code == code
    assert e.value.message("zh") != e.value.message("en")


def test_styles_change_the_text(room: WarRoom) -> None:
    def units(style: list[str], channel: str = "sms") -> list[int]:
        return [d.units for d in draft(at(room), channel, "cart_unpaid", style=style).drafts]

    plain, once, twice = units([]), units(["shorter"]), units(["shorter", "shorter"])
    assert all(a > b for a, b in zip(plain, once, strict=True))
    assert all(a >= b for a, b in zip(once, twice, strict=True))
    ends = draft(at(room), "sms", "cart_unpaid", style=["shorter"] * 9)
    assert any("最短" in n for n in ends.data["notes"])
    with_emoji, without = (draft(at(room), "group", "cart_unpaid", style=s).drafts[0].text for s in ([], ["no_emoji"]))
    assert with_emoji == f"🎁 {without}"
    first = draft(at(room), "group", "cart_unpaid")
    other = draft(at(room), "group", "cart_unpaid", style=["other_angle"])
    assert not {d.text for d in first.drafts} & {d.text for d in other.drafts}


def test_the_shops_own_link_and_way_to_refuse(room: WarRoom) -> None:
    ctx = at(room)
    ctx = replace(ctx, shop=replace(ctx.shop, link="c.tb.cn/a7", opt_out="退订回T", signature="3号店"))
    result = draft(ctx, "sms", "cart_unpaid")
    for d in result.drafts:
        assert d.text.startswith("【3号店】")
        assert d.text.endswith(" c.tb.cn/a7 退订回T")
        assert d.verdict.verdict == "pass"
        assert d.units <= 70
    assert grounding.problems(as_answer(result), "") == []
    assert "c.tb.cn" not in draft(ctx, "group", "cart_unpaid").drafts[0].text


def small_shop(tmp_path: Path, room: WarRoom, title: str, people: int) -> Context:
    """A shop in which `people` carted one item on the first day of the 618 sale."""
    tmp_path.mkdir(exist_ok=True)
    users = [f"u{i:02}" for i in range(people)]
    engine = load_engine(
        tmp_path / "data.duckdb",
        {
            "customers": [{"user_id": u, "phone": "19900000000", "sms_opt_out": 0} for u in users],
            "events": [
                {"user_id": u, "ts": datetime(2026, 6, 16, 9), "kind": "cart", "item_id": "i1", "quantity": 1}
                for u in users
            ],
            "items": [
                {"item_id": "i1", "title": title, "list_price": 200, "promo_price": 150, "is_hero": 1, "stock": 50}
            ],
        },
    )
    moment = datetime(2026, 6, 17, 10)
    return replace(
        room.context(moment, "zh"), open_engine=lambda: engine, sheet=FactSheet(moment, "zh", room.shop.currency)
    )


def test_titles_are_named_as_they_are_and_fill_no_slot(tmp_path: Path, room: WarRoom) -> None:
    lawful = draft(small_shop(tmp_path / "a", room, "云雾面霜", 30), "sms", "cart_unpaid", variants=3)
    assert any("云雾面霜" in d.text and "150 元" in d.text for d in lawful.drafts)
    odd = draft(small_shop(tmp_path / "b", room, "面霜{end}<b>", 30), "push", "cart_unpaid", variants=3)
    assert len(odd.drafts) == 3
    assert all(d.verdict.verdict == "pass" for d in odd.drafts)
    assert not any("面霜6" in d.text or "面霜 6" in d.text for d in odd.drafts)
    endless = draft(small_shop(tmp_path / "c", room, "轻" * 120, 30), "sms", "cart_unpaid", variants=3)
    assert [d.segments for d in endless.drafts] == [1, 1, 1]


def test_what_is_written_for_several_crowds_fits_all_of_them(room: WarRoom) -> None:
    def purpose(crowd: str) -> str:
        return str(draft(at(room), "push", crowd).data["purpose"])

    assert purpose("cart_unpaid and member") == "pay"
    assert purpose("member and not cart_unpaid") == "general"
    assert purpose("cart_unpaid or last_push") == "pay"
    assert purpose("cart_unpaid or member") == "general", "members who carted nothing have nothing waiting"
    assert purpose('cart_unpaid and city:"上海"') == "pay"


def test_a_shop_without_any_campaign_writes_greetings_and_seeding(room: WarRoom) -> None:
    ctx = at(room)
    ctx = replace(ctx, shop=replace(ctx.shop, campaigns=()))
    for crowd in ("member", "fan", "member_bought"):
        result = draft(ctx, "sms", crowd)
        assert result.data["purpose"] in ("seed", "care")
        assert len(result.drafts) == 2
        assert faults(result, "outside") == []
    with pytest.raises(AskAgain):
        draft(ctx, "sms", "cart_unpaid")  # there is no wave to have carted in


def test_few_carts_are_not_many_people(tmp_path: Path, room: WarRoom) -> None:
    few = draft(small_shop(tmp_path, room, "云雾面霜", 3), "sms", "cart_unpaid", variants=3)
    assert few.drafts
    assert not any("很多人" in d.text for d in few.drafts)


def test_a_coupon_is_promised_only_to_those_who_hold_it(tmp_path: Path, room: WarRoom) -> None:
    ctx = small_shop(tmp_path, room, "云雾面霜", 20)

    def give(first: int, last: int) -> None:
        for i in range(first, last):
            own(ctx.engine).raw.execute(
                "INSERT INTO coupons (coupon_id, user_id, claimed_at, valid_from, valid_to, threshold, value) "
                "VALUES (?, ?, '2026-06-16', '2026-06-16', '2026-06-20 23:59:59', 199, 25)",
                [f"c{i}", f"u{i:02}"],
            )
        ctx.engine._results.clear()

    def texts() -> str:
        fresh = replace(ctx, sheet=FactSheet(ctx.at, "zh", "CNY"))
        return "\n".join(d.text for d in draft(fresh, "sms", "cart_unpaid", variants=3, style=["longer"]).drafts)

    give(0, 5)
    assert "券" not in texts(), "a quarter of them"
    give(5, 15)
    assert "有满 199 减 25 券的" in texts()
    assert "卡包里的" not in texts()
    give(15, 20)
    assert "卡包里的满 199 减 25 券" in texts()


def test_a_slip_in_the_file_is_refused_with_the_nearest() -> None:
    raw = catalog.read_yaml(catalog.HERE / "copy.yaml")
    for change, message in (
        (("choose", "cart_unpaid", "sale", "pya"), "no purpose 'pya'; did you mean 'pay'?"),
        (("choose", "cart_unpaid", "pool", "pay"), "'pay' is not for this moment"),
        (("main_crowd", "sale", "cart_unpayd"), "did you mean 'cart_unpaid'?"),
        (("purposes", "pay", "nmae", 1), "unknown key 'nmae'; did you mean 'name'?"),
        (("purposes", "pay", "forms", "short", 0, "parts", 0, "say", "{itme}"), "no slot 'itme'"),
    ):
        import copy

        broken = copy.deepcopy(raw)
        place = broken
        for key in change[:-2]:
            place = place[key]
        place[change[-2]] = change[-1]
        with pytest.raises(CatalogError, match=re.escape(message)):
            load(broken)


def test_follow_ups_change_the_last_draft(room: WarRoom) -> None:
    session = "drafts"
    forget(room, session)

    def ask(text: str) -> Answer:
        got = answer(room, Question(text, session=session))
        assert got.degraded is None, (text, got.degraded)
        assert got.interpretation.unused == [], (text, got.interpretation.unused)
        return got

    first = ask("给临门一脚人群写条短信，送小样")
    assert [d.channel for d in first.drafts] == ["sms", "sms"]
    assert all("送小样" in d.text for d in first.drafts)
    shorter = ask("再短一点")
    assert all(b.units <= a.units for a, b in zip(first.drafts, shorter.drafts, strict=True))
    assert sum(d.units for d in shorter.drafts) < sum(d.units for d in first.drafts)
    group = ask("换成群文案")
    assert {d.channel for d in group.drafts} == {"group"}
    assert group.interpretation.crowds == ["last_push"]
    assert all("送小样" in d.text and d.text.startswith("🎁") for d in group.drafts)
    assert not any("🎁" in d.text for d in ask("不要表情").drafts)
    assert len(ask("写3个版本").drafts) == 3
    members = ask("那会员呢")
    assert members.interpretation.crowds == ["member"]
    assert not any("送小样" in d.text for d in members.drafts), "what one crowd was offered is offered to no other"
    forget(room, session)


def test_a_copy_of_ones_own_is_judged(room: WarRoom) -> None:
    bad = answer(room, Question("帮我看看这条短信行不行：【花漾】全网最低价，满129减99 拒收请回复R"))
    assert bad.interpretation.intent == "check"
    assert bad.interpretation.channel == "sms"
    assert "不能这样发" in bad.text
    assert "「全网最低价」" in bad.text
    assert "《广告法》" in bad.text
    assert bad.degraded is None
    good = answer(room, Question("is this SMS OK: 【花漾】您看中的宝贝还在 拒收请回复R"))
    assert "can be sent" in good.text
    assert good.degraded is None
    missing = answer(room, Question("检查一下文案"))
    assert "冒号" in missing.text


@pytest.mark.parametrize("channel", CHANNELS)
def test_without_prices_no_text_tells_what_anything_costs(room: WarRoom, channel: str) -> None:
    for crowd in ("cart_unpaid", "balance_due", "dormant_vip", "member"):
        for moment in ("2026-05-25 10:00", "2026-06-17 10:00"):
            with_price = draft(at(room, moment), channel, crowd, variants=3)
            without = draft(at(room, moment), channel, crowd, variants=3, style=["no_price"])
            assert bool(with_price.drafts) == bool(without.drafts)
            assert not any(re.search(r"\d+(?:\.\d+)? 元(?!以上)", d.text) for d in without.drafts), without.drafts


@pytest.mark.parametrize(
    ("benefit", "told"), [("满300减40", True), ("送小样", True), ("满129减10", False), (None, False)]
)
def test_what_only_the_request_offers_is_told(demo: WarRoom, benefit: str | None, told: bool) -> None:
    question = f"给加购未付款的人写条短信，{benefit}" if benefit else "给加购未付款的人写条短信"
    found = answer(demo, Question(question, as_of=datetime(2026, 6, 17, 10)))
    assert found.drafts
    assert ("店铺数据里没有这一项" in found.text) is told
    assert found.degraded is None
