"""The biggest mover of a day: which crowd's number changed most against the day before, when it is more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge import catalog
from tools import metrics
from tools.briefing_numbers import PANEL, Cells
from tools.context import Context
from tools.measures import NO_VALUE
from tools.periods import Window

# A change is named only when it is large, about enough people, and more than chance: 3 standard errors, since about twenty
# crowd-and-metric pairs are looked at every day.
_MIN_CHANGE, _MIN_PEOPLE, _MIN_ERRORS = 0.10, 50, 3.0
# A level leads a change when it is most of it, and clearly more of it than it was of the people.
_MOST, _MORE_THAN_ITS_SHARE = 0.5, 0.15


@dataclass(frozen=True)
class Mover:
    """A crowd's number that changed most; `change` and `shop_change` are relative (0.1 = a tenth more)."""

    crowd: str
    metric: str
    now: metrics.Cell
    before: metrics.Cell
    shop_now: metrics.Cell
    shop_before: metrics.Cell

    @property
    def change(self) -> float:
        return _change(self.now, self.before)

    @property
    def shop_change(self) -> float:
        return _change(self.shop_now, self.shop_before)


def biggest_mover(now: Cells, before: Cells, keys: Sequence[str]) -> Mover | None:
    """The crowd and metric of `keys` that changed most against the day before; None when nothing is more than chance.

    Amounts are left out: a few large orders move them. Where a crowd only went with the whole shop, the shop is named.
    """
    found = []
    for key in (k for k in keys if catalog.metrics()[k].unit in ("people", "ratio")):
        for crowd in PANEL:
            pair = (crowd, key)
            if pair in now and pair in before and _is_material(now, before, crowd, key):
                found.append(
                    Mover(crowd, key, now[pair], before[pair], now["all", key], before["all", key]),
                )
    if not found:
        return None
    most = max(found, key=lambda m: abs(_log(m.now, m.before)))
    alone = abs(_log(most.now, most.before) - _log(most.shop_now, most.shop_before))
    shop = next((m for m in found if m.crowd == "all" and m.metric == most.metric), None)
    return shop if shop is not None and alone < math.log1p(_MIN_CHANGE) else most


def _change(now: metrics.Cell, before: metrics.Cell) -> float:
    return (now.value or 0) / before.value - 1 if before.value else 0.0


def _log(now: metrics.Cell, before: metrics.Cell) -> float:
    """The change so that doubling and halving are equally far; a drop to nothing is farthest."""
    if not before.value:
        return 0.0
    return math.log(max(now.value or 0, 1e-9) / before.value)


def _is_material(now: Cells, before: Cells, crowd: str, key: str) -> bool:
    a, b = now[crowd, key].value, before[crowd, key].value
    if a is None or not b or abs(a / b - 1) < _MIN_CHANGE:
        return False
    m = catalog.metrics()[key]
    if m.unit == "people":
        return max(a, b) >= _MIN_PEOPLE and abs(a - b) >= _MIN_ERRORS * math.sqrt(a + b)
    if m.numerator is None or m.denominator is None or (crowd, m.denominator) not in now:
        return False
    (x1, n1), (x2, n2) = (
        (cells[crowd, m.numerator].value or 0, cells[crowd, m.denominator].value or 0) for cells in (now, before)
    )
    if min(n1, n2) < _MIN_PEOPLE:
        return False
    p = (x1 + x2) / (n1 + n2)
    error = math.sqrt(max(p * (1 - p), 0) * (1 / n1 + 1 / n2))
    return error > 0 and abs(a - b) >= _MIN_ERRORS * error


@dataclass(frozen=True)
class Leading:
    """A member level and its part of the change (0.62 of the people who are missing), with the query that gives it."""

    level: str
    share: float
    query: str


def leading_level(ctx: Context, mover: Mover, over: Window) -> Leading | None:
    """The member level that the members' change came from; None for other crowds, for ratios, and when no level leads."""
    if mover.crowd != "member" or catalog.metrics()[mover.metric].unit != "people" or not mover.before.value:
        return None
    now, before = (_by_level(ctx, mover.metric, day) for day in (over, over.shifted(-1, whole=True)))
    total = (mover.now.value or 0) - mover.before.value
    both = [level for level in now if level in before and level != NO_VALUE]
    changes = {level: (now[level].value or 0) - (before[level].value or 0) for level in both}
    if len(both) < 2 or not total:
        return None
    level = max(both, key=lambda v: (changes[v] / total, v))
    share = changes[level] / total
    usual = (before[level].value or 0) / mover.before.value
    if not _MOST <= share <= 1 or share < usual + _MORE_THAN_ITS_SHARE:
        return None
    a, b = now[level].query, before[level].query
    query = f"SELECT (({a}) - ({b})) * 1.0 / (({mover.now.query}) - ({mover.before.query}))"
    return Leading(level, share, query)


def _by_level(ctx: Context, key: str, over: Window) -> dict[str, metrics.Cell]:
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    cells = metrics.compute(ctx.engine, [key], ["member"], over, scope, "member_level")
    return {c.by: c for c in cells if c.by is not None}
