"""Lines that several answers share: sizes, splits, items, the phase's ratio, what must be known about the data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from knowledge import catalog
from knowledge.catalog import PhaseRule, SourceRef
from knowledge.chunks import section_of
from tools import audience, filters, metrics, wording
from tools.campaigns import Campaign, Phase, day_start
from tools.context import Context
from tools.expressions import changed
from tools.facts import Fact
from tools.filter_values import titles_of
from tools.periods import Window, window
from tools.scope import Scope
from tools.sql import quote
from tools.status import data_until

_TOP_ITEMS_SHOWN = 3
_DAY = timedelta(days=1)
_BEHIND = timedelta(hours=1)  # data this much behind now is no longer "now"


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def cite(ctx: Context, ref: SourceRef) -> int:
    """The citation number of a playbook section; the quote is its first sentence."""
    section = section_of(ref)
    return ctx.sheet.cite(section.title.get(ctx.lang), section.path.get(ctx.lang), section.quote())


def size_fact(ctx: Context, profile: audience.Profile, name: str) -> Fact:
    label = ctx.say("label.size", crowd=name)
    return ctx.sheet.add(label, profile.size, "people", profile.query("size"), metric="crowd_size", crowd=profile.key)


def stake(ctx: Context, profile: audience.Profile, known: str, unknown: str) -> str | None:
    """The money in the carts in the text `known`, or that it is not known in the text `unknown`; None without carts."""
    if not audience.has_carts(audience.parse(profile.key)):
        return None
    if profile.at_stake is None:
        return ctx.say(unknown)
    fact = ctx.sheet.add(ctx.say("label.stake"), profile.at_stake, "CNY", profile.query("at_stake"))
    return ctx.say(known, amount=fact.display)


def size_line(ctx: Context, profile: audience.Profile, name: str, phase: Phase, campaign: Campaign) -> str:
    line = ctx.say("plan.size", crowd=name, people=size_fact(ctx, profile, name).display)
    line += stake(ctx, profile, "plan.stake", "plan.stake_unknown") or ""
    before = Scope(ctx.scope.at - _DAY, ctx.campaign, ctx.shop.settings)
    comparable = before.at >= ctx.scope.wave_start and before.wave == ctx.scope.wave
    if comparable and phase.kind != "review" and not any_stale(ctx):
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
    if not profile.size or not levels:
        return None
    label = ctx.say("label.members_in", crowd=crowd_name(ctx, audience.parse(profile.key)))
    members = ctx.sheet.add(label, sum(levels.values()), "people", profile.members_query(), crowd=profile.key)
    shown = []
    for level, people in list(levels.items())[:4]:
        title = ctx.sheet.text(ctx.say("label.level"), level, literal(level))
        fact = ctx.sheet.add(level, people, "people", profile.query("level", level), crowd=profile.key)
        shown.append(f"{title.display} {fact.display}")
    if profile.key == "member":
        return ctx.say("crowd.levels", levels=ctx.say("join.list").join(shown))
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


def crowd_name(ctx: Context, tree: audience.Tree) -> str:
    """What a crowd is called, items by their titles; a name with a numeral in it (近 30 天付过款的会员) is a fact like every
    number that is shown."""
    titles = titles_of(ctx.engine, tree)

    def titled(condition: str) -> str:
        column, value = filters.split(condition)
        return filters.normal(column, titles[value]) if column == "item" and value in titles else condition

    name = audience.label(changed(tree, titled), ctx.lang)
    if any(c.isnumeric() for c in name):
        ctx.sheet.text(ctx.say("label.crowd"), name, literal(name))
    return name


def literal(value: str) -> str:
    return f"SELECT {quote(value)}"


def ratio_line(ctx: Context, rule: PhaseRule, phase: Phase, campaign: Campaign) -> str | None:
    """The phase's own conversion so far today against the previous day, like with like; in review, of the whole wave."""
    name = catalog.metrics()[rule.ratio].name.get(ctx.lang)
    if phase.kind == "review":
        wave = campaign.wave_at(ctx.at.date())
        fact = ratio_fact(ctx, rule.ratio, window(wave.first, wave.last, ctx.at), ctx.say("when.wave"))
        return ctx.say("plan.ratio_wave", metric=name, value=fact.display)
    if any_stale(ctx) or ctx.known is not None:
        return None
    until = known_until(ctx)
    today = window(ctx.at.date(), ctx.at.date(), until)
    now = ratio_fact(ctx, rule.ratio, today, ctx.say("when.today"))
    same_time = ratio_fact(ctx, rule.ratio, today.shifted(-1, whole=False), ctx.say("when.yesterday_same"))
    if not today.partial:
        return ctx.say("plan.ratio_days", metric=name, today=now.display, yesterday=same_time.display)
    clock = ctx.sheet.moment(ctx.say("label.as_of"), until, until.strftime("%H:%M"))
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
    label = ctx.say(
        "label.metric", crowd=catalog.crowds()[crowd].name.get(ctx.lang), metric=metric.name.get(ctx.lang), when=when
    )
    return ctx.sheet.add(
        label, cell.value, metric.unit, cell.query, metric=key, crowd=crowd, window=over, at=over.until
    )


def any_stale(ctx: Context) -> bool:
    """Whether behaviour or orders end before the day asked about."""
    until = data_until(ctx.engine)
    return any(end is not None and end < day_start(ctx.at.date()) for end in until.values())


def data_end(ctx: Context) -> Fact:
    """Up to when there is both behaviour and orders."""
    end = min(end for end in data_until(ctx.engine).values() if end is not None)
    return _end_fact(ctx, ctx.say("label.as_of"), end)


def _end_fact(ctx: Context, label: str, end: datetime) -> Fact:
    shown = f"{wording.day(end.date(), ctx.lang, year=end.year != ctx.at.year)} {end:%H:%M}"
    return ctx.sheet.moment(label, end, shown)


def known_until(ctx: Context) -> datetime:
    """The moment up to which today can be told: now, or the end of the data when that is over an hour ago."""
    ends = [end for end in data_until(ctx.engine).values() if end is not None]
    end = min(ends, default=ctx.at)
    return end if end.date() == ctx.at.date() and ctx.at - end > _BEHIND else ctx.at


def data_notes(ctx: Context) -> list[str]:
    """What the reader must know about the data: it ends before the day asked about, or there is none."""
    return ends_before(ctx, ("events", "orders"), day_start(ctx.at.date()))


def ends_before(ctx: Context, tables: Iterable[str], wanted: datetime) -> list[str]:
    """A note for each table that has no rows or ends before `wanted`."""
    until = data_until(ctx.engine)
    notes = []
    ended: dict[datetime, list[str]] = {}
    for table in tables:
        end = until[table]
        name = catalog.tables()[table].name.get(ctx.lang)
        if end is None:
            notes.append(ctx.say("note.no_rows", table=name))
        elif end < wanted:
            ended.setdefault(end.replace(second=0), []).append(name)
    for end, names in ended.items():  # one note for what ends in the same minute
        name = ctx.say("join.list").join(names)
        fact = _end_fact(ctx, ctx.say("label.data_until", table=name), end)
        notes.append(ctx.say("note.data_until", table=name, moment=fact.display))
    return notes
