"""The shop's world: calendar, clock, people and items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rng = np.random.Generator
Event = tuple[int, Ints, Ints, Ints, Ints, Ints]  # kind; person, time, item, quantity, source
DAY, HOUR, NEVER = 86_400, 3_600, -1
SHOP: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text("utf-8"))


def seconds(text: str) -> int:
    return int(np.datetime64(text, "s").astype(np.int64))


NOW, FIRST = seconds("2026-06-17T10:00:00"), seconds("2025-04-01")
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
    """How people behave in a phase; see `names.yaml` for the rates."""

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
def day_number(year: int, month_day: str) -> int:
    return (seconds(f"{year}-{month_day}") - FIRST) // DAY


def make_calendar() -> Calendar:
    """The rates of every day; each campaign's traffic is brought to its share of all visits."""
    rates = {name: np.full(DAYS, getattr(CALM, name)) for name in Calendar._fields[:6]}
    run, profile, sale = (np.full(DAYS, value, np.int64) for value in (0, 0, NEVER))
    for index, (key, year, _) in enumerate(RUNS):
        for phase in PHASES[key]:
            days = slice(day_number(year, phase.first), day_number(year, phase.last) + 1)
            for name, column in rates.items():
                column[days] = getattr(phase, name)
            run[days] = index + 1
            if phase.deposit:
                profile[days.start] = EVENING
            if phase.sale:
                sale[days] = seconds(f"{year}-{phase.sale}")
                profile[day_number(year, phase.sale)], profile[day_number(year, phase.sale) - 1] = MIDNIGHT, EVE
        for month_day, boost in SHOP["boosts"].items():
            if day_number(year, month_day) < DAYS and run[day_number(year, month_day)] == index + 1:
                rates["traffic"][day_number(year, month_day)] *= boost
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


def clock_times(rng: Rng, profile: Ints) -> Ints:
    """A second of the day for each row, by the row's hour profile."""
    steps = np.cumsum(_hours(), axis=1)
    steps[:, -1] = 1.0
    ladder = (steps + np.arange(4)[:, None]).ravel()
    place = np.searchsorted(ladder, rng.random(len(profile)) + profile, side="right")
    hour: Ints = np.minimum(place - 24 * profile, 23)
    return hour * HOUR + rng.integers(0, HOUR, len(profile))


# ---- people and shelf --------------------------------------------------------------------------------------
def make_people(rng: Rng, calendar: Calendar, scale: float) -> People:
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
    count, bump = len(start), seconds("2026-05-01")
    lately = np.where(
        rng.random(count) < 0.4, rng.integers(bump, bump + 28 * DAY, count), rng.integers(FIRST, NOW, count)
    )
    since = np.where(rng.random(count) < early, rng.integers(seconds("2023-06-18"), FIRST, count), lately)
    met = FIRST + start * DAY
    soon = met + rng.exponential(9.0 * DAY, count).astype(np.int64)
    since = np.where(start < 0, since, np.where(soon < NOW, soon, (met + NOW) // 2))
    since = since // DAY * DAY + clock_times(rng, np.zeros(count, np.int64))
    return np.where(chosen, np.minimum(since, NOW - 600), NEVER)


def make_items(rng: Rng) -> Items:
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
