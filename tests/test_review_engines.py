"""Targets and reviews of a shop on PostgreSQL: the same as from its data file, and every fact's query runs as it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import psycopg
import pytest

from bot.wiring import WarRoom
from tools.backends.url import PostgresURL
from tools.backends.warehouse import value
from tools.facts import ToolResult
from tools.review import review
from tools.target_report import target


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
