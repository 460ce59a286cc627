"""The campaign's task list on a day: what to do, what to prepare, the methods in force, what to watch (knowledge/tasks/)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

from knowledge import catalog
from knowledge.catalog import Channel
from knowledge.chunks import first_sentence, section_of, sections
from knowledge.strategies import ANY, Strategy, scenes
from tools import audience, phases, wording
from tools.campaigns import Campaign, Phase, day_start
from tools.context import Context
from tools.facts import Action, ToolResult
from tools.lines import any_stale, cite, crowd_name, data_notes, literal, size_line, stamp
from tools.own_tasks import FILE
from tools.schedule import Timing, schedule
from tools.task_list import (
    PAY_METRICS,
    Task,
    asks_to_pay,
    by_behaviour,
    due_on,
    fits_any,
    for_unpaid,
    left_channels,
    on_the_shop,
    prepare_from,
    related,
    reminds,
    tasks_of,
    to_prepare_on,
)
from tools.unpaid import audience_of, balance_action

_DAY = timedelta(days=1)
_RELATED = 3
_METHODS = (4, 8)  # shown in an answer with a limit, and without one


def task_plan(
    ctx: Context,
    tree: audience.Tree | None,
    campaign: Campaign,
    phase: Phase,
    limit: int | None,
    channel: str | None = None,
) -> ToolResult:
    """What is due on the day, to be prepared and to be watched: all of it, what concerns a crowd, what goes by one channel."""
    today = ctx.at.date()
    chosen = [t for t in tasks_of(ctx.shop, campaign) if tree is None or related(tree, t.strategy)]
    chosen = [t for task in chosen if (t := _by_channel(task, channel)) is not None]
    # Nobody is asked to pay when nothing is payable, whatever days an entry gives.
    due = [t for t in due_on(chosen, today, "task") if phase.kind == "sale" or not t.strategy.pay]
    due = sorted((t for t in due if _timing(ctx, t) is not None or not t.strategy.channels), key=_urgency)
    preparing = to_prepare_on(chosen, today)
    in_force = sorted(due_on(chosen, today, "method"), key=_nearness)
    stale = any_stale(ctx)
    balance = _balance(ctx, campaign, phase, stale) if tree is None else None
    if balance is not None:
        left = left_channels(cast("list[Channel]", balance.channels), channel)
        balance = balance.model_copy(update={"channels": left}) if left is not None else None
    audiences = {t.strategy.id: _audience(ctx, t.strategy, campaign) for t in due}
    counted = audience.sizes(ctx.engine, list(dict.fromkeys(audiences.values())), ctx.scope)
    # Nobody there, nothing to do; work on the shop itself stays, and so does what old data cannot count.
    due = [
        t
        for t in due
        if counted[audiences[t.strategy.id]].people or on_the_shop(t.strategy) or (stale and by_behaviour(t.strategy))
    ]
    told = [*(t for t in due if stale and reminds(t.strategy, phase)), *([balance] if balance and stale else [])]
    shown = due[: limit - (1 if balance else 0) if limit else None]

    notes = data_notes(ctx) + ([ctx.say("plan.stale")] if told else [])
    where = phases.location_line(ctx, campaign, phase)
    lines = []
    if tree is not None:
        key = audience.canonical(tree)
        name = crowd_name(ctx, tree)
        profile = audience.profile(ctx.engine, key, ctx.scope)
        lines.append(size_line(ctx, profile, name, phase, campaign))
    actions = [balance] if balance else []
    for t in shown:
        found = counted[audiences[t.strategy.id]]
        unknown = not found.people or (stale and reminds(t.strategy, phase))
        actions.append(_task_action(ctx, t, phase, audiences[t.strategy.id], None if unknown else found))
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
    if channel is not None:
        head = ctx.say("plan.by_channel", channel=wording.channel(channel, ctx.lang), head=head)
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
            "what": {t.strategy.id: _said(ctx, t.strategy) for t in shown if not t.lender or fits_any(t.strategy)},
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
        section = sections().get(hit.passage.stands_for.removeprefix("playbook:"))
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
    if audience.parse(crowd) == "all" or not (for_unpaid(strategy) or strategy.pay or strategy.metric in _BUY_METRICS):
        return crowd
    tree = audience.parse(crowd)
    mine, key = audience.crowds_in(tree), audience.canonical(tree)
    out = key if isinstance(tree, str) else f"({key})"
    settled = audience.mentions(tree, _NOT_PAID_SINCE.__contains__) and " or " not in key
    if not settled and "wave_buyers" not in mine:
        out += " and not wave_buyers"
    return out if "balance_due" in mine else audience_of(ctx, f"{out} and not balance_due", campaign)


def _timing(ctx: Context, task: Task) -> Timing | None:
    s = task.strategy
    if not s.channels:
        return None
    deadline = day_start(task.last + _DAY)
    final = s.pay or s.metric in PAY_METRICS or for_unpaid(s)
    slot = s.slot or _SLOT[s.channels[0]]
    return schedule(catalog.unpaid(), slot, list(s.channels), ctx.at, deadline, final=final)


def _by_channel(task: Task, channel: str | None) -> Task | None:
    """The task with the channels of it that were asked for."""
    left = left_channels(task.strategy.channels, channel)
    if left is None or left == task.strategy.channels:
        return task if left is not None else None
    return replace(task, strategy=task.strategy.model_copy(update={"channels": left}))


def _balance(ctx: Context, campaign: Campaign, phase: Phase, stale: bool) -> Action | None:
    """The balance reminder; without a number of people when the data cannot tell who has paid since."""
    action = balance_action(ctx, campaign, phase)
    if action is None or not stale:
        return action
    name = crowd_name(ctx, audience.parse(str(action.crowd)))
    title = ctx.say("tasks.uncounted", title=ctx.say("tasks.balance"), crowd=name)
    return action.model_copy(update={"title": title, "people": None, "why": []})


def _task_action(ctx: Context, task: Task, phase: Phase, crowd: str, found: audience.Counted | None) -> Action:
    """A task as an action; `found` is None where the data cannot count its audience."""
    s = task.strategy
    deadline = day_start(task.last + _DAY)
    timing = _timing(ctx, task)
    title = shown = shown_title(task, ctx.lang)
    people = None
    if on_the_shop(s):
        pass  # it addresses nobody in particular, so no number of people stands behind it
    elif found is None:
        shown = ctx.say("tasks.uncounted", title=title, crowd=crowd_name(ctx, audience.parse(s.crowd)))
    else:
        label = ctx.say("label.audience", title=title)
        people = ctx.sheet.add(label, found.people, "people", found.query, metric="crowd_size", crowd=crowd)
        name = crowd_name(ctx, audience.parse(s.crowd))
        if "not wave_buyers" in crowd and "wave_buyers" not in s.crowd:
            name = ctx.say("plan.but_buyers", crowd=name)
        shown = ctx.say("plan.task_title", title=title, crowd=name, people=people.display)
    if timing:
        ctx.sheet.moment(ctx.say("label.send_at", title=s.id), timing.at, wording.moment(timing.at, ctx.at, ctx.lang))
    ctx.sheet.moment(ctx.say("label.deadline", title=s.id), deadline, wording.moment(deadline, ctx.at, ctx.lang))
    number = cite_strategy(ctx, s)
    _trace(ctx, title, own=s.source is None)
    return Action(
        id=s.id,
        task=s.id,
        title=shown,
        crowd=None if on_the_shop(s) else crowd,
        people=found.people if people and found else None,
        channels=list(timing.channels) if timing else [],
        when=stamp(timing.at) if timing else None,
        deadline=stamp(deadline - timedelta(minutes=1)),
        why=[people.id] if people else [],
        cites=[number],
        stop_rule=_stop_rule(ctx, s, phase),
    )


def _stop_rule(ctx: Context, s: Strategy, phase: Phase) -> str | None:
    """When a person leaves the list; work on the shop itself has no list."""
    if on_the_shop(s):
        return None
    return ctx.say("plan.stop_pay" if asks_to_pay(s, phase) else "plan.stop_reply")


def shown_title(task: Task, lang: str) -> str:
    """The task's title; a weekday beside a date that is another one this year is left out."""
    return _DATED.sub(lambda m: m[1] if _other_weekday(m, task.first.year) else m[0], task.strategy.title.get(lang))


def _other_weekday(found: re.Match[str], year: int) -> bool:
    try:
        day = date(year, int(found[2]), int(found[3]))
    except ValueError:  # no date at all
        return False
    return min(_WEEKDAYS.index(found[4]), 6) != day.weekday()


def _said(ctx: Context, s: Strategy) -> str:
    """What is done, in a sentence."""
    said = first_sentence(s.what.get(ctx.lang))
    _trace(ctx, said, own=s.source is None)
    return said


# 6.2周三, 6月2日（周三）: a date with its weekday.
_WEEKDAYS = "一二三四五六日天"
_DATED = re.compile(rf"((\d{{1,2}})[./月-](\d{{1,2}})日?)\s*[（(]?(?:周|星期|礼拜)([{_WEEKDAYS}])[）)]?")
_NOT_PAID_SINCE = ("cart_unpaid", "cart_fav_unpaid", "last_push", "balance_due")  # by definition
_BUY_METRICS = (*PAY_METRICS, "conversion_rate", "repurchase_rate", "aov")
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
