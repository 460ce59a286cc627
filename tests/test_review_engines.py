"""Targets and reviews of a shop on PostgreSQL: the same as from its data file, and every fact's query runs as it stands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from bot.cli import main
from bot.wiring import WarRoom
from tests.postgres import new_database
from tools.backends.url import PostgresURL
from tools.backends.warehouse import value
from tools.facts import ToolResult
from tools.review import review
from tools.target_report import target


@pytest.fixture(scope="module")
def elsewhere(demo_root: Path, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarRoom]:
    root = tmp_path_factory.mktemp("elsewhere") / demo_root.name
    shutil.copytree(demo_root, root, ignore=shutil.ignore_patterns("statements*.json"))
    with (root / "shop.yaml").open("a", encoding="utf-8") as f:
        f.write(f"engine: {json.dumps(new_database(postgres_url))}\n")
    assert main(["--shop", str(root), "publish"]) == 0
    (root / "data.duckdb").unlink()  # nothing can be answered from there
    with WarRoom(root) as room:
        yield room


@pytest.mark.parametrize("tool", [target, review])
def test_the_numbers_are_the_same(demo: WarRoom, elsewhere: WarRoom, tool: Callable[..., ToolResult]) -> None:
    at = datetime(2026, 6, 17, 10)
    here, there = (tool(room.context(at, "zh")) for room in (demo, elsewhere))
    assert there.data == here.data
    assert isinstance(elsewhere.shop.warehouse, PostgresURL)
    with psycopg.connect(elsewhere.shop.warehouse.dsn) as connection:
        for ours, theirs in zip(here.facts, there.facts, strict=True):
            assert (theirs.label, theirs.display) == (ours.label, ours.display)
            if isinstance(theirs.value, (int, float)):
                ((got,),) = connection.execute(theirs.query.encode()).fetchall()
                assert value(got) == pytest.approx(theirs.value), theirs.label
