"""Today's actions: for un-paid people by what the phase allows, for everybody else the campaign's task list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tools import audience, phases, wording
from tools import lines as lines_of
from tools.campaigns import day_start
from tools.context import Context
from tools.copy_brief import channel_key
from tools.facts import ToolResult
from tools.own_tasks import own_tasks
from tools.periods import parse_day
from tools.status import data_until
from tools.task_list import UNPAID
from tools.tasks import task_plan
from tools.unpaid import MAX_ACTIONS, unpaid_plan

_PROBLEMS = 3  # told in a plan; warroom status tells all


def plan(
    ctx: Context,
    crowd: str | None = None,
    limit: int | None = MAX_ACTIONS,
    on: str | None = None,
    channel: str | None = None,
) -> ToolResult:
    """Today's actions. `crowd` is a crowd key or expression; without one, what is due today (at most `limit` actions).

    on: another day (YYYY-MM-DD) to plan, from its morning, on the data up to now. channel: what goes by it alone; "not sms":
    all but it. AskAgain when a name is unknown.
    """
    if channel:
        denied, name = channel.startswith("not "), channel.removeprefix("not ")
        channel = f"not {channel_key(name)}" if denied else channel_key(name)
    if on is None or parse_day(on) == ctx.at.date():
        return _plan_at(ctx, crowd, limit, channel)
    now = ctx.at
    ctx = ctx.seen_at(day_start(parse_day(on)) + timedelta(hours=9))
    ends = [end for end in data_until(ctx.engine).values() if end is not None]
    if ctx.at > now and any(end > now for end in ends):  # looked at from the past: what came after is not known yet
        ctx = replace(ctx, known=now)
    shown = wording.day(ctx.at.date(), ctx.lang, year=True)
    day = ctx.sheet.moment(ctx.say("label.planned_day"), ctx.at, shown)
    planned = _plan_at(ctx, crowd, limit, channel)
    told = planned.data["notes" if "notes" in planned.data else "lines"]
    told.insert(0, ctx.say("plan.other_day", day=day.display))
    if ctx.known is not None:
        told.insert(1, ctx.say("plan.known_now"))
    return planned


def _plan_at(ctx: Context, crowd: str | None, limit: int | None, channel: str | None) -> ToolResult:
    tree = audience.read(ctx.engine, crowd) if crowd else None
    left_out = _left_out(ctx)
    planned = _planned(ctx, tree, limit, channel)
    lines = planned.data["notes" if "notes" in planned.data else "lines"]
    if ctx.inside is not None and ctx.at.date() in ctx.inside.member_days:
        lines.insert(0, ctx.say("tasks.member_day"))
    lines.extend(left_out)
    return planned


def _left_out(ctx: Context) -> list[str]:
    """A line for each mistake in the shop's own task list, the first ones: what they say is not in the plan."""
    wrong = own_tasks(ctx.shop).problems
    lines = [ctx.say("tasks.problem", problem=e.message(ctx.lang), hint=e.hint(ctx.lang)) for e in wrong[:_PROBLEMS]]
    lines += [ctx.say("tasks.more_problems", n=len(wrong) - _PROBLEMS)] if len(wrong) > _PROBLEMS else []
    return [ctx.sheet.text(ctx.say("tasks.text"), line, lines_of.literal(line)).display for line in lines]


def _planned(ctx: Context, tree: audience.Tree | None, limit: int | None, channel: str | None) -> ToolResult:
    here = phases.position(ctx)
    if tree is not None and audience.mentions(tree, UNPAID.__contains__):
        if here is None:
            return _outside(ctx, tree)
        return unpaid_plan(ctx, tree, *here, channel)
    if here is None:
        return _outside(ctx, tree)
    return task_plan(ctx, tree, *here, limit, channel)


def _outside(ctx: Context, tree: audience.Tree | None) -> ToolResult:
    """No campaign, so no wave: nobody is pushed; what was left of the last wave is shown where there was one."""
    lines = phases.outside_lines(ctx)
    data: dict[str, Any] = {"mode": "outside", "head": ctx.say("plan.outside"), "lines": lines}
    if tree is not None and ctx.campaign is not None:
        key = audience.canonical(tree)
        counted = audience.sizes(ctx.engine, [key], ctx.scope)[key]
        name = lines_of.crowd_name(ctx, tree)
        fact = ctx.sheet.add(
            ctx.say("label.size", crowd=name), counted.people, "people", counted.query, metric="crowd_size", crowd=key
        )
        lines.append(ctx.say("plan.left_of_last_wave", crowd=name, people=fact.display))
    return ToolResult(kind="plan", facts=ctx.sheet.facts, data=data)
