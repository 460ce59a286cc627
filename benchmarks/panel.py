"""The whole panel (5 crowds × the metrics of a window) against every other way to get it, in one run.

The same events everywhere: facts kept at import (ours), one statement on raw events written by hand, a statement a cell,
pandas and polars on Parquet; all of them as a ratio to a checksum scan that really reads the window's rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import data, frames
from benchmarks.timing import best, say, timed
from knowledge import catalog
from tests.oracle import METRICS, PANEL_CROWDS
from tools import metrics
from tools.campaigns import date_campaign
from tools.engine import Engine
from tools.periods import window
from tools.scope import Scope
from tools.shop import Thresholds

CLOCK = datetime(2026, 6, 17)
LAST = date(2026, 6, 16)
DAYS = (1, 5, 32)
CELLS = 10  # of a statement a cell, so many are run and the rest is assumed to cost the same
_BY_HAND = (Path(__file__).parent / "panel.sql").read_text(encoding="utf-8")
_CAMPAIGNS = (date_campaign(catalog.campaign_templates()["618"], 2026, "bench"),)
Panel = dict[str, dict[str, Any]]


def scope_of(days: int) -> Scope:
    over = window(LAST - timedelta(days=days - 1), LAST, CLOCK)
    return metrics.scope_of(over, _CAMPAIGNS, Thresholds())


def ours(engine: Engine, scope: Scope) -> str:
    return metrics.statement(engine, METRICS, PANEL_CROWDS, scope)


def by_hand(scope: Scope) -> str:
    out = _BY_HAND
    for name, at in moments(scope).__dict__.items():
        out = out.replace(f"${'from' if name == 'since' else name}", f"TIMESTAMP '{at}'")
    return out


def moments(scope: Scope) -> frames.Moments:
    return frames.Moments(since=scope.since, until=scope.at, cohort=scope.cohort, old_from=scope.old_from)


def checksum(scope: Scope, columns: str) -> str:
    """Reads `columns` of every event of the window; a bare count would read nothing but its statistics."""
    return f"SELECT sum(hash({columns})) FROM events WHERE ts BETWEEN '{scope.since}' AND '{scope.at}'"


ROWS = ", ".join(catalog.tables()["events"].columns)
USED = "user_id, ts, kind"  # what a panel on raw events reads


def same(found: Panel, expected: Panel) -> None:
    """AssertionError at the first number that differs."""
    for crowd in PANEL_CROWDS:
        for key in METRICS:
            a, b = found[crowd][key] or 0, expected[crowd][key] or 0
            assert abs(a - b) <= 1e-6 * max(abs(a), abs(b), 1), (crowd, key, a, b)


def rows_of(engine: Engine, sql: str) -> Panel:
    return {row["crowd"]: row for row in engine.query(sql)}


@dataclass(frozen=True)
class Cost:
    """Seconds of the panel, of a checksum over the window's rows and over three of their columns; people of the window."""

    panel: float
    scan: float
    narrow: float
    people: int


def cost(engine: Engine, days: int) -> Cost:
    scope = scope_of(days)
    statements = (ours(engine, scope), checksum(scope, ROWS), checksum(scope, USED))
    # Taken in turns: the machine is noisy.
    seconds = [[timed(lambda sql=sql: engine.execute(sql)) for sql in statements] for _ in range(5)]  # type: ignore[misc]
    panel, scan, narrow = (min(turn[i] for turn in seconds) for i in range(3))
    return Cost(panel, scan, narrow, rows_of(engine, statements[0])["all"]["visitors"])


def bench_growth(folder: Path, biggest: Engine, events: int) -> None:
    """The panel of 5 days at a hundredth, a tenth and all of the events."""
    for part in (100, 10, 1):
        engine = biggest
        if part > 1:
            engine = Engine(folder / f"grow{part}.duckdb", read_only=False)
            data.fill(engine, events // part)
        found = cost(engine, 5)
        say(
            f"panel, 5 days, {events // part:,} events: ms (people of the window)",
            f"{found.panel * 1000:.0f} ({found.people:,})",
        )
        if part > 1:
            engine.close()


def bench_window(engine: Engine, days: int) -> None:
    """Ours against the scan, the statement by hand and a statement a cell."""
    scope = scope_of(days)
    same(rows_of(engine, ours(engine, scope)), rows_of(engine, by_hand(scope)))
    found = cost(engine, days)
    aim = "aim ≤ 4" if days == 5 else ""
    say(f"panel, {days} days: time / checksum scan of the window's rows", f"{found.panel / found.scan:.1f}", aim)
    say(f"panel, {days} days: time / checksum scan of three columns of them", f"{found.panel / found.narrow:.1f}")
    hand = best(lambda: engine.execute(by_hand(scope)), 2)
    say(
        f"panel, {days} days: one statement on raw events / ours",
        f"{hand / found.panel:.1f}",
        "aim ≥ 4" if days == 5 else "",
    )
    if days == 5:
        cells = [(c, m) for c in PANEL_CROWDS for m in METRICS]
        some = cells[:: len(cells) // CELLS][:CELLS]
        inner = by_hand(scope)
        seconds = sum(
            timed(lambda c=c, m=m: engine.execute(f"SELECT {m} FROM ({inner}) WHERE crowd = '{c}'"))  # type: ignore[misc]
            for c, m in some
        )
        each = seconds / len(some) * len(cells)
        say(f"panel, {days} days: a statement a cell ({len(cells)}) / ours", f"{each / found.panel:.0f}", "aim ≥ 12")


def bench_frames(engine: Engine, folder: Path) -> None:
    """pandas and polars on the same rows as Parquet, 5 days."""
    (folder / "events").mkdir()
    for day in range(data.DAYS):
        since = data.FIRST_DAY + timedelta(days=day)
        engine.execute(
            f"COPY (SELECT user_id, ts, kind FROM events WHERE ts >= DATE '{since}' AND ts < DATE '{since}' + 1 ORDER BY ts) "
            f"TO '{folder}/events/{since}.parquet'"
        )
    for table in ("orders", "customers"):
        engine.execute(f"COPY {table} TO '{folder}/{table}.parquet'")
    scope = scope_of(5)
    expected = rows_of(engine, ours(engine, scope))
    mine = cost(engine, 5).panel
    ways: dict[str, Callable[[Path, frames.Moments], Panel]] = {
        "pandas": frames.panel_pandas,
        "polars": frames.panel_polars,
    }
    for name, way in ways.items():
        kept: list[Panel] = []
        seconds = best(lambda way=way, kept=kept: kept.append(way(folder, moments(scope))), 2)  # type: ignore[misc]
        same(kept[0], expected)
        say(f"panel, 5 days: {name} on Parquet / ours", f"{seconds / mine:.0f}", "aim ≥ 50" if name == "pandas" else "")
