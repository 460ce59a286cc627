"""What changed since the day before: one sentence on the biggest mover, and the task of today that answers it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from knowledge import catalog
from tools import metrics
from tools.briefing_numbers import Yesterday, begins_phase
from tools.briefing_table import SHORT, cell_fact, compared, verbatim
from tools.campaigns import Campaign, Phase
from tools.context import Context
from tools.expressions import parse
from tools.facts import FactSheet, display
from tools.lines import crowd_name, literal
from tools.movers import Mover, biggest_mover, leading_level
from tools.own_tasks import strategies_for
from tools.periods import Window
from tools.plans import plan
from tools.task_list import related
from tools.tasks import cite_strategy

# Which of a task's metrics answer a fall of a number.
_ANSWERED_BY = {
    "visitors": ("visit_rate",),
    "carters": ("visit_cart_rate",),
    "deposit_buyers": ("visit_deposit_rate",),
    "buyers": ("visit_pay_rate", "cart_pay_rate", "repurchase_rate"),
    "cart_pay_rate": ("cart_pay_rate", "visit_pay_rate"),
}


def changes(ctx: Context, campaign: Campaign, phase: Phase, yesterday: Yesterday) -> dict[str, Any]:
    """One sentence on the biggest mover, or why the two days are not alike; and the task of today that answers it."""
    none: dict[str, Any] = {"mover": None, "answer": None, "cited": []}
    if not yesterday.previous:
        return none
    was = campaign.phase_at(yesterday.day)
    if was is None:
        begins = yesterday.day < campaign.first
        return none | {
            "mover": ctx.say("brief.began", campaign=verbatim(ctx, campaign.name.get(ctx.lang))) if begins else None
        }
    if begins_phase(ctx, campaign, yesterday.day):
        return none | {"mover": ctx.say("brief.turned", phase=verbatim(ctx, was.name.get(ctx.lang)))}
    mover = biggest_mover(yesterday.cells, yesterday.previous, yesterday.keys)
    if mover is None:
        return none
    said = none | {"mover": _mover_line(ctx, mover, yesterday)}
    if mover.change > 0 or was != phase:
        return said
    return said | _answer(ctx, mover)


def _mover_line(ctx: Context, mover: Mover, yesterday: Yesterday) -> str:
    assert yesterday.over is not None
    m = catalog.metrics()[mover.metric]
    fact = cell_fact(ctx, mover.now, ctx.say("when.yesterday"), yesterday.over)
    counted = m.unit == "people"
    words = ("brief.more", "brief.fewer") if counted else ("brief.higher", "brief.lower")
    beside = ("brief.shop_more", "brief.shop_fewer") if counted else ("brief.shop_higher", "brief.shop_lower")
    name = ctx.say(SHORT[mover.metric]) if mover.metric in SHORT else m.name.get(ctx.lang)
    crowd = catalog.crowds()[mover.crowd].name.get(ctx.lang)
    by = _move(ctx, mover.now, mover.before, (*words, "brief.same"))
    shop = "" if mover.crowd == "all" else _move(ctx, mover.shop_now, mover.shop_before, (*beside, "brief.shop_same"))
    tail = shop + (_level(ctx, mover, yesterday.over) or "")
    return ctx.say("brief.mover", crowd=crowd, name=name, value=fact.display, by=by, tail=tail)


def _level(ctx: Context, mover: Mover, over: Window) -> str | None:
    """；少的人里 VIP 占 62%: the member level that the change of the members came from, when there is one."""
    found = leading_level(ctx, mover, over)
    if found is None:
        return None
    level = ctx.sheet.text(ctx.say("label.level"), found.level, literal(found.level))
    share = ctx.sheet.add(level.display, found.share, "ratio", found.query, shown=f"{found.share * 100:.0f}%")
    key = "brief.level_more" if mover.change > 0 else "brief.level_less"
    return ctx.say(key, level=level.display, share=share.display)


def _move(ctx: Context, now: metrics.Cell, before: metrics.Cell, words: tuple[str, str, str]) -> str:
    """How far a number went: percent, for a ratio points."""
    if now.value is None or not before.value:
        return ctx.say(words[2])
    if catalog.metrics()[now.metric].unit != "ratio":
        query = f"SELECT ({now.query}) * 1.0 / ({before.query}) - 1"
        return compared(ctx, now.value / before.value - 1, query, words)
    # The difference of what is shown, so that a reader who subtracts finds the same.
    points = round(now.value * 100, 1) - round(before.value * 100, 1)
    if abs(points) < 0.05:
        return ctx.say(words[2])
    query = f"SELECT ({now.query}) - ({before.query})"
    shown = display(abs(points) / 100, "points", ctx.lang)
    fact = ctx.sheet.add(ctx.say("label.change"), now.value - before.value, "points", query, shown=shown)
    return ctx.say(words[0 if points > 0 else 1], by=fact.display)


def _answer(ctx: Context, mover: Mover) -> dict[str, Any]:
    """The task of today's list that is about this crowd and moves this number, with its live size."""
    known = {s.id: s for s in strategies_for(ctx.shop)}
    wanted = _ANSWERED_BY.get(mover.metric, (mover.metric,))
    # The whole list, on a sheet of its own: what is not said leaves no facts behind.
    aside = replace(ctx, sheet=FactSheet(ctx.at, ctx.lang, ctx.sheet.currency))
    listed = plan(aside, limit=None)
    for action in listed.actions:
        task = known.get(action.task or "")
        if task is None or task.metric not in wanted or (mover.crowd != "all" and not related(mover.crowd, task)):
            continue
        number = cite_strategy(ctx, task)
        name = task.title.get(ctx.lang)
        if task.crowd == "all":
            return {"answer": ctx.say("brief.answer", title=name, mark=f"[{number}]"), "cited": [number]}
        size = next(f for f in listed.facts if f.id == action.why[0])
        people = ctx.sheet.add(size.label, size.value, "people", size.query, metric="crowd_size", crowd=size.crowd)
        crowd = crowd_name(ctx, parse(task.crowd))
        text = ctx.say("brief.answer_people", title=name, crowd=crowd, people=people.display, mark=f"[{number}]")
        return {"answer": text, "cited": [number]}
    return {}
