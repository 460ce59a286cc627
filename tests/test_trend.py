"""A crowd day by day: against the oracle at the end of each day, each size from its own query, and the command."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.cli import main
from tests import oracle, tiny_shop
from tests.shops import dated, load
from tests.test_generated_shops import CAMPAIGNS, fill, shops
from tools import trend
from tools.engine import Engine
from tools.errors import AskAgain
from tools.periods import Window, window
from tools.scope import Scope
from tools.shop import Thresholds

Tables = dict[str, list[dict[str, Any]]]
AT = tiny_shop.AS_OF
SCOPE = Scope(AT, CAMPAIGNS[-1], Thresholds())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load(tmp_path_factory.mktemp("trend") / "data.duckdb", {})


def trend_of(engine: Engine, crowd: str, over: Window) -> list[trend.Day]:
    return trend.trend(engine, crowd, over, CAMPAIGNS, Thresholds())


def ends(over: Window) -> list[datetime]:
    days = [over.first + timedelta(days=n) for n in range(over.days)]
    return [min(over.until, datetime(d.year, d.month, d.day, 23, 59, 59)) for d in days]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(shop=shops(), crowd=st.sampled_from(["cart_unpaid", "new", "member", "active_old"]))
@example(shop=tiny_shop.TABLES, crowd="cart_unpaid")
def test_each_day_is_seen_from_its_own_end(engine: Engine, shop: Tables, crowd: str) -> None:
    """From the first wave over its end into the second, and cut at ten o'clock of the last day."""
    fill(engine, shop)
    over = window(date(2026, 5, 30), date(2026, 6, 30), AT)
    found = trend_of(engine, crowd, over)
    assert [d.day for d in found] == [date(2026, 5, 30) + timedelta(days=n) for n in range(19)]
    expected = [
        len(oracle.action_crowd(crowd, shop, end, tiny_shop.CAMPAIGNS, oracle.Settings())) for end in ends(over)
    ]
    assert [d.size for d in found] == expected


def test_every_size_comes_back_from_its_own_query(engine: Engine) -> None:
    fill(engine, tiny_shop.TABLES)
    over = window(date(2026, 6, 10), date(2026, 6, 17), AT)
    for crowd in ("cart_unpaid", "member and not (old or min_amount:250)", "last_seen_within:3"):
        found = trend_of(engine, crowd, over)
        assert len({d.query for d in found}) == 8
        for d in found:
            assert engine.query(d.query) == [{"people": d.size}]


def test_by_hand(engine: Engine) -> None:
    """u05 carted a second before the wave; in it u01 carts on 06-04, u10 on 06-05, u02 carts and pays on 06-16, u03 on 06-17
    at ten is just paying, u04 carts that morning, u11 a second later."""
    fill(engine, tiny_shop.TABLES)
    found = trend_of(engine, "cart_unpaid", window(date(2026, 6, 3), date(2026, 6, 17), AT))
    sizes = {f"{d.day:%m-%d}": d.size for d in found}
    assert (sizes["06-04"], sizes["06-05"], sizes["06-15"], sizes["06-16"], sizes["06-17"]) == (1, 2, 2, 2, 3)


def test_each_day_belongs_to_its_own_campaign(engine: Engine) -> None:
    """Carted on the spring sale's first day; in its wave until it is over and after it, but not in the 618."""
    spring = dated(
        oracle.Campaign(
            key="spring",
            phases=(("sale1", date(2026, 4, 20), date(2026, 4, 25)),),
            cohort_date=date(2026, 4, 20),
            recruit_date=date(2026, 4, 20),
        )
    )
    cart = {"user_id": "p", "ts": datetime(2026, 4, 20, 12), "kind": "cart", "item_id": "i1"}
    fill(engine, {"events": [cart]})
    over = window(date(2026, 4, 20), date(2026, 5, 2), AT)
    found = trend.trend(engine, "cart_unpaid", over, (spring, *CAMPAIGNS), Thresholds())
    assert [d.size for d in found] == [1] * 11 + [0] * 2


@pytest.mark.parametrize(
    ("at", "first", "last", "expected"),
    [
        (AT, None, None, (date(2026, 6, 4), date(2026, 6, 17))),
        (AT, date(2026, 6, 15), None, (date(2026, 6, 15), date(2026, 6, 17))),
        (AT, None, date(2026, 6, 8), (date(2026, 6, 4), date(2026, 6, 8))),
        (AT, date(2026, 6, 15), date(2026, 8, 1), (date(2026, 6, 15), date(2026, 6, 17))),
        (datetime(2026, 6, 25), None, None, (date(2026, 6, 4), date(2026, 6, 20))),  # the wave is over
        (datetime(2026, 5, 10), None, None, (date(2026, 5, 1), date(2026, 5, 10))),
    ],
)
def test_which_days(at: datetime, first: date | None, last: date | None, expected: tuple[date, date]) -> None:
    over = trend.span(Scope(at, CAMPAIGNS[-1], Thresholds()), first, last)
    assert (over.first, over.last) == expected


@pytest.mark.parametrize(
    ("scope", "first", "last", "code"),
    [
        (SCOPE, date(2026, 6, 9), date(2026, 6, 8), "window_upside_down"),
        (SCOPE, date(2026, 7, 1), None, "window_in_future"),
        (SCOPE, date(2024, 1, 1), None, "trend_too_long"),
        (Scope(AT, None, Thresholds()), None, None, "trend_without_wave"),
    ],
)
def test_days_that_cannot_be_shown(scope: Scope, first: date | None, last: date | None, code: str) -> None:
    with pytest.raises(AskAgain) as e:
        trend.span(scope, first, last)
    assert e.value.code == code
    assert e.value.message("en") != e.value.message("zh")


def test_a_crowd_that_needs_a_campaign_says_so(engine: Engine) -> None:
    before = window(date(2026, 4, 28), date(2026, 5, 2), AT)
    with pytest.raises(AskAgain) as e:
        trend_of(engine, "cart_unpaid", before)
    assert e.value.code == "no_campaign_before"
    assert len(trend_of(engine, "member", before)) == 5


def test_sparkline() -> None:
    assert trend.sparkline([0, 7, 14]) == "▁▅█"
    assert trend.sparkline([5, 5]) == "▄▄"
    assert trend.sparkline([0]) == "▄"
    assert len(trend.sparkline(list(range(40)))) == 40


def test_the_command(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> Any:
        status = main(["--shop", str(demo_root), "crowd", *arguments])
        out = capsys.readouterr().out
        return status, json.loads(out) if "--json" in arguments and out else out

    status, days = run("cart_unpaid", "--trend", "--json")
    assert status == 0
    assert [set(d) for d in days] == [{"day", "size", "query"}] * 14
    assert (days[0]["day"], days[-1]["day"]) == ("2026-06-04", "2026-06-17")
    assert run("cart_unpaid", "--json")[1]["size"] == days[-1]["size"]
    assert run("cart_unpaid", "--json", "--as-of", "2026-06-12")[1]["size"] == days[8]["size"]
    _, both = run("member", "cart_unpaid", "--trend", "--from", "2026-06-12", "--json")
    assert both[1] == days[8:]
    status, shown = run("cart_unpaid", "--trend", "--lang", "zh")
    assert status == 0
    lines = shown.splitlines()
    assert lines[0].startswith("加购未付款，6 月 4 日–6 月 17 日，每天结束时的人数")
    assert lines[-1].endswith("（截至 10:00）")
    bars = [line.count("█") for line in lines[1:]]
    assert max(bars) == 32
    assert sorted(bars) == [n for _, n in sorted(zip([d["size"] for d in days], bars, strict=True))]
    assert run("cart_unpaid", "--from", "2026-06-12")[0] == 2
    with pytest.raises(SystemExit):
        run("member", "fan", "--trend", "--overlap")
