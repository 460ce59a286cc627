"""The facts kept at import equal their definition, whatever was imported, replaced or handed over to somebody else."""

from __future__ import annotations

import csv
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.shops import load
from tools import daily
from tools.engine import Engine
from tools.ingest import import_file

NOW = datetime(2026, 6, 17, 10)
_MOMENTS = [NOW - timedelta(days=d, seconds=s) for d in (0, 1, 2, 9) for s in (0, 1, 36_000)]
_people = st.sampled_from(["a", "b", "c", "d"])
_events = st.lists(
    st.tuples(_people, st.sampled_from(_MOMENTS), st.sampled_from(["visit", "cart", "favorite", "live_watch"])),
    min_size=1,
    max_size=12,
)
_orders = st.lists(
    st.tuples(st.sampled_from(["o1", "o2", "o3"]), _people, st.sampled_from(_MOMENTS), st.booleans()),
    min_size=1,
    max_size=4,
    unique_by=lambda o: o[0],
)
_batches = st.lists(
    st.one_of(
        st.tuples(st.just("events"), _events),
        st.tuples(st.just("orders"), _orders),
        st.tuples(st.just("customers"), st.lists(st.tuples(_people), min_size=1, max_size=3, unique=True)),
    ),
    min_size=1,
    max_size=6,
)
_HEADERS = {
    "events": ["user_id", "ts", "kind"],
    "orders": ["order_id", "user_id", "created_at", "kind", "paid_at"],
    "customers": ["user_id"],
}


def _written(path: Path, table: str, rows: list[Any]) -> Path:
    with path.open("w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(_HEADERS[table])
        for row in rows:
            if table == "orders":
                order, user, created, paid = row
                row = (order, user, created, "normal", created if paid else "")
            writer.writerow(row)
    return path


def _stored_and_defined(engine: Engine, name: str) -> tuple[list[Any], list[Any]]:
    columns = list(daily.sql_columns()[name])
    stored = engine.table(name).select(*columns)
    defined = daily.expression(name, engine.table).select(*columns)
    both = [engine.query(str(engine.con.compile(t))) for t in (stored, defined)]
    stored_rows, defined_rows = (sorted(map(repr, rows)) for rows in both)
    return stored_rows, defined_rows


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=_batches)
def test_facts_follow_every_import(batches: list[tuple[str, list[Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = load(Path(folder) / "data.duckdb", {})
        for i, (table, rows) in enumerate(batches):
            path = _written(Path(folder) / f"{i}.csv", table, rows)
            import_file(engine, table, path, "csv", Path(folder) / "rejects", NOW)
            for name in daily.TABLES:
                stored, defined = _stored_and_defined(engine, name)
                assert stored == defined, f"{name} after import {i} of {table}"
        engine.close()


def test_a_data_file_without_facts_answers_and_gets_them_at_the_next_import(tmp_path: Path) -> None:
    rows = [{"user_id": "a", "ts": NOW, "kind": "cart"}, {"user_id": "b", "ts": NOW, "kind": "visit"}]
    engine = load(tmp_path / "data.duckdb", {"events": rows, "customers": [{"user_id": "c"}]})
    for name in daily.TABLES:
        engine.execute(f'DROP TABLE "{name}"')
    engine.close()
    old = Engine(tmp_path / "data.duckdb")
    everybody = str(old.con.compile(old.table("people").select("user_id")))
    assert sorted(r["user_id"] for r in old.query(everybody)) == ["a", "b", "c"]
    old.close()
    engine = Engine(tmp_path / "data.duckdb", read_only=False)
    engine.create_tables()
    for name in daily.TABLES:
        stored, defined = _stored_and_defined(engine, name)
        assert stored == defined != []
    engine.close()


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_days_are_taken_together_only_while_they_are_small_and_without_a_gap(
    at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily, "AT_ONCE", at_once)
    days = (0, 1, 2, 5, 6)
    rows = [
        {"user_id": u, "ts": NOW - timedelta(days=d, hours=h), "kind": "visit"}
        for d in days
        for u in "ab"
        for h in (0, 1)
    ]
    engine = load(tmp_path / "data.duckdb", {"events": rows})
    stored, defined = _stored_and_defined(engine, "activity")
    assert stored == defined
    assert len(stored) == 2 * len(days)
    engine.close()
