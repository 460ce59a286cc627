"""Shops that tests make: tables given as Python rows, loaded into an engine as the product stores them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from knowledge import catalog
from tests import oracle
from tools.campaigns import Campaign, Phase
from tools.engine import Engine
from tools.reader import Reader

_ARROW = {
    "text": pa.string(),
    "choice": pa.string(),
    "time": pa.timestamp("s"),
    "day": pa.date32(),
    "money": pa.float64(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.int8(),
}


def load(path: Path, tables: dict[str, list[dict[str, Any]]]) -> Engine:
    """A new engine at `path` holding `tables`; a column that a row does not give is null; user ids are trimmed."""
    engine = Engine(path, read_only=False)
    engine.create_tables()
    for name, rows in arrow_tables(tables).items():
        engine.load_arrow(name, rows)
    return engine


def own(engine: Reader) -> Engine:
    """The engine as the one in the workspace, which tests may write to and ask raw statements."""
    assert isinstance(engine, Engine)
    return engine


def arrow_tables(tables: dict[str, list[dict[str, Any]]]) -> dict[str, pa.Table]:
    """The rows as Arrow tables with the catalogue's columns; empty tables are left out."""
    out = {}
    for name, definition in catalog.tables().items():
        rows = tables.get(name, [])
        if rows:
            columns = {
                column: pa.array([_cell(row.get(column)) for row in rows], type=_ARROW[c.type])
                for column, c in definition.columns.items()
            }
            out[name] = pa.table(columns)
    return out


def _cell(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def dated(campaign: oracle.Campaign) -> Campaign:
    """The oracle's campaign as the product's."""
    both = catalog.Bilingual(zh=campaign.key, en=campaign.key)
    pool = next((p for p in campaign.phases if p[0].startswith("pool")), campaign.phases[0])
    return Campaign(
        key=campaign.key,
        year=campaign.phases[0][1].year,
        name=both,
        aliases=(),
        phases=tuple(Phase(key, both, first, last) for key, first, last in campaign.phases),
        gates=(),
        member_days=(),
        balance_windows=(),
        cohort_date=campaign.cohort_date,
        recruit_from=campaign.recruit_date or pool[1],
    )
