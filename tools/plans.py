"""Today's actions: for un-paid people by what the phase allows, for everybody else the campaign's task list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from knowledge import catalog
from knowledge.catalog import Move, PhaseRule, SourceRef, Strategy
from knowledge.chunks import section_of
from tools import audience, metrics, phases, wording
from tools.campaigns import Campaign, Phase, day_start
from tools.context import Context
from tools.scope import Scope
from tools.facts import Action, Fact, ToolResult
from tools.periods import Window, window
from tools.schedule import schedule
from tools.status import data_until

UNPAID = ("cart_unpaid", "cart_fav_unpaid", "last_push", "deposit_unpaid", "balance_due")
MAX_ACTIONS = 5
_TOP_ITEMS_SHOWN = 3
_SCENES = ("大促优选", "会员", "专属客服", "淘宝群", "粉丝")
_DAY = timedelta(days=1)


def plan(ctx: Context, crowd: str | None = None, limit: int | None = MAX_ACTIONS) -> ToolResult:
    """Today's actions. `crowd` is a crowd key or expression; without one, what is due today (at most `limit` actions).

    AskAgain when the crowd is unknown.
    """
    tree = audience.parse(crowd) if crowd else None
    here = phases.position(ctx)
    if tree is not None and _is_unpaid(tree):
        if here is None:
            return _outside(ctx, tree)
        return _unpaid(ctx, tree, *here)
    if here is None:
        return _outside(ctx, tree)
    return _tasks(ctx, tree, *here, limit)


def _is_unpaid(tree: audience.Tree) -> bool:
    if isinstance(tree, str):
        return tree in UNPAID
    return tree[0] != "not" and any(_is_unpaid(t) for t in tree[1:])


def _outside(ctx: Context, tree: audience.Tree | None) -> ToolResult:
    """No campaign, so no wave: nobody is pushed; what was left of the last wave is shown where there was one."""
    lines = phases.outside_lines(ctx)
    data: dict[str, Any] = {"mode": "outside", "head": ctx.say("plan.outside"), "lines": lines}
    if tree is not None and ctx.campaign is not None:
        key = audience.canonical(tree)
        counted = audience.sizes(ctx.engine, [key], ctx.scope)[key]
        name = audience.label(tree, ctx.lang)
        fact = ctx.sheet.add(
            ctx.say("label.size", crowd=name), counted.people, "people", counted.query, metric="crowd_size", crowd=key
        )
        lines.append(ctx.say("plan.left_of_last_wave", crowd=name, people=fact.display))
    return ToolResult(kind="plan", facts=ctx.sheet.facts, data=data)


# --- un-paid people ----------------------------------------------------------------------------------------------


def _unpaid(ctx: Context, tree: audience.Tree, campaign: Campaign, phase: Phase) -> ToolResult:
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
    where = phases.location_line(ctx, campaign, phase)
    lines = [_size_line(ctx, profile, name, phase, campaign)]
    lines += [x for x in (levels_line(ctx, profile), items_line(ctx, profile)) if x]
    ratio = _ratio_line(ctx, rule, phase, campaign)
    if ratio:
        lines.append(ratio)
    meaning = ctx.say("phase.unpaid_means", meaning=rule.meaning.get(ctx.lang))

    actions: list[Action] = []
    donts: list[dict[str, Any]] = []
    for move in moves:
        if len(actions) + len(donts) >= MAX_ACTIONS:
            break
        if move.dont:
            donts.append({"title": move.title.get(ctx.lang), "cites": [cite(ctx, move.source(campaign.key, phase.key))]})
            continue
        found = counted[audiences[move.id]]
        if found.people == 0:
            continue
        action = _action(ctx, move, audiences[move.id], found, campaign, phase)
        if action:
            actions.append(action)
    headline = _headline(ctx, rule, key, counted, pushed, last_day, actions)
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
        if move.days == "last" and not last_day or move.days == "not_last" and last_day:
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
    fact = ctx.sheet.add(ctx.say("label.to_remind"), found.people, "people", found.query, metric="crowd_size", crowd=pushed)
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
        ctx.sheet.moment(ctx.say("label.send_at", title=move.id), timing.at, wording.moment(timing.at, ctx.at, ctx.lang))
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
        when=_stamp(timing.at) if timing else None,
        deadline=_stamp(deadline - timedelta(minutes=1)) if deadline else None,
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


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def cite(ctx: Context, ref: SourceRef) -> int:
    """The citation number of a playbook section; the quote is its first sentence."""
    section = section_of(ref)
    return ctx.sheet.cite(section.title.get(ctx.lang), section.path.get(ctx.lang), section.quote())


# --- the numbers under the headline ------------------------------------------------------------------------------


def _size_line(ctx: Context, profile: audience.Profile, name: str, phase: Phase, campaign: Campaign) -> str:
    size = ctx.sheet.add(
        ctx.say("label.size", crowd=name),
        profile.size,
        "people",
        profile.query("size"),
        metric="crowd_size",
        crowd=profile.key,
    )
    line = ctx.say("plan.size", crowd=name, people=size.display)
    if audience.has_carts(audience.parse(profile.key)):
        if profile.at_stake is None:
            line += ctx.say("plan.stake_unknown")
        else:
            stake = ctx.sheet.add(ctx.say("label.stake"), profile.at_stake, "CNY", profile.query("at_stake"))
            line += ctx.say("plan.stake", amount=stake.display)
    before = Scope(ctx.at - _DAY, ctx.campaign, ctx.shop.settings)
    if before.wave == ctx.scope.wave and before.at >= ctx.scope.wave_start and phase.kind != "review":
        earlier = audience.sizes(ctx.engine, [profile.key], before)[profile.key]
        if earlier.people and profile.size != earlier.people:
            change = profile.size / earlier.people - 1
            query = f"SELECT ({profile.query('size')}) * 1.0 / ({earlier.query}) - 1"
            label = ctx.say("label.size_change", crowd=name)
            fact = ctx.sheet.add(label, change, "ratio", query, shown=f"{abs(change) * 100:.1f}%", crowd=profile.key)
            line += ctx.say("plan.size_up" if change > 0 else "plan.size_down", change=fact.display)
    return line


def levels_line(ctx: Context, profile: audience.Profile) -> str | None:
    """会员 1,103 人（VIP 168 人）; members first, then the levels from the largest."""
    levels = {k: n for k, n in profile.by_level.items() if k}
    if not profile.size:
        return None
    label = ctx.say("label.members_in", crowd=audience.label(audience.parse(profile.key), ctx.lang))
    members_query = (
        f'SELECT coalesce(sum("people"), 0) FROM (\n{profile.sql}\n) AS profile WHERE "part" = \'level\' AND "key" <> \'\''
    )
    members = ctx.sheet.add(label, sum(levels.values()), "people", members_query, crowd=profile.key)
    shown = []
    for level, people in list(levels.items())[:4]:
        title = ctx.sheet.text(ctx.say("label.level"), level, literal(level))
        fact = ctx.sheet.add(level, people, "people", profile.query("level", level), crowd=profile.key)
        shown.append(f"{title.display} {fact.display}")
    line = ctx.say("plan.members", people=members.display)
    if shown:
        line += ctx.say("plan.levels", levels=ctx.say("join.list").join(shown))
    rest = profile.by_level.get("", 0)
    if rest and levels:
        fact = ctx.sheet.add(ctx.say("label.nonmembers"), rest, "people", profile.query("level", ""), crowd=profile.key)
        line += ctx.say("plan.nonmembers", people=fact.display)
    return line


def items_line(ctx: Context, profile: audience.Profile) -> str | None:
    shown = []
    for item_id, title, people in profile.top_items[:_TOP_ITEMS_SHOWN]:
        name = ctx.sheet.text(ctx.say("label.item"), title, literal(title))
        fact = ctx.sheet.add(title, people, "people", profile.query("item", item_id), crowd=profile.key)
        shown.append(f"{name.display} {fact.display}")
    return ctx.say("plan.items", items=ctx.say("join.list").join(shown)) if shown else None


def literal(value: str) -> str:
    return "SELECT '" + value.replace("'", "''") + "'"


def _ratio_line(ctx: Context, rule: PhaseRule, phase: Phase, campaign: Campaign) -> str | None:
    """The phase's own conversion so far today against the previous day, like with like; in review, of the whole wave."""
    name = catalog.metrics()[rule.ratio].name.get(ctx.lang)
    if phase.kind == "review":
        wave = campaign.wave_at(ctx.at.date())
        fact = ratio_fact(ctx, rule.ratio, window(wave.first, wave.last, ctx.at), ctx.say("when.wave"))
        return ctx.say("plan.ratio_wave", metric=name, value=fact.display)
    until = data_until(ctx.engine)
    reaches = min(x for x in (until["events"], until["orders"], datetime.max) if x is not None)
    if reaches < day_start(ctx.at.date()):
        return None
    today = window(ctx.at.date(), ctx.at.date(), ctx.at)
    now = ratio_fact(ctx, rule.ratio, today, ctx.say("when.today"))
    same_time = ratio_fact(ctx, rule.ratio, today.shifted(-1, whole=False), ctx.say("when.yesterday_same"))
    if not today.partial:
        return ctx.say("plan.ratio_days", metric=name, today=now.display, yesterday=same_time.display)
    clock = ctx.sheet.moment(ctx.say("label.as_of"), ctx.at, ctx.at.strftime("%H:%M"))
    whole = ratio_fact(ctx, rule.ratio, today.shifted(-1, whole=True), ctx.say("when.yesterday"))
    return ctx.say(
        "plan.ratio_so_far",
        metric=name,
        today=now.display,
        clock=clock.display,
        same=same_time.display,
        yesterday=whole.display,
    )


def ratio_fact(ctx: Context, key: str, over: Window, when: str, crowd: str = "all") -> Fact:
    """One metric of one crowd as a fact."""
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    cell = metrics.compute(ctx.engine, [key], [crowd], over, scope)[0]
    metric = catalog.metrics()[key]
    label = ctx.say("label.metric", crowd=catalog.crowds()[crowd].name.get(ctx.lang), metric=metric.name.get(ctx.lang), when=when)
    return ctx.sheet.add(
        label, cell.value, metric.unit, cell.query, metric=key, crowd=crowd, window=over, at=over.until
    )


def data_notes(ctx: Context) -> list[str]:
    """What the reader must know about the data: it ends before the day asked about, or there is none."""
    until = data_until(ctx.engine)
    notes = []
    for table in ("events", "orders"):
        end = until[table]
        name = catalog.tables()[table].name.get(ctx.lang)
        if end is None:
            notes.append(ctx.say("note.no_rows", table=name))
        elif end < day_start(ctx.at.date()):
            shown = f"{wording.day(end.date(), ctx.lang, year=end.year != ctx.at.year)} {end:%H:%M}"
            fact = ctx.sheet.moment(ctx.say("label.data_until", table=name), end, shown)
            notes.append(ctx.say("note.data_until", table=name, moment=fact.display))
    return notes


# --- the campaign's task list ------------------------------------------------------------------------------------


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
        # A list of another campaign is read by kind of phase; what hangs on one of its dates has no place here.
        if phase.kind not in kinds or on_a_date:
            continue
        exact = phase.key in s.phases
        title = s.title.zh
        if title not in out or exact:
            first = phase.last if s.days == "last" else phase.first
            out[title] = Task(s, first, phase.last)
    return list(out.values()), True


def _dated(month_day: str, year: int) -> date:
    month, day = map(int, month_day.split("-"))
    return date(year, month, day)


def related(tree: audience.Tree, strategy: Strategy) -> bool:
    """Whether a task is about the crowd asked about: the same crowd, or the members' or fans' own list."""
    if not isinstance(tree, str):
        return any(related(t, strategy) for t in tree[1:] if t != "not")
    scene = {"member": "会员", "fan": "粉丝", "service_contact": "专属客服", "group_member": "淘宝群"}.get(tree)
    return strategy.crowd == tree or strategy.scene == scene


def _tasks(
    ctx: Context, tree: audience.Tree | None, campaign: Campaign, phase: Phase, limit: int | None
) -> ToolResult:
    today = ctx.at.date()
    tasks, borrowed = tasks_of(campaign, phase)
    chosen = [t for t in tasks if tree is None or related(tree, t.strategy)]
    due = sorted((t for t in chosen if t.first <= today <= t.last), key=_urgency)
    preparing = [t for t in chosen if t.first - timedelta(days=t.strategy.lead_days) <= today < t.first]
    shown = due[:limit]
    counted = audience.sizes(ctx.engine, list(dict.fromkeys(t.strategy.crowd for t in shown)), ctx.scope)

    notes = data_notes(ctx)
    where = phases.location_line(ctx, campaign, phase)
    lines = []
    if tree is not None:
        key = audience.canonical(tree)
        name = audience.label(tree, ctx.lang)
        profile = audience.profile(ctx.engine, key, ctx.scope)
        lines.append(_size_line(ctx, profile, name, phase, campaign))
    actions = [a for t in shown if (a := _task_action(ctx, t, counted[t.strategy.crowd], campaign, phase))]
    n_due = ctx.sheet.add(ctx.say("label.tasks_due"), len(due), "count", _values_count(t.strategy.id for t in due))
    prepare = [_prepare(ctx, t) for t in preparing]
    n_prepare = ctx.sheet.add(
        ctx.say("label.tasks_prepare"), len(prepare), "count", _values_count(t.strategy.id for t in preparing)
    )
    if due or preparing:
        said = [ctx.say("plan.tasks_due", due=n_due.display)] if due else []
        said += [ctx.say("plan.tasks_prepare", prepare=n_prepare.display)] if preparing else []
        head = ctx.say("join.comma").join(said)
    elif tree is not None:
        head = ctx.say("plan.no_task_for_crowd", crowd=audience.label(tree, ctx.lang))
    else:
        head = ctx.say("plan.no_task")
    watch = []
    for name, at, ends in phases.gates_ahead(campaign, ctx):
        shown_at = wording.moment(at, ctx.at, ctx.lang) if ends else f"{wording.day(at.date(), ctx.lang)} {at:%H:%M}"
        fact = ctx.sheet.moment(name, at, shown_at)
        watch.append({"text": f"{fact.display} {name}", "at": _stamp(at), "name": name})
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
            "assumed": [ctx.say("plan.borrowed", campaign=campaign.name.get(ctx.lang))] if borrowed and due else [],
        },
    )


def _values_count(ids: Any) -> str:
    values = ", ".join(f"('{i}')" for i in ids)
    return f"SELECT count(*) FROM (VALUES {values}) AS tasks" if values else "SELECT 0"


def _urgency(task: Task) -> tuple[int, int, date]:
    """What can be done only today comes first, then the groups in the guide's order."""
    return (0 if task.first == task.last else 1, _SCENES.index(task.strategy.scene), task.last)


def _task_action(
    ctx: Context, task: Task, found: audience.Counted, campaign: Campaign, phase: Phase
) -> Action | None:
    s = task.strategy
    deadline = day_start(task.last + _DAY)
    timing = None
    if s.channels:
        timing = schedule(catalog.unpaid(), _SLOT[s.channels[0]], list(s.channels), ctx.at, deadline)
        if timing is None:
            return None
    people = ctx.sheet.add(
        ctx.say("label.audience", title=s.title.get(ctx.lang)),
        found.people,
        "people",
        found.query,
        metric="crowd_size",
        crowd=s.crowd,
    )
    if timing:
        ctx.sheet.moment(ctx.say("label.send_at", title=s.id), timing.at, wording.moment(timing.at, ctx.at, ctx.lang))
    ctx.sheet.moment(ctx.say("label.deadline", title=s.id), deadline, wording.moment(deadline, ctx.at, ctx.lang))
    crowd = catalog.crowds()[s.crowd].name.get(ctx.lang)
    title = s.title.get(ctx.lang)
    if s.crowd == "all":  # work on the shop itself: nobody in particular is addressed
        shown = title
    else:
        shown = ctx.say("plan.task_title", title=title, crowd=crowd, people=people.display)
    number = cite(ctx, s.source)
    return Action(
        id=s.id,
        task=s.id,
        title=shown,
        crowd=s.crowd,
        people=found.people,
        channels=list(timing.channels) if timing else [],
        when=_stamp(timing.at) if timing else None,
        deadline=_stamp(deadline - timedelta(minutes=1)),
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
