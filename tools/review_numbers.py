"""The numbers of a review: those of its days beside targets and the campaign before, by phase, by who bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from knowledge import catalog
from tools import audience, lines, metrics, review_spans, targets
from tools.briefing_numbers import Cells, panel
from tools.briefing_table import compared, verbatim
from tools.campaigns import Campaign, Phase, day_end
from tools.context import Context
from tools.facts import Fact
from tools.periods import Window
from tools.target_levers import Number
from tools.target_standing import days_name

TOTALS = ("paid_amount", "buyers", "aov", "visitors", "carters", "visit_cart_rate", "cart_pay_rate")
_BY_HISTORY = ("old", "new")
WHO = ("old", "new", "member", "not member")
BOUGHT = ("paid_amount", "amount_share", "buyers", "aov")
# What stands in one line, and where the last campaign's number is told beside the change.
_TOGETHER = (("paid_amount",), ("buyers",), ("aov",), ("visitors", "carters"), ("visit_cart_rate", "cart_pay_rate"))
_TOLD_BEFORE = ("paid_amount", "buyers")
MORE_OR_LESS = ("review.more", "review.less", "review.same")


@dataclass(frozen=True)
class Review:
    """What is reviewed: the days `first`..`last` of a campaign, told up to the end of `over`. `whole`: they are all that targets
    are set for. `before`: the days of the last campaign that match `over`."""

    campaign: Campaign
    first: date
    last: date
    over: Window
    whole: bool
    before: tuple[Campaign, Window] | None

    @property
    def ended(self) -> bool:
        return self.over.until >= day_end(self.last)

    @property
    def phases(self) -> list[Phase]:
        """The phases of these days that have begun."""
        until = self.over.until.date()
        return [p for p in self.campaign.phases if self.first <= p.first <= min(self.last, until)]


def known(cells: Cells, crowd: str, key: str) -> Number | None:
    cell = cells.get((crowd, key))
    return Number(cell.value, cell.query) if cell is not None and cell.value is not None else None


def goal_of(ctx: Context, r: Review, crowd: str, key: str) -> targets.Goal | None:
    """The target of the reviewed days as a whole."""
    if r.whole:
        return targets.of_campaign(ctx.engine, r.campaign, crowd, key, ctx.shop.campaigns, ctx.at)
    return targets.of_days(ctx.engine, r.campaign, crowd, key, r.first, r.last)


def fact(ctx: Context, cell: metrics.Cell, name: str, over: Window, shown: str | None = None) -> Fact:
    m = catalog.metrics()[cell.metric]
    label = ctx.say("label.metric", crowd=name, metric=m.name.get(ctx.lang), when=ctx.say("review.title"))
    return ctx.sheet.add(
        label, cell.value, m.unit, cell.query,
        shown=shown, metric=cell.metric, crowd=cell.crowd, window=over, at=over.until,
    )  # fmt: skip


def crowd_name(ctx: Context, crowd: str) -> str:
    return lines.crowd_name(ctx, audience.parse(crowd))


def against_goal(ctx: Context, now: Number, goal: targets.Goal, label: str) -> str:
    """目标 ¥1,820,000，达成 76.4%."""
    unit = catalog.metrics()[label].unit
    what = catalog.metrics()[label].name.get(ctx.lang)
    told = ctx.sheet.add(ctx.say("review.label_goal", what=what), goal.value, unit, goal.query, metric=label)
    if not goal.value or unit == "ratio":
        return ctx.say("review.goal", goal=told.display)
    query = f"SELECT ({now.query}) * 1.0 / ({goal.query})"
    share = ctx.sheet.add(ctx.say("review.label_reached", what=what), now.value / goal.value, "ratio", query)
    return ctx.say("review.goal_reached", goal=told.display, share=share.display)


def against_before(ctx: Context, now: Number, then: Number, key: str) -> str:
    """上一场 ¥566,583，多 145%; of rates the difference in points."""
    m = catalog.metrics()[key]
    label = ctx.say("review.label_before", what=m.name.get(ctx.lang))
    told = ctx.sheet.add(label, then.value, m.unit, then.query, metric=key)
    return ctx.say("review.before", value=told.display, change=change(ctx, now, then, key))


def against(ctx: Context, now: Number, then: Number, key: str) -> str:
    """比上一场多 145%."""
    told = change(ctx, now, then, key)
    return ctx.say("review.against_same") if told == ctx.say("review.same") else ctx.say("review.against", change=told)


def change(ctx: Context, now: Number, then: Number, key: str, words: Sequence[str] = MORE_OR_LESS) -> str:
    """多 145% · 少 3.0% · 高 1.2 个百分点 · 持平."""
    if catalog.metrics()[key].unit == "ratio":
        by = now.value - then.value
        query = f"SELECT ({now.query}) - ({then.query})"
        if abs(by) < 0.0005:
            return ctx.say("review.same")
        shown = ctx.sheet.add(ctx.say("label.change"), by, "points", query)
        return ctx.say("review.higher" if by > 0 else "review.lower", by=shown.display)
    if not then.value:
        return ctx.say("review.from_none")
    more, less, same = words
    query = f"SELECT ({now.query}) * 1.0 / ({then.query}) - 1"
    return compared(ctx, now.value / then.value - 1, query, (more, less, same))


# ---- all of it ---------------------------------------------------------------------------------------------------


def totals(ctx: Context, r: Review, cells: Cells, before: Cells) -> list[str]:
    """Money and buyers beside target and last campaign; order value, funnel and rates in lines of two."""
    return [ctx.say("review.beside").join(_total(ctx, r, cells, before, key) for key in line) for line in _TOGETHER]


def _total(ctx: Context, r: Review, cells: Cells, before: Cells, key: str) -> str:
    now, then, goal = known(cells, "all", key), known(before, "all", key), goal_of(ctx, r, "all", key)
    cell = cells["all", key]
    plain = ctx.lang == "en" and catalog.metrics()[key].unit == "people"
    shown = f"{cell.value:,.0f}" if plain and cell.value is not None else None
    value = fact(ctx, cell, crowd_name(ctx, "all"), r.over, shown).display
    aside = []
    if now is not None and goal is not None:
        aside.append(against_goal(ctx, now, goal, key))
    if now is not None and then is not None:
        aside.append((against_before if key in _TOLD_BEFORE else against)(ctx, now, then, key))
    return ctx.say("review.line", name=catalog.metrics()[key].name.get(ctx.lang), value=value) + _aside(ctx, aside)


def _aside(ctx: Context, parts: Sequence[str]) -> str:
    return ctx.say("review.aside", text=ctx.say("join.semicolon").join(parts)) if parts else ""


# ---- by phase ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PhaseResult:
    """A phase's money beside its target and the last campaign's; one that has not `ended` is not judged."""

    name: str
    paid: Number | None
    goal: targets.Goal | None
    before: Number | None
    ended: bool
    line: str

    @property
    def missing(self) -> Number | None:
        if self.paid is None or self.goal is None:
            return None
        return Number(self.goal.value - self.paid.value, f"SELECT ({self.goal.query}) - ({self.paid.query})")


def by_phase(ctx: Context, r: Review) -> list[PhaseResult]:
    """A line a phase that has begun: money, buyers (in presale deposits), target, the same phase of the last campaign."""
    return [_phase(ctx, r, phase) for phase in r.phases]


def _phase(ctx: Context, r: Review, phase: Phase) -> PhaseResult:
    over = Window(phase.first, min(phase.last, r.over.last), min(day_end(phase.last), r.over.until))
    people = "deposit_buyers" if phase.kind == "presale" else "buyers"
    cells = panel(ctx, ["paid_amount", people], ["all"], over)
    name = verbatim(ctx, phase.name.get(ctx.lang))
    everybody = crowd_name(ctx, "all")
    ended = over.until >= day_end(phase.last)
    key = "review.phase" if ended else "review.phase_so_far" if ctx.at < day_end(phase.last) else "review.phase_cut"
    did = fact(ctx, cells["all", people], everybody, over).display
    line = ctx.say(
        key,
        phase=name,
        days=days_name(ctx, phase.first, phase.last, year=False),
        amount=fact(ctx, cells["all", "paid_amount"], everybody, over).display,
        did=ctx.say("review.deposited" if people == "deposit_buyers" else "review.bought", people=did),
    )
    paid = known(cells, "all", "paid_amount")
    goal = targets.of_days(ctx.engine, r.campaign, "all", "paid_amount", phase.first, phase.last)
    match = review_spans.before(ctx, r.campaign, over)
    then = known(panel(ctx, ["paid_amount"], ["all"], match[1]), "all", "paid_amount") if match else None
    then = then if then is not None and then.value else None
    parts = []
    if paid is not None and goal is not None:
        parts.append(against_goal(ctx, paid, goal, "paid_amount"))
    if paid is not None and then is not None:
        parts.append(against(ctx, paid, then, "paid_amount"))
    return PhaseResult(name, paid, goal, then, ended, line + _aside(ctx, parts))


# ---- who bought --------------------------------------------------------------------------------------------------


def by_crowd(ctx: Context, r: Review, cells: Cells, before: Cells) -> list[str]:
    """A line a crowd that bought: its money and share of it, buyers, what each paid, its target."""
    out = []
    for crowd in WHO:
        bought = known(cells, crowd, "buyers")
        if bought is None or not bought.value:
            continue
        name = crowd_name(ctx, crowd)
        amount, share, buyers, aov = (fact(ctx, cells[crowd, key], name, r.over).display for key in BOUGHT)
        parts = []
        now, goal = known(cells, crowd, "paid_amount"), goal_of(ctx, r, crowd, "paid_amount")
        if now is not None and goal is not None:
            parts.append(against_goal(ctx, now, goal, "paid_amount"))
        then = known(before, crowd, "amount_share")
        if then is not None and (crowd not in _BY_HISTORY or _goes_back(ctx, r.before[0] if r.before else r.campaign)):
            label = ctx.say("review.label_before", what=catalog.metrics()["amount_share"].name.get(ctx.lang))
            was = ctx.sheet.add(label, then.value, "ratio", then.query, metric="amount_share", crowd=crowd)
            parts.append(ctx.say("review.share_before", share=was.display))
        said = {"crowd": name, "amount": amount, "share": share, "buyers": buyers, "aov": aov}
        out.append(ctx.say("review.crowd", **said) + _aside(ctx, parts))
    return out


def cohort_note(ctx: Context, r: Review) -> str:
    """Says that old customers are told apart on one day of the campaign, while its sales count from its first day."""
    day = days_name(ctx, r.campaign.cohort_date, r.campaign.cohort_date, year=False)
    return ctx.say("review.cohort", day=day)


def short_history(ctx: Context, r: Review) -> str | None:
    """Says where the data does not go back far enough to tell who was an old customer."""
    if _goes_back(ctx, r.campaign):
        return None
    days = ctx.shop.settings.old_customer_days
    told = ctx.sheet.add(ctx.say("review.label_history"), days, "days", f"SELECT {days}", shown=f"{days}")
    return ctx.say("review.short_history", days=told.display)


def _goes_back(ctx: Context, campaign: Campaign) -> bool:
    """Whether the shop's data holds all the days that say who was an old customer at the campaign's beginning."""
    return review_spans.begins_by(ctx, campaign.cohort_date - timedelta(days=ctx.shop.settings.old_customer_days))
