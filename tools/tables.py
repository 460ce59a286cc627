"""Tables of metrics as CSV files that a spreadsheet opens as they are."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

from knowledge import catalog
from knowledge.catalog import MetricDef
from tools import audience, metrics, names, splits
from tools import lines as lines_of
from tools.campaigns import day_end, day_start
from tools.cells import plain
from tools.context import Context
from tools.errors import NeedsPerson
from tools.measures import NO_VALUE
from tools.periods import window


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

    UTF-8 with BOM, headers in the answer's language. People and counts are whole numbers, money has two decimals, ratios are
    percentages (an ROI a number); a cell without a value is empty. By item, the id stands beside the title. Metrics that cannot
    be split like that are left out. Returns the number of rows under the header. AskAgain when a name is unknown, no metric
    can be split like that, or the period has not begun; NeedsPerson when the file cannot be written; it is written whole or
    not at all.
    """
    keys = list(dict.fromkeys(names.metric_key(m) for m in metric_keys))
    if by is not None:
        keys = splits.fitting(keys, by)
    audiences = list(dict.fromkeys(audience.canonical(audience.read(ctx.engine, c)) for c in crowds))
    over = window(first, last, lines_of.known_until(ctx))
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    rows: dict[tuple[str, str | None], dict[str, float | int | None]] = {}
    cells = metrics.compute(ctx.engine, keys, audiences, over, scope, by)
    for cell in splits.ordered(cells, audiences, by, keys[0]) if by else cells:
        rows.setdefault((cell.crowd, cell.by), {})[cell.metric] = cell.value
    header = [ctx.say("table.crowd"), ctx.say("table.first"), ctx.say("table.until")]
    named = splits.called(ctx, by, (value for _, value in rows)) if by else {}
    if by not in (None, "day"):
        header += [ctx.say("table.item_id"), ctx.say(f"by.{by}")] if by == "item" else [ctx.say(f"by.{by}")]
    table = [[*header, *(_header(ctx, key) for key in keys)]]
    # By day all crowds of a day are computed together; in the file a crowd's days stand together.
    for crowd, value in sorted(rows, key=lambda row: audiences.index(row[0])):
        begin, until = over.first, over.until
        if by == "day" and value is not None:
            begin = date.fromisoformat(value)
            until = min(until, day_end(begin))
        name = lines_of.crowd_name(ctx, audience.parse(crowd))
        line = [plain(name), _moment(day_start(begin)), _moment(until)]
        if by == "item":
            line.append(plain(value if value and value != NO_VALUE else ""))
        if by not in (None, "day"):
            line.append(plain(named[value or NO_VALUE]))
        line += [_number(rows[crowd, value][key], catalog.metrics()[key]) for key in keys]
        table.append(line)
    _write(path, table)
    return len(table) - 1


def _header(ctx: Context, key: str) -> str:
    metric = catalog.metrics()[key]
    name = metric.name.get(ctx.lang)
    if metric.unit == "people":
        return ctx.say("table.people", metric=name)
    return ctx.say("table.money", metric=name, currency=ctx.shop.currency) if metric.unit == "CNY" else name


def _number(value: float | int | None, metric: MetricDef) -> str:
    if value is None:
        return ""
    if metric.unit == "ratio":
        return f"{value:.2f}" if metric.multiple else f"{value * 100:.2f}%"
    return f"{value:.2f}" if metric.unit == "CNY" else str(value)


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
