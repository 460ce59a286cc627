"""Un-paid people: what the phase allows and asks for today (knowledge/unpaid.yaml)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from knowledge import catalog
from knowledge.catalog import Move, PhaseRule
from tools import audience, phases, wording
from tools.campaigns import Campaign, Phase, day_start
from tools.context import Context
from tools.facts import Action, ToolResult
from tools.lines import any_stale, cite, data_notes, items_line, levels_line, ratio_line, size_line, stamp
from tools.schedule import schedule

MAX_ACTIONS = 5
_DAY = timedelta(days=1)


def unpaid_plan(ctx: Context, tree: audience.Tree, campaign: Campaign, phase: Phase) -> ToolResult:
    rule = catalog.unpaid().phases[phase.kind]  # type: ignore[index]
    key = audience.canonical(tree)
    name = audience.label(tree, ctx.lang)
    last_day = phase.kind == "sale" and ctx.at.date() == phase.last
    moves = _moves(ctx, rule, key, campaign, last_day)
    inside = key if isinstance(tree, str) else f"({key})"
    audiences = {m.id: m.crowd.replace("{crowd}", inside) for m in moves if m.crowd}
    pushed = f"{inside} and not balance_due"
    wanted = [key, *audiences.values(), *([pushed] if rule.pay_reminder and key != "balance_due" else [])]
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
        action = _action(ctx, move, audiences[move.id], found, campaign, phase)
        if action:
            actions.append(action)
    headline = _headline(ctx, rule, key, counted, pushed, last_day, actions)
    if stale and rule.pay_reminder and not actions:
        headline = ctx.say("plan.stale")
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
    text = rule.headline.get(ctx.lang) if not last_day else ctx.say("plan.last_day_plain")
    return text.replace("{people}", fact.display)


def _action(
    ctx: Context, move: Move, crowd: str, found: audience.Counted, campaign: Campaign, phase: Phase
) -> Action | None:
    """None when nothing can go out before the deadline any more."""
    deadline = _deadline(ctx, move, campaign, phase)
    timing = None
    if move.channels:
        if deadline is None:
            return None
        timing = schedule(catalog.unpaid(), move.slot, list(move.channels), ctx.at, deadline)
        if timing is None:
            return None
    people = ctx.sheet.add(
        ctx.say("label.audience", title=move.id), found.people, "people", found.query, metric="crowd_size", crowd=crowd
    )
    title = move.title.get(ctx.lang).replace("{people}", people.display)
    if timing:
        ctx.sheet.moment(
            ctx.say("label.send_at", title=move.id), timing.at, wording.moment(timing.at, ctx.at, ctx.lang)
        )
    if deadline:
        shown = wording.moment(deadline, ctx.at, ctx.lang)
        ctx.sheet.moment(ctx.say("label.deadline", title=move.id), deadline, shown)
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
