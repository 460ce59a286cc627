"""What people do: visits, carts, orders, lives, clubs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.demo.world import (
    CART,
    CATEGORIES,
    CATEGORY,
    DAY,
    DAYS,
    DONE,
    EVENING,
    FAVORITE,
    FIRST,
    GROUP,
    HOUR,
    ITEMS,
    JOIN,
    LIVE,
    MIDNIGHT,
    NEVER,
    NORMAL,
    NOW,
    PHASES,
    PRESALE,
    RUNS,
    SAMPLE,
    SESSIONS,
    SHOP,
    SOURCES,
    VISIT,
    Calendar,
    Event,
    Ints,
    Items,
    Orders,
    People,
    Rng,
    Visits,
    clock_times,
    day_number,
    seconds,
)


# ---- visits ------------------------------------------------------------------------------------------------
def _arrivals(rng: Rng, people: People, calendar: Calendar, scale: float) -> tuple[Ints, Ints]:
    """Who comes on which day: the newly met once, then all by activity, in moods that last a fortnight."""
    count = len(people.start)
    moods = rng.lognormal(0.0, 0.5, (DAYS // 14 + 1, count))
    numbers = rng.poisson(calendar.traffic * SESSIONS * scale)
    member_days = {day_number(year, month_day) for year in (2025, 2026) for month_day in SHOP["member_days"]}
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


def make_visits(rng: Rng, people: People, items: Items, calendar: Calendar, scale: float) -> Visits:
    """When people come, from where, what they view, what goes into the cart, who pays a deposit."""
    person, day = _arrivals(rng, people, calendar, scale)
    ts = FIRST + day * DAY + clock_times(rng, calendar.profile[day])
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
            rows = np.flatnonzero(sale == seconds(f"{year}-{phase.first}"))
            share = np.array(shares[: day_number(year, phase.last) - day_number(year, phase.first) + 1])
            day[rows] = rng.choice(len(share), len(rows), p=share / share.sum())
    return sale + day * DAY + clock_times(rng, np.where(day == 0, MIDNIGHT, 0))


def make_orders(
    rng: Rng, people: People, items: Items, calendar: Calendar, visits: Visits
) -> tuple[Orders, list[Event]]:
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
def bare_event(kind: int, person: Ints, ts: Ints, source: str = "") -> Event:
    """Events about no item."""
    nothing = np.full(len(ts), NEVER)
    return kind, person, ts, nothing, nothing, np.full(len(ts), SOURCES.index(source) if source else NEVER)


def seen_events(rng: Rng, people: People, visits: Visits) -> list[Event]:
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
        bare_event(LIVE, visits.person[watched], visits.ts[watched] + 5, "直播"),
    ]


def club_events(rng: Rng, people: People, visits: Visits) -> list[Event]:
    """Group joins on a first visit, and the check-in challenge of each 618, finished by some half."""
    who, first = np.unique(visits.person, return_index=True)
    joins = first[people.group[who] & (rng.random(len(who)) < 0.8)]
    events = [bare_event(GROUP, visits.person[joins], visits.ts[joins] + 45, "淘宝群")]
    for year in (2025, 2026):
        during = (visits.ts >= seconds(f"{year}-05-05")) & (visits.ts < seconds(f"{year}-06-16"))
        rows = np.flatnonzero(during & people.customer[visits.person] & (rng.random(len(visits.ts)) < 0.017))
        rows = rows[np.unique(visits.person[rows], return_index=True)[1]]
        done = rows[rng.random(len(rows)) < 0.56]
        when = visits.ts[done] + 90 + (rng.uniform(0.4, 8.0, len(done)) * DAY).astype(np.int64)
        events.append(bare_event(JOIN, visits.person[rows], visits.ts[rows] + 90))
        events.append(bare_event(DONE, visits.person[done], when))
    return events


def join_events(events: Sequence[Event]) -> list[Ints]:
    """All events up to NOW in time order: kind, person, time, item, quantity, source."""
    kind = np.concatenate([np.full(len(event[1]), event[0], np.int64) for event in events])
    columns = [kind, *(np.concatenate(parts) for parts in zip(*(event[1:] for event in events), strict=True))]
    order = np.lexsort((columns[3], columns[0], columns[1], columns[2]))
    order = order[columns[2][order] <= NOW]
    return [column[order] for column in columns]
