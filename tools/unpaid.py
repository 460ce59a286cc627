"""Un-paid people: what the phase allows and asks for today (knowledge/unpaid.yaml)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from knowledge import catalog
from knowledge.catalog import Channel, Move, PhaseRule
from tools import audience, phases, wording
from tools.campaigns import Campaign, Phase, day_start
from tools.context import Context
from tools.facts import Action, Fact, ToolResult
from tools.lines import (
    any_stale,
    cite,
    crowd_name,
    data_end,
    data_notes,
    items_line,
    levels_line,
    ratio_line,
    size_line,
    stamp,
)
from tools.schedule import schedule
from tools.task_list import left_channels

MAX_ACTIONS = 5
_DAY = timedelta(days=1)


def unpaid_plan(
    ctx: Context, tree: audience.Tree, campaign: Campaign, phase: Phase, channel: str | None = None
) -> ToolResult:
    """Whom of an un-paid crowd to remind in this phase, when and how, and whom not; of all channels or of one."""
    rule = catalog.unpaid().phases[phase.kind]  # type: ignore[index]
    key = audience.canonical(tree)
    name = crowd_name(ctx, tree)
    last_day = phase.kind == "sale" and ctx.at.date() == phase.last
    moves = _moves(ctx, rule, key, campaign, last_day)
    moves = [
        m.model_copy(update={"channels": left or []})
        for m in moves
        if (left := left_channels(m.channels, channel)) is not None or m.dont
    ]
    inside = key if isinstance(tree, str) else f"({key})"
    audiences = {m.id: audience_of(ctx, m.crowd.replace("{crowd}", inside), campaign) for m in moves if m.crowd}
    pushed = audience_of(ctx, f"{inside} and not balance_due", campaign)
    reached = {m.id: reach(audiences[m.id], list(m.channels)) for m in moves if m.crowd}
    wanted = [key, *audiences.values(), *(r for r in reached.values() if r)]
    wanted += [pushed] if rule.pay_reminder and key != "balance_due" else []
    counted = audience.sizes(ctx.engine, list(dict.fromkeys(wanted)), ctx.scope)
    profile = audience.profile(ctx.engine, key, ctx.scope)

    notes = data_notes(ctx)
    stale = any_stale(ctx)
    where = phases.location_line(ctx, campaign, phase)
    lines = [size_line(ctx, profile, name, phase, campaign)]
    lines += [x for x in (levels_line(ctx, profile), items_line(ctx, profile)) if x]
    ratio = ratio_line(ctx, rule, phase, campaign)
    if ratio:
        lines.append(ratio)
    meaning = ctx.say("phase.unpaid_means", meaning=rule.meaning.get(ctx.lang))

    actions: list[Action] = []
    donts: list[dict[str, Any]] = []
    for move in moves:
        if len(actions) + len(donts) >= MAX_ACTIONS:
            break
        if move.dont:
            donts.append(
                {"title": move.title.get(ctx.lang), "cites": [cite(ctx, move.source(campaign.key, phase.key))]}
            )
            continue
        found = counted[audiences[move.id]]
        if found.people == 0:
            continue
        by_channel = reached[move.id]
        reachable = counted[by_channel] if by_channel else None
        action = _action(ctx, move, audiences[move.id], found, reachable, campaign, phase)
        if action:
            actions.append(action)
    headline = _headline(ctx, rule, key, counted, pushed, last_day, actions)
    if stale and rule.pay_reminder and not actions:
        headline = ctx.say("plan.stale")
    elif stale and rule.pay_reminder:
        headline = f"{ctx.say('plan.stale_list', moment=data_end(ctx).display)}{headline}"
    elif not actions and profile.size and key != "balance_due":
        headline = ctx.say("plan.too_late", crowd=name, people=_fact_of(ctx, key).display)
    owing = _owing_line(ctx, counted, key, pushed) if rule.pay_reminder and key != "balance_due" else None
    lines += [owing] if owing else []
    return ToolResult(
        kind="plan",
        facts=ctx.sheet.facts,
        citations=ctx.sheet.citations,
        actions=actions,
        data={
            "mode": "unpaid",
            "head": headline,
            "where": where,
            "meaning": meaning if not rule.pay_reminder else None,
            "lines": lines,
            "notes": notes,
            "donts": donts,
            "crowd": key,
            "campaign": campaign.key,
            "phase": phase.key,
            "assumed": [ctx.say("plan.empty_crowd")] if profile.size == 0 else [],
        },
    )


def audience_of(ctx: Context, expression: str, campaign: Campaign) -> str:
    """An audience without those who owe a balance, while they can still pay it: they get the balance reminder alone."""
    over = all(day_start(last + _DAY) <= ctx.at for _, last in campaign.balance_windows)
    return expression.replace(" and not balance_due", "") if over else expression


# Who a channel reaches. A push reaches whoever has the app, which no table says.
_REACH = {
    "sms": "not sms_opted_out",
    "card_sms": "not sms_opted_out",
    "ai_call": "not sms_opted_out",
    "exclusive_service": "service_contact",
    "group": "group_member",
}


def reach(crowd: str, channels: list[Channel]) -> str | None:
    """The part of an audience that its channels reach; None where the data cannot tell."""
    ways = list(dict.fromkeys(_REACH.get(c, "") for c in channels))
    if not ways or "" in ways:
        return None
    return f"({crowd}) and ({' or '.join(ways)})"


def reach_note(
    ctx: Context, title: str, crowd: str, found: audience.Counted, reachable: audience.Counted | None
) -> str:
    """（可触达 140 人）, where that is not everybody."""
    if reachable is None or reachable.people >= found.people:
        return ""
    label = ctx.say("label.reach", title=title)
    fact = ctx.sheet.add(label, reachable.people, "people", reachable.query, metric="crowd_size", crowd=crowd)
    return ctx.say("plan.reach", people=fact.display)


def balance_action(ctx: Context, campaign: Campaign, phase: Phase) -> Action | None:
    """The balance reminder, while balances can be paid; None otherwise and when nobody owes one."""
    if campaign.balance_window_at(ctx.at) is None:
        return None
    moves = (m for rule in catalog.unpaid().phases.values() for m in rule.moves)
    move = next(m for m in moves if m.only_in_balance_window and m.crowd)
    crowd = move.crowd or "balance_due"
    part = reach(crowd, list(move.channels))
    counted = audience.sizes(ctx.engine, [crowd, *([part] if part else [])], ctx.scope)
    if counted[crowd].people == 0:
        return None
    return _action(ctx, move, crowd, counted[crowd], counted[part] if part else None, campaign, phase)


def _fact_of(ctx: Context, key: str) -> Fact:
    return next(f for f in ctx.sheet.facts if f.crowd == key and f.metric == "crowd_size")


def _owing_line(ctx: Context, counted: dict[str, audience.Counted], key: str, pushed: str) -> str | None:
    """Why the people to remind are fewer than the crowd: some owe a balance."""
    owing = counted[key].people - counted[pushed].people
    if owing <= 0:
        return None
    query = f"SELECT ({counted[key].query}) - ({counted[pushed].query})"
    fact = ctx.sheet.add(ctx.say("label.owing"), owing, "people", query, crowd=f"({key}) and balance_due")
    return ctx.say("plan.owing", people=fact.display)


def _moves(ctx: Context, rule: PhaseRule, key: str, campaign: Campaign, last_day: bool) -> list[Move]:
    """The moves of the phase that fit the day and the crowd asked about."""
    balance_open = campaign.balance_window_at(ctx.at) is not None
    out = []
    for move in rule.moves:
        if (move.days == "last" and not last_day) or (move.days == "not_last" and last_day):
            continue
        if move.only_in_balance_window and not balance_open:
            continue
        # People who owe a balance get the balance reminder and nothing else; and nobody is split from themselves.
        about_balance = move.crowd is not None and "balance_due" in move.crowd and "not balance_due" not in move.crowd
        if key == "balance_due" and not (about_balance or move.dont or "{crowd}" not in (move.crowd or "{crowd}")):
            continue
        out.append(move)
    return out


def _headline(
    ctx: Context,
    rule: PhaseRule,
    key: str,
    counted: dict[str, audience.Counted],
    pushed: str,
    last_day: bool,
    actions: list[Action],
) -> str:
    if key == "balance_due":
        return ctx.say("plan.balance_open" if any(a.crowd == key for a in actions) else "plan.balance_closed")
    if not rule.pay_reminder:
        return rule.headline.get(ctx.lang)
    if not actions:
        return ctx.say("plan.nobody_left")
    raised = next((a for a in actions if a.id == "sale-last-push"), None)
    if last_day and raised is not None and rule.headline_last_day is not None:
        people = next(f for f in ctx.sheet.facts if f.id == raised.why[0])
        return rule.headline_last_day.get(ctx.lang).replace("{people}", people.display)
    found = counted[pushed]
    fact = ctx.sheet.add(
        ctx.say("label.to_remind"), found.people, "people", found.query, metric="crowd_size", crowd=pushed
    )
    if last_day:
        return ctx.say("plan.last_day_plain", people=fact.display)
    return rule.headline.get(ctx.lang).replace("{people}", fact.display)


def _action(
    ctx: Context,
    move: Move,
    crowd: str,
    found: audience.Counted,
    reachable: audience.Counted | None,
    campaign: Campaign,
    phase: Phase,
) -> Action | None:
    """None when nothing can go out before the deadline any more."""
    deadline = _deadline(ctx, move, campaign, phase)
    timing = None
    if move.channels:
        if deadline is None:
            return None
        slot = move.slots.get(f"{campaign.key}.{phase.key}", move.slot)
        final = move.deadline in ("wave_end", "balance_end")
        timing = schedule(catalog.unpaid(), slot, list(move.channels), ctx.at, deadline, final=final)
        if timing is None:
            return None
    named = crowd_name(ctx, audience.parse(crowd))
    people = ctx.sheet.add(
        ctx.say("label.audience", title=named), found.people, "people", found.query, metric="crowd_size", crowd=crowd
    )
    title = move.title.get(ctx.lang).replace("{people}", people.display)
    if timing and timing.channels == list(move.channels):
        title += reach_note(ctx, named, crowd, found, reachable)
    if timing:
        ctx.sheet.moment(ctx.say("label.send_at", title=named), timing.at, wording.moment(timing.at, ctx.at, ctx.lang))
    if deadline:
        shown = wording.moment(deadline, ctx.at, ctx.lang)
        ctx.sheet.moment(ctx.say("label.deadline", title=named), deadline, shown)
    note = move.note.get(ctx.lang) if move.note else None
    source = move.source(campaign.key, phase.key)
    task = catalog.strategy_of(source)
    return Action(
        id=move.id,
        task=task.id if task else None,
        title=title if note is None else f"{title} — {note}",
        crowd=crowd,
        people=found.people,
        channels=list(timing.channels) if timing else [],
        when=stamp(timing.at) if timing else None,
        deadline=stamp(deadline - timedelta(minutes=1)) if deadline else None,
        why=[people.id],
        cites=[cite(ctx, source)],
        stop_rule=move.stop.get(ctx.lang) if move.stop else None,
    )


def _deadline(ctx: Context, move: Move, campaign: Campaign, phase: Phase) -> datetime | None:
    if move.deadline == "wave_end":
        return campaign.wave_at(ctx.at.date()).end
    if move.deadline in ("phase_end", "next_phase"):
        return day_start(phase.last + _DAY)
    if move.deadline == "balance_end":
        open_window = campaign.balance_window_at(ctx.at)
        return day_start(open_window[1] + _DAY) if open_window else None
    return day_start(ctx.at.date() + _DAY)
