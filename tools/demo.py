"""The demo shop: a seeded, invented skincare brand in the second wave of its 618 of 2026.

People come on the days and hours a promotion's traffic has; a visit may lead to a cart, a cart to an order,
now or in the wave's sale phase. Crowds are not made to measure: they follow from the rates in
`demo_names.yaml`. No row is later than NOW. Times are seconds since 1970 of the shop's local clock; NEVER is
what did not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
import yaml
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rng = np.random.Generator
Event = tuple[int, Ints, Ints, Ints, Ints, Ints]  # kind; person, time, item, quantity, source

DAY, HOUR, NEVER = 86_400, 3_600, -1
SHOP: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("demo_names.yaml").read_text("utf-8"))


def _sec(text: str) -> int:
    return int(np.datetime64(text, "s").astype(np.int64))


NOW, FIRST = _sec("2026-06-17T10:00:00"), _sec("2025-04-01")
DAYS = (NOW - FIRST) // DAY + 1
CUSTOMERS, VISITORS, SESSIONS = 20_000, 2_000, 226_000
KINDS = ("visit", "favorite", "cart", "coupon_claim", "live_watch", "group_join", "challenge_join", "challenge_done")
VISIT, FAVORITE, CART, CLAIM, LIVE, GROUP, JOIN, DONE = range(8)
SOURCES = list(SHOP["sources"])
NORMAL, PRESALE, SAMPLE = range(3)
MIDNIGHT, EVENING, EVE = 1, 2, 3  # a sale starts at 00:00, a presale opens at 20:00; the eve of a sale
SHELVES = list(SHOP["categories"].values())
ITEMS = [title for entry in SHELVES for title in entry["titles"]]
CATEGORIES = list(SHOP["categories"])
CATEGORY = np.repeat(np.arange(len(CATEGORIES)), [len(entry["titles"]) for entry in SHELVES])


class Phase(NamedTuple):
    """How people behave in a phase; see `demo_names.yaml` for the rates."""

    first: str
    last: str
    traffic: float
    cart: float
    pay: float
    later: float
    deposit: float
    claim: float
    sale: str


CALM = Phase(*SHOP["calm"])
PHASES = {key: [Phase(*row) for row in rows] for key, rows in SHOP["campaigns"].items()}
RUNS: list[tuple[str, int, float]] = [tuple(row) for row in SHOP["runs"]]


class Calendar(NamedTuple):
    """One value a day from FIRST on."""

    traffic: Floats
    cart: Floats
    pay: Floats
    later: Floats
    deposit: Floats
    claim: Floats
    run: Ints  # 1 + index in RUNS, 0 on everyday days
    sale: Ints  # when the sale phase starts that unpaid carts wait for
    profile: Ints  # row of the hour profiles


@dataclass
class People:
    """Customers, and visitors who have no customer row; one value a person."""

    customer: Flags
    activity: Floats
    buy: Floats
    start: Ints  # first day they may appear; negative: known before the data begins
    leave: Ints
    taste: Ints
    joined: Ints
    fan: Ints
    live: Floats
    opt_out: Flags
    service: Flags
    group: Flags


@dataclass
class Items:
    """The shelf, ordered by category, so that a category is one stretch of `steps`."""

    steps: Floats
    price: Floats
    promo: Floats
    deposit: Floats
    hero: Flags
    stock: Ints


@dataclass
class Visits:
    """Visits in time order, and the pages seen in them (`view_*`, the visit's first at `offset`)."""

    person: Ints
    ts: Ints
    day: Ints
    source: Ints
    views: Ints
    carted: Ints  # how many of the first viewed items go into the cart
    deposit: Flags
    member: Flags
    end: Ints
    offset: Ints
    view_visit: Ints
    view_rank: Ints
    view_ts: Ints
    view_item: Ints
    quantity: Ints


@dataclass
class Orders:
    """Order lines by the order's creation."""

    number: Ints
    person: Ints
    item: Ints
    kind: Ints
    created: Ints
    deposit: Floats
    deposit_paid: Ints
    paid: Ints
    amount: Floats
    refund: Floats
    refunded: Ints


# ---- calendar and clock ------------------------------------------------------------------------------------
def _day(year: int, month_day: str) -> int:
    return (_sec(f"{year}-{month_day}") - FIRST) // DAY


def _calendar() -> Calendar:
    """The rates of every day; each campaign's traffic is brought to its share of all visits."""
    rates = {name: np.full(DAYS, getattr(CALM, name)) for name in Calendar._fields[:6]}
    run, profile, sale = (np.full(DAYS, value, np.int64) for value in (0, 0, NEVER))
    for index, (key, year, _) in enumerate(RUNS):
        for phase in PHASES[key]:
            days = slice(_day(year, phase.first), _day(year, phase.last) + 1)
            for name, column in rates.items():
                column[days] = getattr(phase, name)
            run[days] = index + 1
            if phase.deposit:
                profile[days.start] = EVENING
            if phase.sale:
                sale[days] = _sec(f"{year}-{phase.sale}")
                profile[_day(year, phase.sale)], profile[_day(year, phase.sale) - 1] = MIDNIGHT, EVE
        for month_day, boost in SHOP["boosts"].items():
            if _day(year, month_day) < DAYS and run[_day(year, month_day)] == index + 1:
                rates["traffic"][_day(year, month_day)] *= boost
    traffic = rates["traffic"]
    traffic *= np.array(SHOP["weekdays"])[(np.arange(DAYS) + 1) % 7]  # 2025-04-01 is a Tuesday
    visible = traffic.copy()
    visible[-1] *= _hours()[0, : (NOW - FIRST) % DAY // HOUR].sum()  # the last day is cut at NOW
    shares = [1 - sum(share for _, _, share in RUNS), *(share for _, _, share in RUNS)]
    for index, share in enumerate(shares):
        traffic[run == index] *= share / visible[run == index].sum()
    return Calendar(**rates, run=run, sale=sale, profile=profile)


def _hours() -> Floats:
    """Share of a day's visits by hour: an ordinary day, and the three kinds of gate day."""
    profiles = np.tile(np.array(SHOP["hours"], np.float64) / sum(SHOP["hours"]), (4, 1))
    profiles[MIDNIGHT, :2] += (0.055, 0.02)
    profiles[EVENING, 20:22] += (0.12, 0.06)
    profiles[EVE, 22:] += (0.03, 0.05)
    result: Floats = profiles / profiles.sum(axis=1, keepdims=True)
    return result


def _clock(rng: Rng, profile: Ints) -> Ints:
    """A second of the day for each row, by the row's hour profile."""
    steps = np.cumsum(_hours(), axis=1)
    steps[:, -1] = 1.0
    ladder = (steps + np.arange(4)[:, None]).ravel()
    place = np.searchsorted(ladder, rng.random(len(profile)) + profile, side="right")
    hour: Ints = np.minimum(place - 24 * profile, 23)
    return hour * HOUR + rng.integers(0, HOUR, len(profile))


# ---- people and shelf --------------------------------------------------------------------------------------
def _people(rng: Rng, calendar: Calendar, scale: float) -> People:
    """Long-tailed people; a loyal minority buys most, and becomes a member more often."""
    visitors = max(1, round(VISITORS * scale))
    count = max(40, round(CUSTOMERS * scale)) + visitors
    customer = np.ones(count, np.bool_)
    customer[rng.permutation(count)[:visitors]] = False
    known = customer & (rng.random(count) < 0.52)
    start = np.where(known, -1, rng.choice(DAYS, count, p=calendar.traffic / calendar.traffic.sum()))
    loyal = customer & (rng.random(count) < np.where(known, 0.40, 0.22))
    member = customer & (rng.random(count) < np.where(loyal, 0.64, np.where(known, 0.40, 0.33)))
    fan = customer & (rng.random(count) < np.where(member, 0.43, 0.285))
    return People(
        customer=customer,
        start=start,
        activity=rng.lognormal(0.0, 1.15, count) * np.where(loyal, 1.7, 1.0) * np.where(customer, 1.0, 0.25),
        buy=rng.lognormal(0.0, 0.35, count) * np.where(loyal, 1.75, 0.72),
        leave=np.maximum(start, 0) + rng.exponential(480.0, count).astype(np.int64) + 5,
        taste=rng.integers(0, len(CATEGORIES), count),
        joined=_since_when(rng, start, member, 0.78),
        fan=_since_when(rng, start, fan, 0.7),
        live=np.where(rng.random(count) < 0.15, 0.12, 0.01),
        opt_out=customer & (rng.random(count) < 0.03),
        service=member & (rng.random(count) < 0.20),
        group=customer & (rng.random(count) < np.where(member, 0.16, 0.09)),
    )


def _since_when(rng: Rng, start: Ints, chosen: Flags, early: float) -> Ints:
    """When the chosen joined or followed: over three years, with a bump in this year's pool and presale."""
    count, bump = len(start), _sec("2026-05-01")
    lately = np.where(
        rng.random(count) < 0.4, rng.integers(bump, bump + 28 * DAY, count), rng.integers(FIRST, NOW, count)
    )
    since = np.where(rng.random(count) < early, rng.integers(_sec("2023-06-18"), FIRST, count), lately)
    met = FIRST + start * DAY
    soon = met + rng.exponential(9.0 * DAY, count).astype(np.int64)
    since = np.where(start < 0, since, np.where(soon < NOW, soon, (met + NOW) // 2))
    since = since // DAY * DAY + _clock(rng, np.zeros(count, np.int64))
    return np.where(chosen, np.minimum(since, NOW - 600), NEVER)


def _items(rng: Rng) -> Items:
    """Some sixty items of Zipf popularity; presale items and heroes are popular ones."""
    count = len(ITEMS)
    bounds = np.array([entry["price"] for entry in SHELVES], np.int64)[CATEGORY]
    price: Floats = (rng.integers(bounds[:, 0], bounds[:, 1] + 1) // 10 * 10 + 9).astype(np.float64)
    promo = np.ceil(price * rng.uniform(0.67, 0.93, count))
    promo[count // 2] = np.nan
    rank = rng.permutation(count)
    leading = np.flatnonzero(np.isin(CATEGORY, [CATEGORIES.index(code) for code in SHOP["leading"]]))
    hero = np.isin(np.arange(count), leading[np.argsort(rank[leading])[:8]])
    weight = (rank + 2.0) ** -0.85 * np.where(hero, 2.0, 1.0)
    presale = (rank % 3 == 1) & (rank < 36)
    return Items(
        steps=np.concatenate([[0.0], np.cumsum(weight / weight.sum())]),
        price=price,
        promo=promo,
        hero=hero,
        deposit=np.where(presale, np.round(price / 100) * 10 + 10, np.nan),
        stock=rng.integers(60, 5_000, count),
    )


# ---- visits ------------------------------------------------------------------------------------------------
def _arrivals(rng: Rng, people: People, calendar: Calendar, scale: float) -> tuple[Ints, Ints]:
    """Who comes on which day: the newly met once, then all by activity, in moods that last a fortnight."""
    count = len(people.start)
    moods = rng.lognormal(0.0, 0.5, (DAYS // 14 + 1, count))
    numbers = rng.poisson(calendar.traffic * SESSIONS * scale)
    member_days = {_day(year, month_day) for year in (2025, 2026) for month_day in SHOP["member_days"]}
    met = np.flatnonzero(people.start >= 0)
    who, days = [met], [people.start[met]]
    for day in range(DAYS):
        weight = people.activity * moods[day // 14] * (people.start <= day)
        weight *= np.where(people.leave < day, 0.12, 1.0)
        if day in member_days:
            weight *= np.where((people.joined >= 0) & (people.joined <= FIRST + day * DAY), 1.15, 1.0)
        steps = np.cumsum(weight)
        who.append(np.minimum(np.searchsorted(steps, rng.random(numbers[day]) * steps[-1]), count - 1))
        days.append(np.full(numbers[day], day))
    return np.concatenate(who), np.concatenate(days)


def _visits(rng: Rng, people: People, items: Items, calendar: Calendar, scale: float) -> Visits:
    """When people come, from where, what they view, what goes into the cart, who pays a deposit."""
    person, day = _arrivals(rng, people, calendar, scale)
    ts = FIRST + day * DAY + _clock(rng, calendar.profile[day])
    order = np.lexsort((person, ts))
    order = order[ts[order] <= NOW]
    person, day, ts = person[order], day[order], ts[order]
    count, buy = len(person), people.buy[person]
    member = (people.joined[person] >= 0) & (people.joined[person] <= ts)
    views: Ints = np.minimum(rng.geometric(0.25, count), 16)
    chance = 0.125 * calendar.cart[day] * buy**0.55 * np.where(member, 1.12, 0.94)
    carted = np.where(rng.random(count) < chance, np.minimum(views, rng.geometric(0.7, count)), 0)
    opened = (calendar.profile[day] != EVENING) | ((ts - FIRST) % DAY >= 20 * HOUR)  # deposits open at 20:00
    deposit = opened & (rng.random(count) < calendar.deposit[day] * buy * people.customer[person])
    carted = np.where(deposit & (rng.random(count) < 0.5), np.maximum(carted, 1), carted)
    visit, offset = np.repeat(np.arange(count), views), np.cumsum(views) - views
    rank: Ints = np.arange(len(visit)) - offset[visit]
    item = _viewed(rng, items, people.taste[person][visit])
    lead = np.flatnonzero(deposit | ((calendar.deposit[day] > 0) & (rng.random(count) < 0.3)))
    item[offset[lead]] = rng.choice(np.flatnonzero(~np.isnan(items.deposit)), len(lead))
    gap: Ints = rng.integers(20, 120, count)
    end: Ints = ts + gap * views
    view_ts: Ints = ts[visit] + gap[visit] * rank
    return Visits(
        person=person,
        ts=ts,
        day=day,
        source=_sources(rng, people, person),
        views=views,
        carted=carted,
        deposit=deposit,
        member=member,
        end=end,
        offset=offset,
        view_visit=visit,
        view_rank=rank,
        view_ts=view_ts,
        view_item=item,
        quantity=rng.choice(np.array([1, 2, 3]), len(visit), p=(0.86, 0.11, 0.03)),
    )


def _viewed(rng: Rng, items: Items, taste: Ints) -> Ints:
    """Items by popularity; four views in ten stay in the person's favourite category."""
    edges = items.steps[np.searchsorted(CATEGORY, np.arange(len(CATEGORIES) + 1))]
    point, faithful = rng.random(len(taste)), rng.random(len(taste)) < 0.4
    point = np.where(faithful, edges[taste] + point * (edges[taste + 1] - edges[taste]), point)
    return np.minimum(np.searchsorted(items.steps, point, side="right") - 1, len(ITEMS) - 1)


def _sources(rng: Rng, people: People, person: Ints) -> Ints:
    """Where visits come from; the group, the service and texts bring only those whom they reach."""
    source = rng.choice(len(SOURCES), len(person), p=list(SHOP["sources"].values()))
    barred = (source == SOURCES.index("淘宝群")) & ~people.group[person]
    barred |= (source == SOURCES.index("专属客服")) & ~people.service[person]
    barred |= (source == SOURCES.index("短信")) & people.opt_out[person]
    return np.where(barred, SOURCES.index("推荐"), source)


# ---- orders ------------------------------------------------------------------------------------------------
def _in_sale(rng: Rng, sale: Ints, shares: Sequence[float]) -> Ints:
    """When those who wait for a sale phase pay in it: mostly on its first day, from midnight on."""
    day = np.zeros(len(sale), np.int64)
    for key, year, _ in RUNS:
        for phase in PHASES[key]:
            rows = np.flatnonzero(sale == _sec(f"{year}-{phase.first}"))
            share = np.array(shares[: _day(year, phase.last) - _day(year, phase.first) + 1])
            day[rows] = rng.choice(len(share), len(rows), p=share / share.sum())
    return sale + day * DAY + _clock(rng, np.where(day == 0, MIDNIGHT, 0))


def _orders(rng: Rng, people: People, items: Items, calendar: Calendar, visits: Visits) -> tuple[Orders, list[Event]]:
    """The orders that visits lead to, and the visits in which people come back to pay."""
    count, day, person = len(visits.ts), visits.day, visits.person
    eager = people.buy[person] ** 0.6 * np.where(visits.member, 1.17, 0.87) * people.customer[person]
    draw, sale = rng.random(count), calendar.sale[day]
    cart, plain = (visits.carted > 0) & ~visits.deposit, (visits.carted == 0) & ~visits.deposit
    pay = calendar.pay[day] * eager
    bought = cart & (draw < pay)
    waits = cart & ~bought & (draw < pay + np.minimum(calendar.later[day] * eager, 0.5))
    direct = plain & (draw < 0.03 * eager)
    abandoned = cart & ~waits & (draw > 0.965) & people.customer[person]
    sampled = plain & (draw > 0.992) & people.customer[person] & (sale == NEVER)
    back = visits.ts + HOUR + (rng.exponential(0.8, count) * DAY).astype(np.int64)
    held = np.flatnonzero(waits & (sale != NEVER))
    back[held] = _in_sale(rng, sale[held], (0.46, 0.22, 0.16, 0.06, 0.10))
    masks = ((bought | direct | waits | abandoned, NORMAL), (sampled, SAMPLE), (visits.deposit, PRESALE))
    visit = np.concatenate([np.flatnonzero(mask) for mask, _ in masks])
    kind = np.concatenate([np.full(np.count_nonzero(mask), code) for mask, code in masks])
    created = np.where(waits[visit], back[visit], visits.end[visit]) + rng.integers(40, 900, len(visit))
    paid = np.where(abandoned[visit], NEVER, created + rng.integers(5, 200, len(visit)))
    deposit_paid = np.where(kind == PRESALE, paid, NEVER)
    presale = np.flatnonzero(kind == PRESALE)
    paid[presale] = _balances(rng, sale[visit[presale]])
    settled, waiting = presale[paid[presale] >= 0], np.flatnonzero(waits)
    returns = [
        _return(visits, waiting, back[waiting]),
        _return(visits, visit[settled], paid[settled] - rng.integers(20, 55, len(settled))),
    ]
    keep = np.flatnonzero((created <= NOW) & (deposit_paid <= NOW))
    keep = keep[np.lexsort((visit[keep], created[keep]))]
    paid = np.where(paid > NOW, NEVER, paid)
    return _lines(
        rng, items, calendar, visits, visit[keep], kind[keep], created[keep], deposit_paid[keep], paid[keep]
    ), returns


def _balances(rng: Rng, sale: Ints) -> Ints:
    """When balances are paid: most in the wave's sale phase, a few later, the rest never."""
    fate = rng.random(len(sale))
    late = sale + (rng.uniform(3.2, 13.0, len(sale)) * DAY).astype(np.int64)
    return np.where(fate < 0.85, _in_sale(rng, sale, (0.62, 0.18, 0.20)), np.where(fate < 0.89, late, NEVER))


def _return(visits: Visits, visit: Ints, ts: Ints) -> Event:
    """Those who come back to pay open their cart first."""
    nothing, source = np.full(len(ts), NEVER), np.full(len(ts), SOURCES.index("购物车"))
    return VISIT, visits.person[visit], ts, visits.view_item[visits.offset[visit]], nothing, source


def _lines(
    rng: Rng,
    items: Items,
    calendar: Calendar,
    visits: Visits,
    visit: Ints,
    kind: Ints,
    created: Ints,
    deposit_paid: Ints,
    paid: Ints,
) -> Orders:
    """One row an item of an order, with what was paid for it and what was refunded."""
    lines = np.where(kind == NORMAL, np.maximum(visits.carted[visit], 1), 1)
    order = np.repeat(np.arange(len(visit)), lines)
    view = visits.offset[visit][order] + np.arange(len(order)) - (np.cumsum(lines) - lines)[order]
    first = np.unique(order * 1_000 + visits.view_item[view], return_index=True)[1]  # an item once an order
    order, view = order[first], view[first]
    item, kind, created, paid = visits.view_item[view], kind[order], created[order], paid[order]
    count = len(order)
    promo = np.where(np.isnan(items.promo), items.price, items.promo)[item]
    usual = items.price[item] * rng.choice([1.0, 0.95, 0.9], count)
    amount = np.where(calendar.run[(created - FIRST) // DAY] > 0, promo, usual)
    amount *= np.where(kind == PRESALE, 1, visits.quantity[view])
    amount = np.where(kind == SAMPLE, 9.9, np.round(amount, 2))
    refunded = paid + (rng.gamma(2.0, 2.0, count) * DAY).astype(np.int64) + 2 * HOUR
    back = (paid >= 0) & (kind != SAMPLE) & (rng.random(count) < 0.045) & (refunded <= NOW)
    refund = np.round(amount * np.where(rng.random(count) < 0.8, 1.0, 0.5), 2)
    return Orders(
        number=order + 1,
        person=visits.person[visit][order],
        item=item,
        kind=kind,
        created=created,
        deposit=np.where(kind == PRESALE, items.deposit[item], np.nan),
        deposit_paid=deposit_paid[order],
        paid=paid,
        amount=np.where(paid >= 0, amount, np.nan),
        refund=np.where(back, refund, np.nan),
        refunded=np.where(back, refunded, NEVER),
    )


# ---- events ------------------------------------------------------------------------------------------------
def _bare(kind: int, person: Ints, ts: Ints, source: str = "") -> Event:
    """Events about no item."""
    nothing = np.full(len(ts), NEVER)
    return kind, person, ts, nothing, nothing, np.full(len(ts), SOURCES.index(source) if source else NEVER)


def _seen(rng: Rng, people: People, visits: Visits) -> list[Event]:
    """What happens in the visits: pages, carts, favourites, lives."""
    visit, count = visits.view_visit, len(visits.view_visit)
    person, nothing = visits.person[visit], np.full(count, NEVER)
    item = np.where(rng.random(count) < 0.004, NEVER, visits.view_item)  # the home page has no item
    source = np.where(rng.random(count) < 0.01, NEVER, visits.source[visit])
    quantity = np.where(rng.random(count) < 0.03, NEVER, visits.quantity)
    liked = rng.random(len(visits.ts)) < 0.032 * people.buy[visits.person] ** 0.3
    live = np.where(visits.source == SOURCES.index("直播"), 0.35, people.live[visits.person])
    watched = np.flatnonzero(rng.random(len(visits.ts)) < live)
    cart = np.flatnonzero(visits.view_rank < visits.carted[visit])
    like = np.flatnonzero(liked[visit] & (visits.view_rank == visits.views[visit] - 1))
    after = visits.view_ts + rng.integers(3, 20, count)
    return [
        (VISIT, person, visits.view_ts, item, nothing, source),
        (CART, person[cart], after[cart], visits.view_item[cart], quantity[cart], source[cart]),
        (FAVORITE, person[like], after[like], visits.view_item[like], nothing[like], source[like]),
        _bare(LIVE, visits.person[watched], visits.ts[watched] + 5, "直播"),
    ]


def _clubs(rng: Rng, people: People, visits: Visits) -> list[Event]:
    """Group joins on a first visit, and the check-in challenge of each 618, finished by some half."""
    who, first = np.unique(visits.person, return_index=True)
    joins = first[people.group[who] & (rng.random(len(who)) < 0.8)]
    events = [_bare(GROUP, visits.person[joins], visits.ts[joins] + 45, "淘宝群")]
    for year in (2025, 2026):
        during = (visits.ts >= _sec(f"{year}-05-05")) & (visits.ts < _sec(f"{year}-06-16"))
        rows = np.flatnonzero(during & people.customer[visits.person] & (rng.random(len(visits.ts)) < 0.017))
        rows = rows[np.unique(visits.person[rows], return_index=True)[1]]
        done = rows[rng.random(len(rows)) < 0.56]
        when = visits.ts[done] + 90 + (rng.uniform(0.4, 8.0, len(done)) * DAY).astype(np.int64)
        events.append(_bare(JOIN, visits.person[rows], visits.ts[rows] + 90))
        events.append(_bare(DONE, visits.person[done], when))
    return events


def _joined(events: Sequence[Event]) -> list[Ints]:
    """All events up to NOW in time order: kind, person, time, item, quantity, source."""
    kind = np.concatenate([np.full(len(event[1]), event[0], np.int64) for event in events])
    columns = [kind, *(np.concatenate(parts) for parts in zip(*(event[1:] for event in events), strict=True))]
    order = np.lexsort((columns[3], columns[0], columns[1], columns[2]))
    order = order[columns[2][order] <= NOW]
    return [column[order] for column in columns]


# ---- coupons and touches -----------------------------------------------------------------------------------
def _coupons(rng: Rng, people: People, calendar: Calendar, visits: Visits, orders: Orders) -> tuple[pa.Table, Event]:
    """Coupons claimed in visits; a fitting later order mostly uses one, and costs less by its value."""
    chance = calendar.claim[visits.day] * np.where(visits.member, 1.5, 0.8) * people.customer[visits.person]
    rows = np.flatnonzero((rng.random(len(visits.ts)) < chance) & (visits.ts + 30 <= NOW))
    person, claimed, count = visits.person[rows], visits.ts[rows] + 30, len(rows)
    terms = np.array(list(SHOP["coupons"].values()), np.float64)
    members, others = (rng.choice(len(terms), count, p=terms[:, column]) for column in (2, 3))
    kind = np.where(visits.member[rows], members, others)
    threshold, value = terms[kind, 0], terms[kind, 1]
    begins, ends = _validity(rng, calendar.run[visits.day[rows]], claimed)
    lines = np.flatnonzero((orders.paid >= 0) & (orders.kind == NORMAL))
    lines = lines[np.lexsort((orders.paid[lines], orders.person[lines]))]
    keys = (orders.person * 2**33 + orders.paid)[lines]
    following = np.searchsorted(keys, person * 2**33 + begins)  # the person's next paid line, if any
    line = lines[np.minimum(following, len(lines) - 1)]
    fits = (orders.person[line] == person) & (orders.created[line] >= begins) & (orders.paid[line] <= ends)
    used = np.flatnonzero(fits & (orders.amount[line] >= threshold) & (rng.random(count) < 0.8))
    used = used[np.unique(orders.number[line[used]], return_index=True)[1]]  # one coupon an order
    orders.amount[line[used]] -= value[used]
    orders.refund[line[used]] = np.minimum(orders.refund[line[used]], orders.amount[line[used]])
    redeemed = np.full(count, NEVER)
    redeemed[used] = orders.number[line[used]]
    return pa.table(
        {
            "coupon_id": _ids("c", np.arange(1, count + 1), 7),
            "user_id": _ids("u", person + 1, 6),
            "kind": _words(kind, list(SHOP["coupons"])),
            "claimed_at": _times(claimed),
            "valid_from": _times(begins),
            "valid_to": _times(ends),
            "threshold": _money(threshold),
            "value": _money(value),
            "redeemed_order_id": _ids("o", redeemed, 7),
        }
    ), _bare(CLAIM, person, claimed)


def _validity(rng: Rng, run: Ints, claimed: Ints) -> tuple[Ints, Ints]:
    """From when to when a coupon holds: a sale phase still to come or under way, on everyday days a week."""
    begins, ends = claimed, claimed // DAY * DAY + 8 * DAY - 1
    patient = rng.random(len(claimed)) < 0.3  # for the last sale phase though an earlier one is ahead
    for index, (key, year, _) in enumerate(RUNS):
        waited = {phase.sale for phase in PHASES[key]}
        first_sale, last_sale = (phase for phase in PHASES[key] if phase.first in waited)
        for sale in (last_sale, first_sale):
            start, stop = _sec(f"{year}-{sale.first}"), _sec(f"{year}-{sale.last}") + DAY - 1
            rows = (run == index + 1) & (claimed <= stop) & ((sale is last_sale) | ~patient)
            begins, ends = np.where(rows, np.maximum(claimed, start), begins), np.where(rows, stop, ends)
    return begins, ends


def _touches(rng: Rng, people: People, orders: Orders, events: list[Ints], scale: float) -> tuple[pa.Table, Event]:
    """The sends of every campaign to people who belonged to the crowd then; a click is a visit."""
    sends = [(key, year, *send) for key, year, _ in RUNS for send in SHOP["sends"][key]]
    parts: list[tuple[Ints, ...]] = []
    for index, (key, year, moment, crowd, channel, size) in enumerate(sends):
        sent = _sec(f"{year}-{moment.replace(' ', 'T')}")
        starts = [_sec(f"{year}-{phase.first}") for phase in PHASES[key] if phase.traffic < 2]
        wave = max(start for start in starts if start <= sent)
        chosen = _crowd(crowd, sent, wave, starts[0], people, orders, events)
        reached = {"sms": ~people.opt_out, "exclusive_service": people.service, "group": people.group}
        chosen &= reached[channel]
        who = np.sort(rng.permutation(np.flatnonzero(chosen))[: max(2, round(size * scale))])
        count = len(who)
        # Variant B was the better text: it is found a little more often among those who then bought.
        bought = _latest(orders.person, orders.paid, sent + 72 * HOUR, len(people.start))[who] > sent
        variant = (rng.random(count) < np.where(bought, 0.55, 0.5)).astype(np.int64)
        at = sent + rng.integers(0, 300, count)
        delivered = rng.random(count) < 0.97
        clicked = at + 40 + (rng.exponential(1.8, count) * HOUR).astype(np.int64)
        rate = SHOP["channels"][channel][1] * np.where(variant, 1.25, 0.9)
        clicked = np.where(delivered & (rng.random(count) < rate) & (clicked <= NOW), clicked, NEVER)
        parts.append((who, at, np.full(count, index), variant, delivered.astype(np.int64), clicked))
    who, at, send, variant, arrived, clicked = (np.concatenate(part) for part in zip(*parts, strict=True))
    rows = np.flatnonzero(clicked >= 0)
    kind, person, ts, item, quantity, _ = _bare(VISIT, who[rows], clicked[rows])
    source = np.array([SOURCES.index(SHOP["channels"][row[4]][0]) for row in sends])[send[rows]]
    return pa.table(
        {
            "touch_id": _ids("t", np.arange(1, len(who) + 1), 7),
            "user_id": _ids("u", who + 1, 6),
            "campaign": _words(send, [row[0] for row in sends]),
            "crowd": _words(send, [row[3] for row in sends]),
            "channel": _words(send, [row[4] for row in sends]),
            "variant": _words(variant, ["A", "B"]),
            "sent_at": _times(at),
            "delivered": _flags(arrived),
            "clicked_at": _times(clicked),
            "cost": _money(np.array([SHOP["channels"][row[4]][2] for row in sends])[send]),
        }
    ), (kind, person, ts, item, quantity, source)


def _latest(person: Ints, ts: Ints, until: int, count: int) -> Ints:
    """Each person's latest time up to a moment."""
    result = np.full(count, NEVER, np.int64)
    np.maximum.at(result, person[ts <= until], ts[ts <= until])
    return result


def _crowd(
    crowd: str, sent: int, wave: int, campaign: int, people: People, orders: Orders, events: list[Ints]
) -> Flags:
    """Customers of a crowd at a moment; never someone who has paid what they would be reminded of."""
    count = len(people.start)
    kind, person, ts = events[:3]
    paid = _latest(orders.person, orders.paid, sent, count)
    member = (people.joined >= 0) & (people.joined <= sent)
    if crowd == "balance_due":
        due = (orders.deposit_paid >= campaign) & (orders.deposit_paid <= sent)
        due &= (orders.paid == NEVER) | (orders.paid > sent)
        return np.bincount(orders.person[due], minlength=count) > 0
    if crowd == "repurchase":
        return member & (paid >= sent - 365 * DAY)
    if crowd == "member_dormant_intent":
        return member & (paid < sent - 180 * DAY) & (_latest(person, ts, sent, count) >= sent - 30 * DAY)
    carted = _latest(person[kind == CART], ts[kind == CART], sent, count)
    if crowd == "cart_unpaid":
        return people.customer & (carted >= wave) & (paid < wave)
    return people.customer & (carted >= sent - 30 * DAY) & (paid < campaign)  # high_potential


# ---- targets, peers, service -------------------------------------------------------------------------------
def _targets(rng: Rng, orders: Orders, scale: float) -> pa.Table:
    """This 618's daily goals, near what was reached as a plan's are, and its totals without a date."""
    first, length = _sec("2026-05-01"), 51
    rows = np.flatnonzero(orders.paid >= first)
    day = (orders.paid[rows] - first) // DAY
    today = np.array([0.72, 0.80, 0.42, 0.50])  # of the day before: today and what is still to come
    amount: Floats = np.bincount(day, orders.amount[rows], length).astype(np.float64)
    people_days = np.unique(day * 2**32 + orders.person[rows]) // 2**32
    buyers: Floats = np.bincount(people_days, minlength=length).astype(np.float64)
    amount[47:], buyers[47:] = amount[46] * today, buyers[46] * today
    unit = max(1.0, 1_000 * scale)
    goal = np.round(amount * rng.normal(1.03, 0.06, length) / unit) * unit
    buyers = np.maximum(1.0, np.round(buyers * rng.normal(1.02, 0.05, length)))
    crowds = ["all", "old", "new", "member", "fan"]
    totals = [
        np.round(goal.sum() * np.array([1.0, 0.58, 0.42, 0.58, 0.37])),
        np.round(0.7 * buyers.sum() * np.array([1.0, 0.52, 0.48, 0.51, 0.35])),
    ]  # many buy on two days
    days = first // DAY + np.arange(length)
    return pa.table(
        {
            "campaign": _words(np.zeros(2 * length + 10, np.int64), ["618"]),
            "crowd": _words(np.array([0] * (2 * length) + [0, 1, 2, 3, 4] * 2), crowds),
            "metric": _words(np.repeat([0, 1, 0, 1], [length, length, 5, 5]), ["paid_amount", "buyers"]),
            "value": pa.array(np.concatenate([goal, buyers, *totals])),
            "date": _dates(np.concatenate([days, days, np.full(10, NEVER)])),
        }
    )


def _peers() -> pa.Table:
    rows = [(crowd, metric, value) for crowd, row in SHOP["peers"].items() for metric, value in row.items()]
    crowds, metrics, values = zip(*rows, strict=True)
    return pa.table(
        {
            "campaign": pa.array(["618"] * len(rows)),
            "crowd": pa.array(crowds),
            "metric": pa.array(metrics),
            "value": pa.array(values, pa.float64()),
        }
    )


def _service(rng: Rng, orders: Orders) -> pa.Table:
    """Scores dip and tickets rise in the days after a sale opens, when the parcels of the peak go out."""
    first, count = _sec("2026-05-01"), 47
    day = (orders.paid - first) // DAY + 3
    daily = np.bincount(day[(day >= 0) & (day < count + 2)], minlength=count + 2)
    load = (daily[:-2] + daily[1:-1] + daily[2:]) / 3  # the three days before
    strain = np.clip(load / max(float(np.median(load)), 1.0) - 1.0, 0.0, 6.0)

    def score(best: float, drop: float) -> pa.Array:
        return pa.array(np.round(best - drop * strain + rng.normal(0.0, 0.006, count), 2))

    return pa.table(
        {
            "date": _dates(first // DAY + np.arange(count)),
            "dsr_desc": score(4.83, 0.006),
            "dsr_service": score(4.81, 0.014),
            "dsr_logistics": score(4.82, 0.026),
            "tickets": pa.array(rng.poisson(load * 0.11 + 2), pa.int64()),
            "late_shipments": pa.array(rng.poisson(load * (0.006 + 0.012 * strain) + 0.3), pa.int64()),
        }
    )


# ---- Arrow: negative integers and NaN become nulls ---------------------------------------------------------
def _ids(prefix: str, numbers: Ints, width: int) -> pa.Array:
    """Identifiers such as u000001."""
    distinct, codes = np.unique(numbers, return_inverse=True)
    words = [f"{prefix}{number:0{width}d}" for number in distinct.tolist()]
    return _words(np.where(numbers < 0, NEVER, codes), words)


def _words(codes: Ints, words: Sequence[str]) -> pa.Array:
    """Texts by their place in `words`."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string())).cast(pa.string())


def _times(seconds: Ints) -> pa.Array:
    return pa.array(seconds, pa.int64(), mask=seconds < 0).cast(pa.timestamp("s"))


def _dates(days: Ints) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=days < 0).cast(pa.date32())


def _money(values: Floats) -> pa.Array:
    return pa.array(np.round(values, 2), from_pandas=True).cast(pa.decimal128(18, 2))


def _flags(values: Ints | Flags) -> pa.Array:
    return pa.array(values.astype(np.int8))


def _of_items(item: Ints) -> dict[str, pa.Array]:
    """The item and category columns of a table."""
    return {
        "item_id": _words(item, [f"i{number:04d}" for number in range(1, len(ITEMS) + 1)]),
        "category_id": _words(np.where(item < 0, NEVER, CATEGORY[item]), CATEGORIES),
    }


def _customers_table(rng: Rng, people: People) -> pa.Table:
    rows = np.flatnonzero(people.customer)
    count, cities = len(rows), (np.arange(len(SHOP["cities"])) + 2.0) ** -0.9
    nicknames = [first + last for first in SHOP["nick_first"] for last in SHOP["nick_last"]]
    nickname = np.where(rng.random(count) < 0.03, NEVER, rng.integers(0, len(nicknames), count))
    city = np.where(rng.random(count) < 0.02, NEVER, rng.choice(len(cities), count, p=cities / cities.sum()))
    level = rng.choice(len(SHOP["levels"]), count, p=list(SHOP["levels"].values()))
    phone = 19_900_000_000 + (rows * 48_271 + 7_919) % 100_000_000  # 199 and digits made from the row number
    return pa.table(
        {
            "user_id": _ids("u", rows + 1, 6),
            "phone": pa.array(phone, mask=rng.random(count) < 0.02).cast(pa.string()),
            "nickname": _words(nickname, nicknames),
            "city": _words(city, SHOP["cities"]),
            "member_joined_at": _times(people.joined[rows]),
            "member_level": _words(np.where(people.joined[rows] < 0, NEVER, level), list(SHOP["levels"])),
            "fan_since": _times(people.fan[rows]),
            "sms_opt_out": _flags(people.opt_out[rows]),
            "in_exclusive_service": _flags(people.service[rows]),
            "in_group": _flags(people.group[rows]),
        }
    )


def _items_table(items: Items) -> pa.Table:
    shelf = _of_items(np.arange(len(ITEMS)))
    return pa.table(
        {
            "item_id": shelf["item_id"],
            "title": pa.array(ITEMS),
            "category_id": shelf["category_id"],
            "list_price": _money(items.price),
            "promo_price": _money(items.promo),
            "is_presale": _flags(~np.isnan(items.deposit)),
            "deposit": _money(items.deposit),
            "is_hero": _flags(items.hero),
            "stock": pa.array(items.stock),
        }
    )


def _events_table(events: list[Ints]) -> pa.Table:
    kind, person, ts, item, quantity, source = events
    return pa.table(
        {
            "user_id": _ids("u", person + 1, 6),
            "ts": _times(ts),
            "kind": _words(kind, KINDS),
            **_of_items(item),
            "quantity": pa.array(quantity, mask=quantity < 0),
            "source": _words(source, SOURCES),
        }
    )


def _orders_table(orders: Orders) -> pa.Table:
    return pa.table(
        {
            "order_id": _ids("o", orders.number, 7),
            "user_id": _ids("u", orders.person + 1, 6),
            **_of_items(orders.item),
            "kind": _words(orders.kind, ["normal", "presale", "sample"]),
            "created_at": _times(orders.created),
            "deposit_amount": _money(orders.deposit),
            "deposit_paid_at": _times(orders.deposit_paid),
            "paid_at": _times(orders.paid),
            "amount": _money(orders.amount),
            "refund_amount": _money(orders.refund),
            "refunded_at": _times(orders.refunded),
        }
    )


def demo_tables(
    seed: int = 618, scale: float = 1.0, progress: Callable[[str, float], None] | None = None
) -> dict[str, pa.Table]:
    """Every table of the demo shop; the same seed and scale give the same bytes."""
    report = progress or (lambda step, share: None)
    rng = np.random.Generator(np.random.PCG64(seed))
    report("customers", 0.0)
    calendar = _calendar()
    people, items = _people(rng, calendar, scale), _items(rng)
    report("visits", 0.1)
    visits = _visits(rng, people, items, calendar, scale)
    report("orders", 0.3)
    orders, returns = _orders(rng, people, items, calendar, visits)
    coupons, claims = _coupons(rng, people, calendar, visits, orders)
    report("events", 0.4)
    events = [*_seen(rng, people, visits), *_clubs(rng, people, visits), *returns, claims]
    touches, clicks = _touches(rng, people, orders, _joined(events), scale)
    report("tables", 0.7)
    tables = {
        "customers": _customers_table(rng, people),
        "events": _events_table(_joined([*events, clicks])),
        "orders": _orders_table(orders),
        "items": _items_table(items),
        "coupons": coupons,
        "touches": touches,
        "targets": _targets(rng, orders, scale),
        "peers": _peers(),
        "service": _service(rng, orders),
    }
    report("done", 1.0)
    return tables
