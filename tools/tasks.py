"""The campaign's task list on a day: what to do, what to prepare, the methods in force, what to watch (knowledge/tasks/)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from knowledge import catalog
from knowledge.chunks import first_sentence, section_of, sections
from knowledge.strategies import ANY, Strategy, scenes
from tools import audience, phases, wording
from tools.campaigns import Campaign, Phase, day_start
from tools.context import Context
from tools.facts import Action, ToolResult
from tools.lines import cite, crowd_name, data_notes, literal, size_line, stamp
from tools.own_tasks import FILE
from tools.schedule import Timing, schedule
from tools.task_list import Task, due_on, prepare_from, related, tasks_of, to_prepare_on
from tools.unpaid import audience_of, balance_action

_DAY = timedelta(days=1)
_RELATED = 3
_METHODS = (4, 8)  # shown in an answer with a limit, and without one


def task_plan(
    ctx: Context, tree: audience.Tree | None, campaign: Campaign, phase: Phase, limit: int | None
) -> ToolResult:
    today = ctx.at.date()
    chosen = [t for t in tasks_of(ctx.shop, campaign) if tree is None or related(tree, t.strategy)]
    # Nobody is asked to pay when nothing is payable, whatever days an entry gives.
    due = [t for t in due_on(chosen, today, "task") if phase.kind == "sale" or not t.strategy.pay]
    due = sorted((t for t in due if _timing(ctx, t) is not None or not t.strategy.channels), key=_urgency)
    preparing = to_prepare_on(chosen, today)
    in_force = sorted(due_on(chosen, today, "method"), key=_nearness)
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
    methods = [_method(ctx, t) for t in in_force[: _METHODS[limit is None]]]
    if actions or preparing:
        first = re.split(r" — | · |（| \(", actions[0].title)[0] if actions else ""
        said = [ctx.say("plan.tasks_due", due=n_due.display, first=first)] if actions else []
        said += [ctx.say("plan.tasks_prepare", prepare=n_prepare.display)] if preparing else []
        head = ctx.say("join.comma").join(said)
    elif tree is not None:
        head = ctx.say("plan.no_task_for_crowd", crowd=crowd_name(ctx, tree))
    else:
        head = ctx.say("tasks.methods_only" if methods else "plan.no_task")
    quiet = tree is not None and not actions and not prepare and not methods
    related_sections = _related_sections(ctx, tree) if tree is not None and quiet else []
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
            "methods": methods,
            "more_methods": len(methods) < len(in_force),
            "watch": watch,
            "crowd": audience.canonical(tree) if tree is not None else None,
            "campaign": campaign.key,
            "phase": phase.key,
            "more": len(due) > len(shown),
            "related": related_sections,
            "assumed": _lent(ctx, campaign, due),
        },
    )


def _lent(ctx: Context, campaign: Campaign, due: Sequence[Task]) -> list[str]:
    """Whose tasks are borrowed today, in a sentence; nothing where none are."""
    templates = catalog.campaign_templates()
    lenders = [templates[key].name for key in dict.fromkeys(t.lender for t in due if t.lender)]
    names = ctx.say("join.list").join(n if isinstance(n, str) else n.get(ctx.lang) for n in lenders)
    own = campaign.name.get(ctx.lang)
    return [ctx.say("plan.borrowed", campaign=own, lender=names)] if lenders else []


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


def _urgency(task: Task) -> tuple[int, int, int, int]:
    """What can be done only today comes first, then the scenes in their order, then what ends first or was begun last."""
    order = list(scenes()).index(task.strategy.scene)
    return (0 if task.first == task.last else 1, order, task.last.toordinal(), -task.first.toordinal())


def _nearness(task: Task) -> tuple[int, int]:
    """The campaign's own methods come before those that hold for any, and what holds on fewer days before what holds long."""
    return (task.strategy.campaign == ANY, (task.last - task.first).days)


def _audience(ctx: Context, strategy: Strategy, campaign: Campaign) -> str:
    """Whom a task addresses. One about buying never goes to people who bought in this wave, nor to those who owe a balance that
    they can pay: they get the balance reminder alone."""
    crowd = strategy.crowd
    if crowd == "all" or not (strategy.pay or strategy.metric in _BUY_METRICS):
        return crowd
    mine = audience.crowds_in(audience.parse(crowd))
    out = f"({crowd})" if " " in crowd else crowd
    if crowd not in ("cart_unpaid", "cart_fav_unpaid", "last_push", "balance_due") and "wave_buyers" not in mine:
        out += " and not wave_buyers"
    return out if "balance_due" in mine else audience_of(ctx, f"{out} and not balance_due", campaign)


def _timing(ctx: Context, task: Task) -> Timing | None:
    s = task.strategy
    if not s.channels:
        return None
    deadline = day_start(task.last + _DAY)
    final = s.pay or s.metric in _PAY_METRICS
    slot = s.slot or _SLOT[s.channels[0]]
    return schedule(catalog.unpaid(), slot, list(s.channels), ctx.at, deadline, final=final)


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
    number = cite_strategy(ctx, s)
    title = s.title.get(ctx.lang)
    # Work on the shop itself addresses nobody in particular, so no number of people stands behind it.
    shown = title
    if s.crowd != "all":
        name = crowd_name(ctx, audience.parse(s.crowd))
        shown = ctx.say("plan.task_title", title=title, crowd=name, people=people.display)
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
        stop_rule=_stop_rule(ctx, s),
    )


def _stop_rule(ctx: Context, s: Strategy) -> str | None:
    """When a person leaves the list; work on the shop itself has no list."""
    if s.crowd == "all" and not s.channels:
        return None
    return ctx.say("plan.stop_pay" if s.pay or s.metric in _PAY_METRICS else "plan.stop_reply")


_PAY_METRICS = ("cart_pay_rate", "visit_pay_rate", "visit_deposit_rate", "deposit_balance_rate")
_BUY_METRICS = (*_PAY_METRICS, "conversion_rate", "repurchase_rate", "aov")
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
    """What to have ready by the task's first day; late once less than its time to prepare is left."""
    s, since = task.strategy, prepare_from(task)
    label = ctx.say("label.task_start", title=s.id)
    ready = ctx.sheet.moment(label, day_start(task.first), wording.day(task.first, ctx.lang))
    title = s.title.get(ctx.lang)
    number = cite_strategy(ctx, s)
    late = since < ctx.at.date()
    if late:
        begin = ctx.sheet.moment(label, day_start(since), wording.day(since, ctx.lang))
        days = (task.first - ctx.at.date()).days
        query = f"SELECT date_diff('day', DATE '{ctx.at.date()}', DATE '{task.first}')"
        left = ctx.sheet.add(ctx.say("tasks.left"), days, "days", query)
        text = ctx.say("tasks.prepare_late", title=title, day=ready.display, since=begin.display, left=left.display)
    else:
        text = ctx.say("tasks.prepare_today", title=title, day=ready.display)
    return {
        "task": s.id,
        "title": title,
        "start": task.first.isoformat(),
        "since": since.isoformat(),
        "late": late,
        "text": text,
        "cites": [number],
    }


def _method(ctx: Context, task: Task) -> dict[str, Any]:
    """A way of working: its first sentence, cited; it has no audience."""
    s = task.strategy
    number = cite_strategy(ctx, s)
    said = first_sentence(s.what.get(ctx.lang))
    _trace(ctx, said, own=s.source is None)
    text = ctx.say("tasks.method_line", title=s.title.get(ctx.lang), first=said)
    return {"task": s.id, "title": s.title.get(ctx.lang), "text": text, "cites": [number]}


def cite_strategy(ctx: Context, s: Strategy) -> int:
    """The number of what a strategy cites: its section of a playbook, or the shop's own task list."""
    title = s.title.get(ctx.lang)
    if s.source is None:
        return ctx.sheet.cite(FILE, title, s.what.get(ctx.lang))
    if title not in section_of(s.source).title.get(ctx.lang):
        _trace(ctx, title)
    return cite(ctx, s.source)


def _trace(ctx: Context, text: str, *, own: bool = False) -> None:
    """A text of the catalogue that holds a numeral, and any text that a shop wrote, is a fact like every number that is shown."""
    if own or any(c.isnumeric() for c in text):
        ctx.sheet.text(ctx.say("tasks.text"), text, literal(text))
