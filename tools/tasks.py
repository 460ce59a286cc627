"""The campaign's task list on a day: what is due, what to prepare, what to watch (knowledge/strategies.yaml)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from knowledge import catalog
from knowledge.catalog import Strategy
from knowledge.chunks import sections
from tools import audience, phases, wording
from tools.campaigns import Campaign, Phase, day_start
from tools.context import Context
from tools.facts import Action, ToolResult
from tools.lines import cite, crowd_name, data_notes, size_line, stamp
from tools.schedule import Timing, schedule
from tools.unpaid import audience_of, balance_action

_SCENES = ("大促优选", "会员", "专属客服", "淘宝群", "粉丝")
_DAY = timedelta(days=1)
_RELATED = 3


@dataclass(frozen=True)
class Task:
    """A strategy on the days it is worked in this campaign."""

    strategy: Strategy
    first: date
    last: date


def tasks_of(campaign: Campaign, phase: Phase) -> tuple[list[Task], bool]:
    """(tasks of the campaign, whether they are borrowed from another campaign's list by kind of phase)."""
    own = [s for s in catalog.strategies() if s.campaign == campaign.key]
    if own:
        return [Task(s, _dated(s.first, campaign.year), _dated(s.last, campaign.year)) for s in own], False
    out: dict[str, Task] = {}
    for s in catalog.strategies():
        kinds = {p.rstrip("0123456789") for p in s.phases}
        on_a_date = s.first == s.last and s.days == "all"
        # A list of another campaign is read by kind of phase; what hangs on its dates or name has no place here.
        if phase.kind not in kinds or on_a_date or s.campaign in s.title.zh:
            continue
        exact = phase.key in s.phases
        title = s.title.zh.rstrip("0123456789")
        if title not in out or exact:
            first = phase.last if s.days == "last" else phase.first
            out[title] = Task(s, first, phase.last)
    return list(out.values()), True


def _dated(month_day: str, year: int) -> date:
    month, day = map(int, month_day.split("-"))
    return date(year, month, day)


def related(tree: audience.Tree, strategy: Strategy) -> bool:
    """Whether a task is about the crowd asked about: the same crowd, or the members' or fans' own list."""
    scenes = {"member": "会员", "fan": "粉丝", "service_contact": "专属客服", "group_member": "淘宝群"}
    return audience.mentions(tree, lambda key: strategy.crowd == key or strategy.scene == scenes.get(key))


def task_plan(
    ctx: Context, tree: audience.Tree | None, campaign: Campaign, phase: Phase, limit: int | None
) -> ToolResult:
    today = ctx.at.date()
    tasks, borrowed = tasks_of(campaign, phase)
    chosen = [t for t in tasks if tree is None or related(tree, t.strategy)]
    due = sorted((t for t in chosen if t.first <= today <= t.last), key=_urgency)
    preparing = [t for t in chosen if t.first - timedelta(days=t.strategy.lead_days) <= today < t.first]
    due = [t for t in due if _timing(ctx, t) is not None or not t.strategy.channels]
    balance = balance_action(ctx, campaign, phase) if tree is None else None
    audiences = {t.strategy.id: _audience(ctx, t.strategy, campaign) for t in due}
    counted = audience.sizes(ctx.engine, list(dict.fromkeys(audiences.values())), ctx.scope)
    # Nobody there, nothing to do; work on the shop itself stays.
    due = [t for t in due if counted[audiences[t.strategy.id]].people or t.strategy.crowd == "all"]
    shown = due[: limit - (1 if balance else 0) if limit else None]

    notes = data_notes(ctx)
    where = phases.location_line(ctx, campaign, phase)
    lines = []
    if tree is not None:
        key = audience.canonical(tree)
        name = crowd_name(ctx, tree)
        profile = audience.profile(ctx.engine, key, ctx.scope)
        lines.append(size_line(ctx, profile, name, phase, campaign))
    actions = [balance] if balance else []
    actions += [_task_action(ctx, t, audiences[t.strategy.id], counted[audiences[t.strategy.id]]) for t in shown]
    ids = [*([balance.id] if balance else []), *(t.strategy.id for t in due)]
    n_due = ctx.sheet.add(ctx.say("label.tasks_due"), len(ids), "count", _values_count(ids))
    prepare = [_prepare(ctx, t) for t in preparing]
    n_prepare = ctx.sheet.add(
        ctx.say("label.tasks_prepare"), len(prepare), "count", _values_count(t.strategy.id for t in preparing)
    )
    if actions or preparing:
        first = re.split(r" — | · |（| \(", actions[0].title)[0] if actions else ""
        said = [ctx.say("plan.tasks_due", due=n_due.display, first=first)] if actions else []
        said += [ctx.say("plan.tasks_prepare", prepare=n_prepare.display)] if preparing else []
        head = ctx.say("join.comma").join(said)
    elif tree is not None:
        head = ctx.say("plan.no_task_for_crowd", crowd=crowd_name(ctx, tree))
    else:
        head = ctx.say("plan.no_task")
    related_sections = _related_sections(ctx, tree) if tree is not None and not actions and not prepare else []
    watch = []
    for name, at, ends in phases.gates_ahead(campaign, ctx):
        fact = phases.gate_fact(ctx, name, at, ends)
        watch.append({"text": f"{fact.display} {name}", "at": stamp(at), "name": name})
    return ToolResult(
        kind="plan",
        facts=ctx.sheet.facts,
        citations=ctx.sheet.citations,
        actions=actions,
        data={
            "mode": "tasks",
            "head": head,
            "where": where,
            "lines": lines,
            "notes": notes,
            "prepare": prepare,
            "watch": watch,
            "crowd": audience.canonical(tree) if tree is not None else None,
            "campaign": campaign.key,
            "phase": phase.key,
            "more": len(due) > len(shown),
            "related": related_sections,
            "assumed": [ctx.say("plan.borrowed", campaign=campaign.name.get(ctx.lang))] if borrowed and due else [],
        },
    )


def _related_sections(ctx: Context, tree: audience.Tree) -> list[str]:
    """What the playbooks say about a crowd that today's list does not name: first sentences, cited."""
    found: list[str] = []
    for hit in ctx.open_search().search(audience.label(tree, "zh"), k=8):
        section = sections().get(hit.passage.key.removeprefix("playbook:"))
        if section is not None and len(found) < _RELATED:
            number = ctx.sheet.cite(section.title.get(ctx.lang), section.path.get(ctx.lang), section.quote())
            found.append(f"{section.quote()} [{number}]")
    return found


def _values_count(ids: Any) -> str:
    values = ", ".join(f"('{i}')" for i in ids)
    return f"SELECT count(*) FROM (VALUES {values}) AS tasks" if values else "SELECT 0"


def _urgency(task: Task) -> tuple[int, int, date]:
    """What can be done only today comes first, then the groups in the guide's order."""
    return (0 if task.first == task.last else 1, _SCENES.index(task.strategy.scene), task.last)


def _audience(ctx: Context, strategy: Strategy, campaign: Campaign) -> str:
    """Whom a task addresses; a payment reminder never goes to people who owe a balance that they can pay."""
    if strategy.crowd in ("cart_unpaid", "cart_fav_unpaid", "last_push"):
        return audience_of(ctx, f"{strategy.crowd} and not balance_due", campaign)
    if strategy.metric in _PAY_METRICS and strategy.crowd != "all":
        return f"{strategy.crowd} and not wave_buyers"  # whoever bought in this wave is not pushed to pay
    return strategy.crowd


def _timing(ctx: Context, task: Task) -> Timing | None:
    s = task.strategy
    if not s.channels:
        return None
    deadline = day_start(task.last + _DAY)
    final = s.metric in _PAY_METRICS
    return schedule(catalog.unpaid(), _SLOT[s.channels[0]], list(s.channels), ctx.at, deadline, final=final)


def _task_action(ctx: Context, task: Task, crowd: str, found: audience.Counted) -> Action:
    s = task.strategy
    deadline = day_start(task.last + _DAY)
    timing = _timing(ctx, task)
    people = ctx.sheet.add(
        ctx.say("label.audience", title=s.title.get(ctx.lang)),
        found.people,
        "people",
        found.query,
        metric="crowd_size",
        crowd=crowd,
    )
    if timing:
        ctx.sheet.moment(ctx.say("label.send_at", title=s.id), timing.at, wording.moment(timing.at, ctx.at, ctx.lang))
    ctx.sheet.moment(ctx.say("label.deadline", title=s.id), deadline, wording.moment(deadline, ctx.at, ctx.lang))
    name = catalog.crowds()[s.crowd].name.get(ctx.lang)
    title = s.title.get(ctx.lang)
    # Work on the shop itself addresses nobody in particular, so no number of people stands behind it.
    addressed = ctx.say("plan.task_title", title=title, crowd=name, people=people.display)
    shown = title if s.crowd == "all" else addressed
    number = cite(ctx, s.source)
    return Action(
        id=s.id,
        task=s.id,
        title=shown,
        crowd=crowd,
        people=found.people,
        channels=list(timing.channels) if timing else [],
        when=stamp(timing.at) if timing else None,
        deadline=stamp(deadline - timedelta(minutes=1)),
        why=[people.id],
        cites=[number],
        stop_rule=ctx.say("plan.stop_pay" if s.metric in _PAY_METRICS else "plan.stop_reply"),
    )


_PAY_METRICS = ("cart_pay_rate", "visit_pay_rate", "visit_deposit_rate", "deposit_balance_rate")
_SLOT: dict[str, Any] = {
    "sms": "morning",
    "card_sms": "morning",
    "ai_call": "afternoon",
    "exclusive_service": "afternoon",
    "group": "evening",
    "push": "evening",
    "live": "evening",
}


def _prepare(ctx: Context, task: Task) -> dict[str, Any]:
    begins = ctx.sheet.moment(
        ctx.say("label.task_start", title=task.strategy.id), day_start(task.first), wording.day(task.first, ctx.lang)
    )
    title = task.strategy.title.get(ctx.lang)
    return {
        "task": task.strategy.id,
        "title": title,
        "start": task.first.isoformat(),
        "text": ctx.say("plan.prepare_line", title=title, day=begins.display),
        "cites": [cite(ctx, task.strategy.source)],
    }
