"""Every crowd and metric on the shop that a person can verify by eye (tests/tiny_shop.py)."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge import catalog
from tests import oracle, tiny_shop
from tests.shops import dated, load
from tools import audience, metrics
from tools.crowds import CROWDS
from tools.engine import Engine
from tools.periods import window
from tools.scope import Scope
from tools.shop import Thresholds

CAMPAIGNS = tuple(dated(c) for c in tiny_shop.CAMPAIGNS)
SCOPE = Scope(tiny_shop.AS_OF, CAMPAIGNS[-1], Thresholds())
WINDOW = window(date(2026, 6, 16), date(2026, 6, 17), tiny_shop.AS_OF)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load(tmp_path_factory.mktemp("tiny") / "data.duckdb", tiny_shop.TABLES)


def test_catalogue_and_code_name_the_same_crowds() -> None:
    assert set(CROWDS) == set(catalog.crowds())


@pytest.mark.parametrize("key", sorted(tiny_shop.EXPECTED_CROWDS))
def test_crowd_by_hand(engine: Engine, key: str) -> None:
    rows, _ = engine.rows(("crowd", key), lambda at: CROWDS[key](engine, at), SCOPE)
    assert sorted(r["user_id"] for r in rows) == sorted(tiny_shop.EXPECTED_CROWDS[key])


@pytest.mark.parametrize("crowd", ["all", "old", "new", "member", "fan"])
def test_metrics_by_hand(engine: Engine, crowd: str) -> None:
    keys = oracle.METRICS
    cells = metrics.compute(engine, keys, [crowd], WINDOW, metrics.scope_of(WINDOW, CAMPAIGNS, Thresholds()))
    expected = {k: tiny_shop.EXPECTED_METRICS[(k, crowd)] for k in keys}
    assert {c.metric: c.value for c in cells} == pytest.approx(expected, nan_ok=False)


def test_all_five_crowds_at_once_equal_one_by_one(engine: Engine) -> None:
    keys, crowds = list(catalog.metrics()), ["all", "old", "new", "member", "fan", "cart_unpaid"]
    scope = metrics.scope_of(WINDOW, CAMPAIGNS, Thresholds())
    together = metrics.compute(engine, keys, crowds, WINDOW, scope)
    single = [c for crowd in crowds for c in metrics.compute(engine, keys, [crowd], WINDOW, scope)]
    assert [(c.crowd, c.metric, c.value) for c in together] == [(c.crowd, c.metric, c.value) for c in single]


def test_every_cell_comes_back_from_its_own_query(engine: Engine) -> None:
    scope = metrics.scope_of(WINDOW, CAMPAIGNS, Thresholds())
    cells = metrics.compute(engine, list(catalog.metrics()), ["all", "member"], WINDOW, scope)
    assert len(cells) == 2 * len(catalog.metrics())
    for cell in cells:
        assert engine.query(cell.query) == [{cell.metric: cell.value}]


@pytest.mark.parametrize("key", ["cart_unpaid", "cart_fav_unpaid", "last_push"])
def test_profile_equals_the_oracle(engine: Engine, key: str) -> None:
    people = oracle.action_crowd(key, tiny_shop.TABLES, tiny_shop.AS_OF, tiny_shop.CAMPAIGNS, oracle.Settings())
    profile = audience.profile(engine, key, SCOPE)
    args = (people, tiny_shop.TABLES, tiny_shop.AS_OF, tiny_shop.CAMPAIGNS, oracle.Settings())
    assert profile.size == len(people)
    assert profile.at_stake == pytest.approx(oracle.amount_at_stake(*args))
    assert [(i, n) for i, _, n in profile.top_items] == oracle.top_items(*args)[: audience.TOP_ITEMS]
    assert sum(profile.by_level.values()) == profile.size
    assert engine.query(profile.query("size")) == [{"people": profile.size}]
    assert engine.query(profile.query("at_stake")) == [{"amount": profile.at_stake}]
