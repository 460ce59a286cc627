"""The overlap of crowds: against Python's sets on generated shops, each number from its own query, and the command."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.cli import main
from tests import oracle, tiny_shop
from tests.shops import load
from tests.test_generated_shops import AS_OFS, CAMPAIGNS, fill, shops
from tools.engine import Engine
from tools.errors import AskAgain
from tools.overlap import Overlap, overlap
from tools.scope import Scope
from tools.shop import Thresholds

Tables = dict[str, list[dict[str, Any]]]
CROWDS = ["member", "fan", "old", "cart_unpaid", "member and not fan", "not member"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load(tmp_path_factory.mktemp("overlap") / "data.duckdb", {})


def overlap_at(engine: Engine, at: datetime, crowds: list[str]) -> Overlap:
    return overlap(engine, crowds, Scope(at, CAMPAIGNS[-1], Thresholds()))


def people(shop: Tables, at: datetime) -> list[set[str]]:
    """The people of CROWDS, in order."""
    member, fan, old, carted = (
        oracle.action_crowd(k, shop, at, tiny_shop.CAMPAIGNS, oracle.Settings()) for k in CROWDS[:4]
    )
    return [member, fan, old, carted, member - fan, oracle.everyone(shop, at) - member]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(shop=shops(), at=st.sampled_from(AS_OFS))
@example(shop=tiny_shop.TABLES, at=tiny_shop.AS_OF)
@example(shop={name: [] for name in tiny_shop.TABLES}, at=tiny_shop.AS_OF)
def test_the_matrix_is_set_algebra(engine: Engine, shop: Tables, at: datetime) -> None:
    fill(engine, shop)
    sets = people(shop, at)
    found = overlap_at(engine, at, CROWDS)
    assert found.crowds == tuple(CROWDS)
    assert [list(row) for row in found.matrix] == [[len(a & b) for b in sets] for a in sets]
    times = [sum(person in s for s in sets) for person in set().union(*sets)]
    assert found.in_any == len(times)
    assert found.in_all == times.count(len(sets))
    assert found.in_one == times.count(1)


def test_every_number_comes_back_from_its_own_query(engine: Engine) -> None:
    fill(engine, tiny_shop.TABLES)
    found = overlap_at(engine, tiny_shop.AS_OF, CROWDS)
    for i, row in enumerate(found.matrix):
        for j, n in enumerate(row):
            assert list(engine.query(found.pair_query(i, j))[0].values()) == [n]
    for column in ("in_any", "in_all", "in_one"):
        assert engine.query(found.number_query(column)) == [{column: getattr(found, column)}]


def test_shares_are_of_the_row(engine: Engine) -> None:
    """Of the seven members u01 alone is a fan; of the three fans one is a member; nobody is in an empty crowd."""
    fill(engine, tiny_shop.TABLES)
    found = overlap_at(engine, tiny_shop.AS_OF, ["member", "fan", "member and not member"])
    assert found.share(0, 1) == pytest.approx(1 / 7)
    assert found.share(1, 0) == pytest.approx(1 / 3)
    assert found.share(2, 0) is None
    assert (found.in_any, found.in_all, found.in_one) == (9, 0, 8)


def test_one_crowd_has_no_overlap(engine: Engine) -> None:
    for crowds in (["member"], ["member", "会员", "(members)"]):
        with pytest.raises(AskAgain) as e:
            overlap_at(engine, tiny_shop.AS_OF, crowds)
        assert e.value.code == "overlap_of_one"


def test_all_crowds_at_once(engine: Engine) -> None:
    fill(engine, tiny_shop.TABLES)
    found = overlap_at(engine, tiny_shop.AS_OF, sorted(tiny_shop.EXPECTED_CROWDS))
    sets = [tiny_shop.EXPECTED_CROWDS[c] for c in found.crowds]
    assert [list(row) for row in found.matrix] == [[len(a & b) for b in sets] for a in sets]


def test_the_command(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crowds = ["member", "加购未付款", "老客"]
    assert main(["--shop", str(demo_root), "crowd", *crowds, "--overlap", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["as_of", "crowds", "matrix", "share", "any", "all", "one", "query"]
    assert document["crowds"] == ["member", "cart_unpaid", "old"]
    matrix = document["matrix"]
    assert all(matrix[i][j] == matrix[j][i] <= matrix[i][i] for i in range(3) for j in range(3))
    assert document["share"][0][1] == matrix[0][1] / matrix[0][0]
    for crowd, n in zip(document["crowds"], range(3), strict=True):
        assert main(["--shop", str(demo_root), "crowd", crowd, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["size"] == matrix[n][n]
    assert main(["--shop", str(demo_root), "crowd", *crowds, "--overlap", "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert f"{matrix[0][0]:,}" in shown
    assert f"{matrix[0][1]:,} ({100 * document['share'][0][1]:.1f}%)" in shown
    assert f"至少在一个人群里 {document['any']:,} 人" in shown
    assert main(["--shop", str(demo_root), "crowd", "member", "--overlap", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "overlap_of_one"
