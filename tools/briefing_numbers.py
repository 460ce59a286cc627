"""The briefing's numbers: up to when the data goes, yesterday's panel and what it stands against, the pace to the targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from knowledge import catalog
from tools import metrics
from tools.campaigns import Campaign, Phase, campaign_for, day_end, day_start, earlier_same
from tools.context import Context
from tools.periods import Window
from tools.sql import quote
from tools.status import data_until

if TYPE_CHECKING:
    from tools.reader import Reader

PANEL = ("all", "old", "new", "member", "fan")
# The number of a day that each kind of phase is worked for.
MATTERS = {
    "prepare": "visitors", "pool": "carters", "presale": "deposit_buyers", "preheat": "carters", "sale": "paid_amount",
    "review": "paid_amount",
}  # fmt: skip
_DAY = timedelta(days=1)
_USUAL_DAYS = 7
# Every moment that a row of the table tells of; an order is known to be there by each of its payments.
_MOMENTS = {"events": "ts", "orders": "unnest([created_at, paid_at, deposit_paid_at])"}

Cells = dict[tuple[str, str], metrics.Cell]


def columns_of(kind: str) -> tuple[str, ...]:
    """The metrics of a row in this kind of phase; in presale the deposits are what is sold."""
    deposits = ("deposit_buyers",) if kind == "presale" else ()
    return ("visitors", "carters", *deposits, "buyers", "paid_amount")


def panel(ctx: Context, keys: Sequence[str], crowds: Sequence[str], over: Window) -> Cells:
    """All `keys` and what their ratios are made of, for each crowd, from one statement."""
    known = catalog.metrics()
    parts = [p for k in keys for p in (known[k].numerator, known[k].denominator) if p in known]
    wanted = list(dict.fromkeys([*keys, *(p for p in parts if p)]))
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    return {(c.crowd, c.metric): c for c in metrics.compute(ctx.engine, wanted, crowds, over, scope)}


# ---- up to when the data goes ------------------------------------------------------------------------------------


def told_until(ctx: Context) -> tuple[datetime | None, list[str]]:
    """(the moment up to which the days before today can be told, the tables that say less than all of yesterday).

    The moment is yesterday's end, or where behaviour or orders end before it; None without any data.
    """
    yesterday = ctx.at.date() - _DAY
    ends = data_until(ctx.engine)
    short = {t: end for t, end in ends.items() if end is None or not reaches(ctx.engine, t, end, yesterday)}
    if all(end is None for end in ends.values()):
        return None, list(short)
    return min([day_end(yesterday), *(end for end in short.values() if end is not None)]), list(short)


def reaches(engine: Reader, table: str, end: datetime, day: date) -> bool:
    """Whether the table holds all of `day`. A quiet shop's last order of a day is hours before midnight: data that ends on
    the day is whole when it goes as late as the last row of each of the seven days before did."""
    if end >= day_end(day):
        return True
    if end < day_start(day):
        return False
    sql = (
        f"SELECT min(last) AS usual FROM (SELECT max(strftime(ts, '%H:%M:%S')) AS last "
        f"FROM (SELECT {_MOMENTS[table]} AS ts FROM {table}) AS moments "
        f"WHERE ts >= DATE '{day - _USUAL_DAYS * _DAY}' AND ts < DATE '{day}' GROUP BY CAST(ts AS DATE)) AS days"
    )
    usual = engine.query(sql)[0]["usual"]
    return usual is not None and end.strftime("%H:%M:%S") >= usual


# ---- the same day of the last campaign ---------------------------------------------------------------------------


def same_day_before(ctx: Context, campaign: Campaign, phase: Phase, day: date) -> tuple[Campaign | None, date | None]:
    """(the last instance of the campaign, its day of the same number in the same phase); None where there is none."""
    earlier = earlier_same(campaign, ctx.shop.campaigns)
    if earlier is None:
        return None, None
    twin = next((p for p in earlier.phases if p.key == phase.key), None)
    n = phase.day_number(day)
    return earlier, twin.first + (n - 1) * _DAY if twin and n <= twin.days else None


# ---- yesterday ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Yesterday:
    """The day that the briefing reports: what is known of it and what it is set against.

    `told` is the moment up to which there is data, `kind` the kind of phase that says which numbers matter. `over` is None when
    the data ends before the day; `previous` and `last` are there only when all of the day is known.
    """

    day: date
    told: datetime | None
    kind: str
    cells: Cells
    over: Window | None
    previous: Cells
    last: Cells
    last_over: Window | None

    @property
    def whole(self) -> bool:
        return self.over is not None and not self.over.partial

    @property
    def keys(self) -> list[str]:
        return [*columns_of(self.kind), catalog.unpaid().phases[self.kind].ratio]  # type: ignore[index]


def yesterday(
    ctx: Context, told: datetime | None, kind: str, campaign: Campaign | None, phase: Phase | None
) -> Yesterday:
    """`phase` is the one that yesterday was in, for the same day of the last campaign."""
    day = ctx.at.date() - _DAY
    over = Window(day, day, min(told, day_end(day))) if told and told >= day_start(day) else None
    known = Yesterday(day, told, kind, {}, over, {}, {}, None)
    if over is None:
        return known
    cells = panel(ctx, known.keys, PANEL, over)
    if not known.whole:
        return Yesterday(day, told, kind, cells, over, {}, {}, None)
    previous = _unless_empty(panel(ctx, known.keys, PANEL, over.shifted(-1, whole=True)))
    last, last_over = {}, None
    twin = same_day_before(ctx, campaign, phase, day)[1] if campaign and phase else None
    if twin is not None:
        last_over = Window(twin, twin, day_end(twin))
        last = _unless_empty(panel(ctx, known.keys, PANEL, last_over))
    return Yesterday(day, told, kind, cells, over, previous, last, last_over)


def _unless_empty(cells: Cells) -> Cells:
    """Nothing to compare with where nobody visited or bought: such a day is before the data begins."""
    return cells if any(cells["all", key].value for key in ("visitors", "buyers")) else {}


def begins_phase(ctx: Context, campaign: Campaign, day: date) -> bool:
    """Whether `day` began a phase, so that the day before was something else."""
    was, then = campaign.phase_at(day), campaign_for(day - _DAY, ctx.shop.campaigns)
    return was is not None and (then is None or then.phase_at(day - _DAY) != was)


# ---- targets -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pace:
    """`actual` against `target` with their queries; `whole` when they are sums from the first target's day on."""

    actual: float
    target: float
    actual_query: str
    target_query: str
    whole: bool

    @property
    def ratio(self) -> float:
        return self.actual / self.target - 1

    @property
    def query(self) -> str:
        return f"SELECT ({self.actual_query}) * 1.0 / ({self.target_query}) - 1"


def pace(ctx: Context, campaign: Campaign, key: str, day: date, cell: metrics.Cell) -> Pace | None:
    """How the shop stands against the sum of its daily targets up to `day`, from the first one on; None without a target.

    People of single days do not add up to the people of many, and days without a target leave nothing to set the sum
    against: there the day stands against its own target. `cell` is the day's number.
    """
    where = f"campaign = {quote(campaign.key)} AND crowd = 'all' AND metric = {quote(key)}"
    span = f"{where} AND date BETWEEN DATE '{campaign.first}' AND DATE '{day}'"
    row = ctx.engine.query(f"SELECT count(DISTINCT date) AS days, min(date) AS first FROM targets WHERE {span}")[0]
    if not row["days"]:
        return None
    first = date.fromisoformat(row["first"])
    target_query = f"SELECT CAST(sum(value) AS DOUBLE) AS value FROM targets WHERE {span}"
    whole = catalog.metrics()[key].unit == "CNY" and 1 < row["days"] == (day - first).days + 1
    if whole:
        cell = panel(ctx, [key], ["all"], Window(first, day, day_end(day)))["all", key]
    else:
        target_query = f"SELECT CAST(sum(value) AS DOUBLE) AS value FROM targets WHERE {where} AND date = DATE '{day}'"
    target = ctx.engine.query(target_query)[0]["value"]
    if not target or cell.value is None:
        return None
    return Pace(cell.value, target, cell.query, target_query, whole)
