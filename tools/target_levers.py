"""What would close the gap to a target: where the campaign is heading, and which lever alone would have to rise to what.

A day's money is its visitors × the share of them that cart × the share of carters that pay × what a buyer pays. The days to
come are taken to be as those of the last campaign were, times what this one has been of it so far; without a last campaign, as
the whole days of the phase so far, where nothing but that phase is left. (domain: targets, gap what-if)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tools.campaigns import Campaign, day_end
from tools.context import Context
from tools.measures import within
from tools.scope import Moments, Scope

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

_DAY = timedelta(days=1)
_ENOUGH = 20  # people of a day of whom a rate or an order value is worth looking at
# lever → (what is added up over the days, what it is divided by; None: the number of days). The metric that it is called.
LEVERS: dict[str, tuple[str, str | None]] = {
    "visitors": ("visitors", None),
    "visit_cart_rate": ("carters", "visitors"),
    "cart_pay_rate": ("cart_buyers", "carters"),
    "aov": ("paid_amount", "buyers"),
}
_THROUGH_CARTS = ("visit_cart_rate", "cart_pay_rate")  # they move only what is paid by those who carted that day
_COLUMNS = ("visitors", "carters", "buyers", "paid_amount", "cart_buyers", "cart_paid_amount")


@dataclass(frozen=True)
class Days:
    """Whole days of the whole shop, `sql` giving a row for each on which something happened; `rows` are those within `spans`
    (first and last day of each). Levels are of all these days together."""

    spans: tuple[tuple[date, date], ...]
    sql: str
    rows: dict[date, dict[str, float]]

    @property
    def count(self) -> int:
        return sum((last - first).days + 1 for first, last in self.spans)

    def of(self, *spans: tuple[date, date]) -> Days:
        """Some of these days; spans that end before they begin hold none."""
        spans = tuple((first, last) for first, last in spans if first <= last)
        kept = {day: row for day, row in self.rows.items() if any(first <= day <= last for first, last in spans)}
        return Days(spans, self.sql, kept)

    def total(self, column: str) -> float:
        return sum(row[column] for row in self.rows.values())

    def level(self, lever: str) -> float | None:
        """The lever's value over these days; None over nothing."""
        top, bottom = LEVERS[lever]
        below = self.total(bottom) if bottom else self.count
        return self.total(top) / below if below else None

    @property
    def _from(self) -> str:
        where = " OR ".join(f"\"day\" BETWEEN DATE '{first}' AND DATE '{last}'" for first, last in self.spans)
        return f"FROM (\n{self.sql}\n) AS days WHERE ({where or 'FALSE'})"

    def query(self, column: str) -> str:
        return f'SELECT CAST(coalesce(sum("{column}"), 0) AS DOUBLE) AS total {self._from}'

    def level_query(self, lever: str) -> str:
        top, bottom = LEVERS[lever]
        return f"SELECT ({self.query(top)}) / nullif(({self.query(bottom) if bottom else self.count}), 0) AS level"

    def best(self, lever: str) -> tuple[float | None, str]:
        """(the lever's highest value on one of these days with enough people, the statement that gives it)."""
        top, bottom = LEVERS[lever]
        enough = [row for row in self.rows.values() if not bottom or row[bottom] >= _ENOUGH]
        found = max((row[top] / (row[bottom] if bottom else 1) for row in enough), default=None)
        value = f'"{top}" * 1.0' + (f' / "{bottom}"' if bottom else "")
        return found, f"SELECT max({value}) AS best {self._from}" + (f' AND "{bottom}" >= {_ENOUGH}' if bottom else "")


def days(ctx: Context, first: date, last: date) -> Days:
    """The shop's days `first`..`last`, all of them over."""
    scope = Scope(day_end(last), ctx.campaign, ctx.shop.settings, first)
    rows, sql = ctx.engine.rows(("days",), lambda at: _days(ctx.engine, at), scope)
    found = {date.fromisoformat(str(r["day"])[:10]): {c: float(r[c] or 0) for c in _COLUMNS} for r in rows}
    return Days(((first, last),), sql, found)


def _days(engine: Reader, at: Moments) -> ir.Table:
    a = engine.table("activity")
    a = a.filter(a.day >= at.since.date(), a.day <= at.at.date())
    acts = a.group_by("day").agg(visitors=a.first_visit.count(), carters=a.first_cart.count())
    o = engine.table("orders")
    o = o.filter(within(o.paid_at, at.since, at.at)).select("user_id", "paid_at", "amount")
    o = o.mutate(day=o.paid_at.date())
    carts = a.filter(a.first_cart.notnull()).select("user_id", "day", "first_cart")
    t = o.left_join(carts, ["user_id", "day"])
    t = t.drop(*(c for c in t.columns if c.endswith("_right")))
    t = t.mutate(carted=(t.paid_at >= t.first_cart).fill_null(False))
    paid = t.group_by("day").agg(
        buyers=t.user_id.nunique(),
        paid_amount=t.amount.sum().cast("float64"),
        cart_buyers=t.user_id.nunique(where=t.carted),
        cart_paid_amount=t.amount.sum(where=t.carted).cast("float64"),
    )
    t = acts.outer_join(paid, "day")
    return t.mutate(day=t.day.fill_null(t.day_right)).select("day", *_COLUMNS)


# ---- what the days to come bring ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    value: float
    query: str


@dataclass(frozen=True)
class Rest:
    """The days from tomorrow on: what they bring as things go, the part of it that is paid by those who carted the same day,
    and each lever's level then."""

    money: Number
    carted: Number
    levels: dict[str, Number]


def rest_like_last(mine: Days, theirs: Days, rest: Days) -> Rest | None:
    """`rest`, the last campaign's days that match those to come, times what this one (`mine`, its whole days so far) has been
    of `theirs` (the same days of the last one). None where any of them holds no money."""

    def carried(queries: list[str], values: list[float | None]) -> Number | None:
        (a, b, c), (now, then, later) = values, queries
        return Number(a / b * c, f"SELECT ({now}) * 1.0 / ({then}) * ({later})") if a and b and c else None

    three = (mine, theirs, rest)

    def total(column: str) -> Number | None:
        return carried([d.query(column) for d in three], [d.total(column) for d in three])

    money = total("paid_amount")
    if money is None:
        return None
    levels = {}
    for lever in LEVERS:
        level = carried([d.level_query(lever) for d in three], [d.level(lever) for d in three])
        if level is not None:
            levels[lever] = level
    return Rest(money, total("cart_paid_amount") or Number(0, "SELECT 0"), levels)


def rest_like_phase(so_far: Days, left: int) -> Rest | None:
    """`left` days as the phase's whole days `so_far` were on average. None where they brought no money."""

    def total(column: str) -> Number:
        query = f"SELECT ({so_far.query(column)}) / {so_far.count} * {left}"
        return Number(so_far.total(column) / so_far.count * left, query)

    if not so_far.rows or not so_far.total("paid_amount"):
        return None
    levels = {
        lever: Number(level, so_far.level_query(lever))
        for lever in LEVERS
        if (level := so_far.level(lever)) is not None
    }
    return Rest(total("paid_amount"), total("cart_paid_amount"), levels)


# ---- what would close the gap ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """What one lever would have to be on each day to come; `usual` is what it is otherwise, `best` the highest of a day."""

    lever: str
    wanted: Number
    usual: Number
    best: Number | None

    @property
    def seen(self) -> bool:
        """Whether a day of a campaign of this shop has been as good."""
        return self.best is not None and self.wanted.value <= self.best.value


def needs(rest: Rest, short: Number, seen: Days) -> list[Need]:
    """Each lever alone, from the one nearest to what has been `seen` on one of these days; rates above one are left out, as
    nobody can reach them. `short`: the money that the course falls short of the target, above 0."""
    out = []
    for lever, usual in rest.levels.items():
        moved = rest.carted if lever in _THROUGH_CARTS else rest.money
        if not moved.value or not usual.value:
            continue
        wanted = usual.value * (1 + short.value / moved.value)
        if lever.endswith("_rate") and wanted > 1:
            continue
        query = f"SELECT ({usual.query}) * (1 + ({short.query}) * 1.0 / ({moved.query}))"
        value, best_query = seen.best(lever)
        best = Number(value, best_query) if value is not None else None
        out.append(Need(lever, Number(wanted, query), usual, best))
    return sorted(out, key=lambda n: n.wanted.value / n.best.value if n.best else float("inf"))


def campaign_days(campaigns: Sequence[Campaign], until: date) -> list[tuple[date, date]]:
    """The days of campaigns up to `until`."""
    return [(c.first, min(c.last, until)) for c in campaigns if c.first <= until]
