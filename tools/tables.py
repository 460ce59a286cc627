"""Tables of metrics as CSV files that a spreadsheet opens as they are."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

from knowledge import catalog
from knowledge.catalog import Unit
from tools import audience, metrics, names
from tools import lines as lines_of
from tools.campaigns import day_end, day_start
from tools.context import Context
from tools.errors import AskAgain, NeedsPerson
from tools.periods import window

# What a spreadsheet takes for the beginning of a formula; a Chinese one takes the full-width signs too.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")


def panel_csv(
    ctx: Context,
    metric_keys: Sequence[str],
    crowds: Sequence[str],
    first: date,
    last: date,
    by: str | None,
    path: Path,
) -> int:
    """Write metrics of crowds over first..last to `path`, a row a crowd (and value of `by`), a column a metric.

    UTF-8 with BOM, headers in the answer's language. People are whole numbers, money has two decimals, ratios are percentages;
    a cell without a value is empty. Returns the number of rows under the header. AskAgain when a name is unknown or
    the period has not begun, NeedsPerson when the file cannot be written; it is written whole or not at all.
    """
    if by is not None and by not in metrics.BY:
        raise AskAgain("unknown_by", name=by, nearest=", ".join(metrics.BY))
    keys = list(dict.fromkeys(names.metric_key(m) for m in metric_keys))
    audiences = list(dict.fromkeys(audience.canonical(audience.parse(c)) for c in crowds))
    over = window(first, last, lines_of.known_until(ctx))
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    rows: dict[tuple[str, str | None], dict[str, float | int | None]] = {}
    for cell in metrics.compute(ctx.engine, keys, audiences, over, scope, by):
        rows.setdefault((cell.crowd, cell.by), {})[cell.metric] = cell.value
    header = [ctx.say("table.crowd"), ctx.say("table.first"), ctx.say("table.until")]
    header += [ctx.say(f"by.{by}")] if by in ("member_level", "city") else []
    table = [[*header, *(_header(ctx, key) for key in keys)]]
    # By day all crowds of a day are computed together; in the file a crowd's days stand together.
    for crowd, value in sorted(rows, key=lambda row: audiences.index(row[0])):
        begin, until = over.first, over.until
        if by == "day" and value is not None:
            begin = date.fromisoformat(value)
            until = min(until, day_end(begin))
        cells = [plain(audience.label(audience.parse(crowd), ctx.lang)), _moment(day_start(begin)), _moment(until)]
        if by in ("member_level", "city"):
            cells.append(plain(_named(ctx, by, value)))
        cells += [_number(rows[crowd, value][key], catalog.metrics()[key].unit) for key in keys]
        table.append(cells)
    _write(path, table)
    return len(table) - 1


def plain(text: str) -> str:
    """A text for a cell; one that a spreadsheet would run as a formula gets an apostrophe in front."""
    return "'" + text if text.lstrip(" \u3000").startswith(_FORMULA) else text


def _header(ctx: Context, key: str) -> str:
    metric = catalog.metrics()[key]
    name = metric.name.get(ctx.lang)
    if metric.unit == "people":
        return ctx.say("table.people", metric=name)
    return ctx.say("table.money", metric=name, currency=ctx.shop.currency) if metric.unit == "CNY" else name


def _named(ctx: Context, by: str, value: str | None) -> str:
    if value is None or value == metrics.NO_VALUE:
        return ctx.say("by.no_member" if by == "member_level" else "by.none")
    return value


def _number(value: float | int | None, unit: Unit) -> str:
    if value is None:
        return ""
    if unit == "ratio":
        return f"{value * 100:.2f}%"
    return f"{value:.2f}" if unit == "CNY" else str(value)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def _write(path: Path, table: Iterable[Sequence[str]]) -> None:
    part = None
    try:
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as f:
            csv.writer(f).writerows(table)
        os.replace(part, path)
    except OSError as e:
        if part is not None:
            Path(part).unlink(missing_ok=True)
        raise NeedsPerson("table_not_saved", path=str(path), detail=e.strerror or str(e)) from e
