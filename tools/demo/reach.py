"""How the shop reaches people: coupons and touches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tools.demo.behaviour import bare_event
from tools.demo.tables import as_flags, as_ids, as_money, as_times, as_words
from tools.demo.world import (
    CART,
    CLAIM,
    DAY,
    HOUR,
    NEVER,
    NORMAL,
    NOW,
    PHASES,
    RUNS,
    SHOP,
    SOURCES,
    VISIT,
    Calendar,
    Event,
    Flags,
    Ints,
    Orders,
    People,
    Rng,
    Visits,
    seconds,
)


# ---- coupons and touches -----------------------------------------------------------------------------------
def make_coupons(
    rng: Rng, people: People, calendar: Calendar, visits: Visits, orders: Orders
) -> tuple[pa.Table, Event]:
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
            "coupon_id": as_ids("c", np.arange(1, count + 1), 7),
            "user_id": as_ids("u", person + 1, 6),
            "kind": as_words(kind, list(SHOP["coupons"])),
            "claimed_at": as_times(claimed),
            "valid_from": as_times(begins),
            "valid_to": as_times(ends),
            "threshold": as_money(threshold),
            "value": as_money(value),
            "redeemed_order_id": as_ids("o", redeemed, 7),
        }
    ), bare_event(CLAIM, person, claimed)


def _validity(rng: Rng, run: Ints, claimed: Ints) -> tuple[Ints, Ints]:
    """From when to when a coupon holds: a sale phase still to come or under way, on everyday days a week."""
    begins, ends = claimed, claimed // DAY * DAY + 8 * DAY - 1
    patient = rng.random(len(claimed)) < 0.3  # for the last sale phase though an earlier one is ahead
    for index, (key, year, _) in enumerate(RUNS):
        waited = {phase.sale for phase in PHASES[key]}
        first_sale, last_sale = (phase for phase in PHASES[key] if phase.first in waited)
        for sale in (last_sale, first_sale):
            start, stop = seconds(f"{year}-{sale.first}"), seconds(f"{year}-{sale.last}") + DAY - 1
            rows = (run == index + 1) & (claimed <= stop) & ((sale is last_sale) | ~patient)
            begins, ends = np.where(rows, np.maximum(claimed, start), begins), np.where(rows, stop, ends)
    return begins, ends


def make_touches(rng: Rng, people: People, orders: Orders, events: list[Ints], scale: float) -> tuple[pa.Table, Event]:
    """The sends of every campaign to people who belonged to the crowd then; a click is a visit."""
    sends = [(key, year, *send) for key, year, _ in RUNS for send in SHOP["sends"][key]]
    parts: list[tuple[Ints, ...]] = []
    for index, (key, year, moment, crowd, channel, size) in enumerate(sends):
        sent = seconds(f"{year}-{moment.replace(' ', 'T')}")
        starts = [seconds(f"{year}-{phase.first}") for phase in PHASES[key] if phase.traffic < 2]
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
    kind, person, ts, item, quantity, _ = bare_event(VISIT, who[rows], clicked[rows])
    source = np.array([SOURCES.index(SHOP["channels"][row[4]][0]) for row in sends])[send[rows]]
    return pa.table(
        {
            "touch_id": as_ids("t", np.arange(1, len(who) + 1), 7),
            "user_id": as_ids("u", who + 1, 6),
            "campaign": as_words(send, [row[0] for row in sends]),
            "crowd": as_words(send, [row[3] for row in sends]),
            "channel": as_words(send, [row[4] for row in sends]),
            "variant": as_words(variant, ["A", "B"]),
            "sent_at": as_times(at),
            "delivered": as_flags(arrived),
            "clicked_at": as_times(clicked),
            "cost": as_money(np.array([SHOP["channels"][row[4]][2] for row in sends])[send]),
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
