"""`calculate`: values against plain arithmetic, units, queries that give the value again, and what is refused."""

from __future__ import annotations

import pytest

from bot import writer
from bot.answer import Interpretation
from bot.wiring import WarRoom
from tests.shops import own
from tools.calculate import calculate
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import Fact
from tools.plans import plan
from tools.reports import metric

DAY = "2026-06-16"


@pytest.fixture
def ctx(demo: WarRoom) -> Context:
    """A context whose sheet holds, in this order: 2 counts, hours, people, CNY, a change … of the flagship plan."""
    opened = demo.context(None, "en")
    plan(opened, "cart_unpaid")
    return opened


def the(ctx: Context, unit: str, nth: int = 0, *, label: str = "") -> Fact:
    return [f for f in ctx.sheet.facts if f.unit == unit and label in f.label][nth]


def again(demo: WarRoom, fact: Fact) -> float:
    return float(own(demo.engine).raw.execute(fact.query).fetchall()[0][0])


def worked_out(ctx: Context, expression: str) -> Fact:
    result = calculate(ctx, expression)
    assert result.kind == "calculated"
    assert ctx.sheet.facts[-1] == result.facts[0]
    return result.facts[0]


def test_values_units_and_queries(demo: WarRoom, ctx: Context) -> None:
    people, members, money = the(ctx, "people"), the(ctx, "people", 1), the(ctx, "CNY")
    rate, before = (the(ctx, "ratio", label=w) for w in ("today", "yesterday by the same time"))
    p, m, c, r, b = (float(f.value or 0) for f in (people, members, money, rate, before))
    a, i, k, x, y = (f.id for f in (people, members, money, rate, before))
    for expression, value, unit in (
        (f"{a} - {i}", p - m, "people"),
        (f"{k} / {a}", c / p, "CNY"),
        (f"ratio({i}, {a})", m / p, "ratio"),
        (f"{i} / {a}", m / p, "ratio"),
        (f"1 - {i} / {a}", 1 - m / p, "ratio"),
        (f"{x} - {y}", r - b, "points"),
        (f"({a} - {i}) / {a}", (p - m) / p, "ratio"),
        (f"percent_change({a}, {i})", p / m - 1, "ratio"),
        (f"{a} / {i} - 1", p / m - 1, "ratio"),
        (f"{a} × {x}", p * r, "people"),
        (f"（{k} ÷ {a}） * {i}", c / p * m, "CNY"),
        (f"{y} + ({x} - {y})", r, "ratio"),
        (f"-{a.upper()} + {a}", 0.0, "people"),
    ):
        fact = worked_out(ctx, expression)
        assert fact.unit == unit, expression
        assert fact.value == pytest.approx(value, rel=1e-12, abs=1e-12), expression
        assert again(demo, fact) == pytest.approx(value, rel=1e-12, abs=1e-12), expression
    assert worked_out(ctx, f"{a} - {i}").display == f"{p - m:,.0f} people"
    assert worked_out(ctx, f"{a} - {i}").crowd == "cart_unpaid"


def test_a_result_may_be_calculated_with(demo: WarRoom, ctx: Context) -> None:
    people, members = the(ctx, "people"), the(ctx, "people", 1)
    rest = worked_out(ctx, f"{people.id} - {members.id}")
    share = worked_out(ctx, f"{rest.id} / {people.id}")
    assert again(demo, share) == share.value


def test_amounts_of_two_days_may_be_added_but_not_their_people(demo: WarRoom) -> None:
    ctx = demo.context(None, "zh")
    metric(ctx, ["paid_amount"], ["all"], "2026-06-15", "2026-06-15")
    metric(ctx, ["paid_amount", "buyers"], ["all"], DAY, DAY)
    metric(ctx, ["buyers"], ["all"], "2026-06-15", "2026-06-15")
    first, second = (f for f in ctx.sheet.facts if f.metric == "paid_amount")
    total = worked_out(ctx, f"{first.id} + {second.id}")
    assert total.value == pytest.approx(float(first.value or 0) + float(second.value or 0))
    assert again(demo, total) == pytest.approx(total.value)
    one, other = (f for f in ctx.sheet.facts if f.metric == "buyers")
    with pytest.raises(AskAgain) as e:
        calculate(ctx, f"{one.id} + {other.id}")
    assert e.value.code == "calculate_twice"
    change = worked_out(ctx, f"percent_change({one.id}, {other.id})")
    assert change.label.startswith("变化：")
    assert change.value == pytest.approx(float(one.value or 0) / float(other.value or 1) - 1)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("", "calculate_unreadable"),
        ("f4 +", "calculate_unreadable"),
        ("f4 ** f4", "calculate_unreadable"),
        ("f4 // f4", "calculate_unreadable"),
        ("f4 if f4 else f5", "calculate_unreadable"),
        ("__import__('os').system('true')", "calculate_unreadable"),
        ("f4.value", "calculate_unreadable"),
        ("[f4][0]", "calculate_unreadable"),
        ("sum(f4, f5)", "calculate_unreadable"),
        ("ratio(f4)", "calculate_unreadable"),
        ("lambda: f4", "calculate_unreadable"),
        ("DROP TABLE orders", "calculate_unreadable"),
        ("f4; f5", "calculate_unreadable"),
        ("(" * 400 + "f4", "calculate_unreadable"),
        ("+".join(["f4"] * 60), "calculate_unreadable"),
        ("一千", "calculate_unreadable"),
        ("f9999", "calculate_unknown"),
        ("f4 * 100", "calculate_constant"),
        ("f4 + 1", "calculate_constant"),
        ("1234", "calculate_constant"),
        ("1 + 1", "calculate_constant"),
        ("f4 - 1", "calculate_constant"),
        ("f4 * 1.0", "calculate_constant"),
        ("True - f4", "calculate_constant"),
        ("f4 + f5", "calculate_units"),
        ("f4 - f3", "calculate_units"),
        ("f4 * f5", "calculate_units"),
        ("f4 * f4", "calculate_units"),
        ("1 - f4", "calculate_units"),
        ("f5 / f4 + f5 / f4", "calculate_units"),
        ("f5 / f4 / f1", "calculate_units"),
        ("f4 / (f4 - f4)", "calculate_zero"),
        ("percent_change(f4, f4 - f4)", "calculate_zero"),
    ],
)  # fmt: skip
def test_what_cannot_be_calculated_is_refused(ctx: Context, expression: str, code: str) -> None:
    assert [f.unit for f in ctx.sheet.facts[:5]] == ["count", "count", "hours", "people", "CNY"]
    before = list(ctx.sheet.facts)
    with pytest.raises(AskAgain) as e:
        calculate(ctx, expression)
    assert e.value.code == code
    assert e.value.message("zh")
    assert e.value.hint("en")
    assert ctx.sheet.facts == before, "nothing is left behind"
    shown = "".join(str(v) for v in e.value.details.values())
    assert "1234" not in shown, "what was asked never comes back as if it had a source"


def test_days_and_texts_have_no_number(ctx: Context) -> None:
    for unit in ("text", "date"):
        with pytest.raises(AskAgain) as e:
            calculate(ctx, f"{the(ctx, unit).id} - {the(ctx, unit).id}")
        assert e.value.code == "calculate_none"


def test_people_of_two_crowds_have_no_sum(demo: WarRoom) -> None:
    ctx = demo.context(None, "en")
    metric(ctx, ["visitors"], ["member", "fan"], DAY, DAY)
    one, other = (f for f in ctx.sheet.facts if f.metric == "visitors")
    with pytest.raises(AskAgain) as e:
        calculate(ctx, f"{one.id} + {other.id}")
    assert e.value.code == "calculate_twice"
    assert worked_out(ctx, f"{one.id} - {other.id}").unit == "people"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_has_words_for_a_reader(demo: WarRoom, lang: str) -> None:
    ctx = demo.context(None, lang)
    plan(ctx, "cart_unpaid")
    result = calculate(ctx, "percent_change(f4, f7)")
    said = writer.write(result.model_dump(), Interpretation(intent="plan"), lang)
    assert said.lower() == result.data["line"].lower()
    assert result.facts[0].display in said
