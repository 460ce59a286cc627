"""Which tasks and methods a campaign has, and on which days: its own, those that hold for any campaign, and the shop's.

A merchant's own campaign has no list in the playbooks: phases for which the shop lists no task borrow those of the same kind of
phase from the playbook that knows it best.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

from knowledge import catalog
from knowledge.catalog import Channel
from knowledge.strategies import ANY, Strategy, calendar, inside, kind_of, month_day
from tools import audience
from tools.campaigns import Campaign, Phase
from tools.own_tasks import strategies_for
from tools.shop import Shop

UNPAID = ("cart_unpaid", "cart_fav_unpaid", "last_push", "deposit_unpaid", "balance_due")
PAY_METRICS = ("cart_pay_rate", "visit_pay_rate", "visit_deposit_rate", "deposit_balance_rate")
_DAY = timedelta(days=1)
_SCENES = {"member": "会员", "fan": "粉丝", "service_contact": "专属客服", "group_member": "淘宝群"}


@dataclass(frozen=True)
class Task:
    """A strategy on the days it is worked in this campaign; `lender` is the campaign that it is borrowed from."""

    strategy: Strategy
    first: date
    last: date
    lender: str | None = None


def tasks_of(shop: Shop, campaign: Campaign) -> list[Task]:
    """The campaign's tasks and methods, each with every stretch of days it is worked on."""
    known = strategies_for(shop)
    mine = [s for s in known if s.campaign in (campaign.key, ANY)]
    out = [Task(s, *span) for s in mine for span in spans(s, campaign)]
    if campaign.key in catalog.campaign_templates():
        return out
    listed = [t for t in out if t.strategy.campaign == campaign.key and t.strategy.kind == "task"]
    bare = [p for p in campaign.phases if not any(t.first <= p.last and t.last >= p.first for t in listed)]
    return [*out, *chain.from_iterable(_borrowed(p, known) for p in bare)]


def spans(s: Strategy, campaign: Campaign) -> list[tuple[date, date]]:
    """(first, last) of each stretch of days that an entry is worked on in a campaign.

    Its month-days, where they touch its phases; a campaign with other days than the playbook's goes by its phases. What holds
    for any campaign goes by kind of phase; without a phase to prepare in, preparing is done while the pool is filled.
    """
    wanted = set(s.phases)
    if s.campaign == ANY and "prepare" in wanted and not any(p.kind == "prepare" for p in campaign.phases):
        wanted.add("pool")
    phases = [p for p in campaign.phases if (p.kind if s.campaign == ANY else p.key) in wanted]
    if s.first is not None and s.last is not None:
        first, last = (inside(day, campaign.first, campaign.last) for day in (s.first, s.last))
        if first and last and (not s.phases or any(first <= p.last and last >= p.first for p in phases)):
            return [(last, last)] if s.days == "last" else [(first, last)]
    if s.days == "last":
        return [(p.last, p.last) for p in phases]
    out: list[tuple[date, date]] = []
    for p in phases:
        if out and p.first == out[-1][1] + _DAY:
            out[-1] = (out[-1][0], p.last)
        else:
            out.append((p.first, p.last))
    return out


def _borrowed(phase: Phase, known: Sequence[Strategy]) -> list[Task]:
    """The tasks of the same kind of phase of the campaign that lists most of them."""
    alike = [s for s in known if s.campaign in catalog.campaign_templates() and phase.kind in map(kind_of, s.phases)]
    counts = {key: sum(s.campaign == key and s.kind == "task" for s in alike) for key in catalog.campaign_templates()}
    lender = max(counts, key=lambda key: counts[key])
    out: dict[str, Task] = {}
    for s in alike:
        # What hangs on the lender's dates or name has no place here.
        if s.campaign != lender or _on_dates(s) or _names_its_campaign(s):
            continue
        title = s.title.zh.rstrip("0123456789")
        if title not in out or phase.key in s.phases:
            out[title] = Task(s, phase.last if s.days == "last" else phase.first, phase.last, lender)
    return list(out.values())


def _on_dates(s: Strategy) -> bool:
    """Whether an entry is worked on days of its own: those that a shop wrote, or a small part of its phases."""
    if s.first is None or s.last is None or (s.days == "last" and s.source is not None):
        return False
    phases = [(first, last) for key, first, last in calendar()[s.campaign] if key in s.phases]
    whole = sum((last - first).days + 1 for first, last in phases)
    own = (month_day(s.last) - month_day(s.first)).days + 1
    return s.source is None or own * 2 < whole


def fits_any(s: Strategy) -> bool:
    """Whether what a task says can be read in another campaign: no day, wave or name of its own stands in it."""
    said = (s.what.zh, s.what.en)
    return not _named(s, said) and not any(c.isnumeric() for text in said for c in text)


def _names_its_campaign(s: Strategy) -> bool:
    return _named(s, [s.title.zh, s.title.en, *([s.what.zh, s.what.en] if s.kind == "method" else [])])


def _named(s: Strategy, said: Sequence[str]) -> bool:
    template = catalog.campaign_templates()[s.campaign]
    names = [template.key, *template.aliases]
    names += [template.name] if isinstance(template.name, str) else [template.name.zh, template.name.en]
    return any(name.casefold() in text.casefold() for name in names for text in said)


def related(tree: audience.Tree, strategy: Strategy) -> bool:
    """Whether a task is about the crowd asked about: one of its own crowds, or the members' or fans' list."""
    mine = set(audience.crowds_in(audience.parse(strategy.crowd)))
    return audience.mentions(tree, lambda key: key in mine or strategy.scene == _SCENES.get(key))


def left_channels(channels: Sequence[Channel], asked: str | None) -> list[Channel] | None:
    """Of the channels of a task those that were asked for (`sms`, `not sms`); None where nothing of it goes by them."""
    if asked is None:
        return list(channels)
    if asked.startswith("not "):
        left = [c for c in channels if c != asked.removeprefix("not ")]
        return left if left or not channels else None
    return list(channels) if asked in channels else None


def due_on(tasks: Iterable[Task], day: date, kind: str) -> list[Task]:
    """What is worked on a day: its tasks, or its methods."""
    return [t for t in tasks if t.strategy.kind == kind and t.first <= day <= t.last]


def to_prepare_on(tasks: Iterable[Task], day: date) -> list[Task]:
    """Tasks that have not begun and whose time to prepare has, the next one first."""
    ahead = [t for t in tasks if prepare_from(t) <= day < t.first and t.strategy.kind == "task"]
    return sorted(ahead, key=lambda t: t.first)


def prepare_from(task: Task) -> date:
    return task.first - timedelta(days=task.strategy.lead_days)


def on_the_shop(s: Strategy) -> bool:
    """Work on the shop itself: for everybody, or a job of the playbooks that nothing is sent for."""
    return audience.parse(s.crowd) == "all" or (not s.channels and s.source is not None)


def for_unpaid(s: Strategy) -> bool:
    """Whether it is for people who have something left to pay."""
    return audience.mentions(audience.parse(s.crowd), UNPAID.__contains__)


def by_behaviour(s: Strategy) -> bool:
    """Whether who is in the audience hangs on what people did lately."""
    return any(catalog.crowds()[key].kind == "action" for key in audience.crowds_in(audience.parse(s.crowd)))


def reminds(s: Strategy, phase: Phase) -> bool:
    """Whether it reminds people to pay what they can pay now."""
    return phase.kind == "sale" and not on_the_shop(s) and (s.pay or for_unpaid(s))


def asks_to_pay(s: Strategy, phase: Phase) -> bool:
    """Whether paying is what it is for, and there is something to pay: in a presale that is the deposit."""
    if phase.kind == "presale":
        return s.metric == "visit_deposit_rate" or audience.parse(s.crowd) == "deposit_unpaid"
    return reminds(s, phase) or (phase.kind == "sale" and s.metric in PAY_METRICS)
