"""Generated shops full of ties (same second, window edges, day borders, nulls): every metric and breakdown against the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from knowledge import catalog
from tests import oracle_metrics, tiny_shop
from tests.oracle import Campaign, Settings, Tables
from tests.oracle_metrics import BREAKDOWNS, METRICS, OF_ACTS, OF_SOURCES, TOUCH
from tests.shops import dated, load
from tests.test_generated_shops import ITEMS, MOMENTS, PEOPLE, fill, shops
from tests.test_oracle_metrics import BY_HAND, EXPECTED, PANEL
from tools import metrics
from tools.engine import Engine
from tools.errors import AskAgain
from tools.periods import window
from tools.shop import Thresholds

CROWDS = (*PANEL, "cart_unpaid", "member and not old")
SPRING = Campaign(
    key="spring",
    phases=(("presale", date(2026, 3, 1), date(2026, 3, 5)), ("sale1", date(2026, 3, 6), date(2026, 3, 10))),
    cohort_date=date(2026, 3, 1),
)
CAMPAIGNS = [SPRING, *tiny_shop.CAMPAIGNS]
SECOND = timedelta(seconds=1)

# Both sides of the borders that these metrics add: the ends of the cohort dates, the first of the days in which one
# is active at them and at the windows' ends, the touch that lies exactly 72 or 24 hours before 06-16 12:00.
_EDGES = [
    datetime(2026, 5, 25), datetime(2026, 2, 24), datetime(2026, 3, 20), datetime(2026, 6, 15), datetime(2026, 3, 2),
    datetime(2026, 6, 13, 12), datetime(2026, 6, 15, 12), datetime(2026, 6, 16, 12), datetime(2026, 6, 17),
    datetime(2026, 6, 17, 10), datetime(2026, 5, 10, 12),
]  # fmt: skip
EDGES = [e + d for e in _EDGES for d in (-SECOND, timedelta(0), SECOND)]


@dataclass(frozen=True)
class Asked:
    """A window and the moment it is seen at, with the cut-offs that both sides use."""

    first: date
    last: date
    at: datetime
    active_days: int = 90
    attribution_hours: int = 72

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(active_days=self.active_days, attribution_hours=self.attribution_hours)

    @property
    def settings(self) -> Settings:
        return Settings(active_days=self.active_days, attribution_hours=self.attribution_hours)


T = tiny_shop.AS_OF
ASKED = [
    Asked(date(2026, 6, 16), date(2026, 6, 17), T),
    Asked(date(2026, 6, 17), date(2026, 6, 17), T, active_days=3, attribution_hours=24),
    Asked(date(2026, 6, 13), date(2026, 6, 17), datetime(2026, 6, 20)),
    Asked(date(2026, 5, 17), date(2026, 6, 17), T),
    Asked(date(2026, 5, 24), date(2026, 5, 25), datetime(2026, 6, 20), active_days=1),
    Asked(date(2026, 5, 10), date(2026, 5, 10), datetime(2026, 5, 10, 12)),  # before the cohort date
]
TINY = ASKED[0]
# Days of two campaigns: in a breakdown by day each has its own, as when it is asked alone.
ACROSS = Asked(date(2026, 4, 29), date(2026, 5, 2), datetime(2026, 6, 20))
SHORT = [a for a in ASKED if a.last - a.first < timedelta(days=9)]

edges = st.sampled_from(EDGES)
moments = st.sampled_from([*MOMENTS, *EDGES])
maybe = st.one_of(st.none(), moments)
money = st.one_of(st.none(), st.integers(0, 50_000).map(lambda cents: cents / 100))
sources = st.sampled_from(["ad", "search", "sms", None])
people = st.sampled_from(PEOPLE)
touches = st.fixed_dictionaries(
    {
        "touch_id": st.uuids().map(str), "user_id": people, "channel": st.sampled_from(["sms", "group", None]),
        "variant": st.sampled_from(["A", "B", None]), "sent_at": moments, "delivered": st.sampled_from([0, 1, 1, None]),
        "clicked_at": maybe, "cost": st.sampled_from([None, 0.0, 0.05, 1.0]),
    }
)  # fmt: skip
peers = st.fixed_dictionaries(
    {
        "campaign": st.sampled_from(["618", "spring"]), "crowd": st.sampled_from([*PANEL, "cart_unpaid"]),
        "metric": st.sampled_from(oracle_metrics.PEERS), "value": st.integers(0, 100).map(lambda n: n / 4),
    }
)  # fmt: skip
late_orders = st.fixed_dictionaries(
    {
        "order_id": st.sampled_from(["o7", "o8"]), "user_id": people, "item_id": st.sampled_from(ITEMS),
        "kind": st.just("normal"), "created_at": edges, "deposit_paid_at": st.none(),
        "paid_at": st.one_of(st.none(), edges), "amount": money,
    }
)  # fmt: skip
early_events = st.fixed_dictionaries(
    {
        "user_id": people, "ts": edges, "kind": st.sampled_from(["visit", "cart", "live_watch"]),
        "item_id": st.sampled_from(ITEMS), "category_id": st.sampled_from(["c1", None]), "quantity": st.none(),
    }
)  # fmt: skip


@st.composite
def rich_shops(draw: st.DrawFn) -> Tables:
    """The shops of test_generated_shops.py with cities, sources, refunds, touches and peers."""
    shop = draw(shops())
    shop["customers"] = [c | {"city": draw(st.sampled_from(["X", "Y", None]))} for c in shop["customers"]]
    shop["events"] = [
        e | {"source": draw(sources)} for e in [*shop["events"], *draw(st.lists(early_events, max_size=5))]
    ]
    told = draw(st.booleans())  # whether the shop's data tell of refunds at all
    refunds = st.one_of(st.none(), money) if told else st.none()
    shop["orders"] = [
        o | {"category_id": draw(st.sampled_from(["c1", "c2", None, None])), "refund_amount": draw(refunds)}
        for o in [*shop["orders"], *draw(st.lists(late_orders, max_size=4))]
    ]
    for line in shop["orders"]:
        line["created_at"] = min(t for t in (line["created_at"], line["deposit_paid_at"], line["paid_at"]) if t)
        line["refunded_at"] = draw(maybe) if line["refund_amount"] is not None else None
    shop["touches"] = draw(st.lists(touches, max_size=8))
    shop["peers"] = draw(st.lists(peers, max_size=6, unique_by=lambda p: (p["campaign"], p["crowd"], p["metric"])))
    return shop


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load(tmp_path_factory.mktemp("generated") / "data.duckdb", {})


def computed(
    engine: Engine, keys: list[str], crowds: tuple[str, ...], asked: Asked, by: str | None = None
) -> dict[Any, Any]:
    """What the product says: {(crowd, metric, value of `by`): number}."""
    over = window(asked.first, asked.last, asked.at)
    scope = metrics.scope_of(over, tuple(dated(c) for c in CAMPAIGNS), asked.thresholds)
    cells = metrics.compute(engine, keys, crowds, over, scope, by)
    found = {(c.crowd, c.metric, c.by): c.value for c in cells}
    assert len(found) == len(cells), "no cell comes twice"
    return found


def expected(
    shop: Tables, keys: list[str], crowds: tuple[str, ...], asked: Asked, by: str | None = None
) -> dict[Any, Any]:
    """The same of the oracle."""
    rest = (shop, asked.first, asked.last, CAMPAIGNS, asked.settings, asked.at)
    numbers: dict[Any, Any] = {}
    for crowd in crowds:
        for key in keys:
            if by is None:
                numbers[crowd, key, None] = oracle_metrics.metric(key, crowd, *rest)
            else:
                numbers |= {(crowd, key, v): n for v, n in oracle_metrics.split(key, by, crowd, *rest).items()}
    return numbers


def assert_the_same(found: dict[Any, Any], expected: dict[Any, Any]) -> None:
    """The oracle lists every value that the shop has; the product leaves out those of which there is nothing to say."""
    assert found == pytest.approx({cell: n for cell, n in expected.items() if cell in found})
    left_out = {cell: n for cell, n in expected.items() if cell not in found}
    # What lies outside the relations is the whole shop's, so it is something even where nobody is.
    assert not any(n for (_, key, _), n in left_out.items() if key != "non_rv_value"), (
        "only empty parts may be left out"
    )


def test_the_oracle_and_the_catalogue_name_the_same_metrics() -> None:
    assert set(METRICS) == set(catalog.metrics())
    assert set(BREAKDOWNS) == set(metrics.BY)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(shop=rich_shops(), asked=st.sampled_from(ASKED))
@example(shop=tiny_shop.TABLES, asked=TINY)
def test_every_metric_equals_the_oracle(engine: Engine, shop: Tables, asked: Asked) -> None:
    fill(engine, shop)
    keys = list(METRICS)
    assert computed(engine, keys, CROWDS, asked) == pytest.approx(expected(shop, keys, CROWDS, asked))


WITHOUT_PEERS = [key for key in METRICS if not key.startswith("peer_")]  # peers are of whole crowds
SPLITS = [("day", list(METRICS)), *((by, WITHOUT_PEERS) for by in ("member_level", "city", "lifecycle"))]
SPLITS += [(by, list(OF_ACTS)) for by in ("hour", "item", "category")]
SPLITS += [("channel", list(OF_SOURCES)), ("channel", list(TOUCH))]


@pytest.mark.parametrize(("by", "keys"), SPLITS, ids=lambda p: p if isinstance(p, str) else p[0])
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(shop=rich_shops(), asked=st.sampled_from([*SHORT, ACROSS]))
@example(shop=tiny_shop.TABLES, asked=TINY)
def test_every_breakdown_equals_the_oracle(
    engine: Engine, by: str, keys: list[str], shop: Tables, asked: Asked
) -> None:
    fill(engine, shop)
    assert_the_same(computed(engine, keys, CROWDS, asked, by), expected(shop, keys, CROWDS, asked, by))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load(tmp_path_factory.mktemp("tiny") / "data.duckdb", tiny_shop.TABLES)


def test_the_metrics_by_hand(tiny: Engine) -> None:
    found = computed(tiny, list(EXPECTED), PANEL, TINY)
    by_hand = {(c, key, None): n for key, row in EXPECTED.items() for c, n in zip(PANEL, row, strict=True)}
    assert found == pytest.approx(by_hand)


@pytest.mark.parametrize("key", METRICS)
def test_a_metric_asked_alone_is_the_same(tiny: Engine, key: str) -> None:
    for crowd in ("all", "new"):
        assert computed(tiny, [key], (crowd,), TINY) == pytest.approx(expected(tiny_shop.TABLES, [key], (crowd,), TINY))


@pytest.mark.parametrize(
    ("by", "crowd", "key", "values", "numbers"), [row for row in BY_HAND if not row[2].startswith("peer_")]
)
def test_the_breakdowns_by_hand(tiny: Engine, by: str, crowd: str, key: str, values: Any, numbers: Any) -> None:
    found = computed(tiny, [key], (crowd,), TINY, by)
    assert_the_same(found, {(crowd, key, v): n for v, n in zip(values, numbers, strict=True)})


def test_what_the_oracle_refuses_the_product_refuses(tiny: Engine) -> None:
    for by, fits in (("hour", OF_ACTS), ("item", OF_ACTS), ("category", OF_ACTS), ("channel", OF_SOURCES + TOUCH)):
        for key in METRICS:
            assert metrics.splittable(key, by) == (key in fits), (key, by)
    with pytest.raises(AskAgain) as refused:
        computed(tiny, ["visitors", "rv_value"], ("all",), TINY, "hour")
    assert refused.value.code == "no_such_split"
