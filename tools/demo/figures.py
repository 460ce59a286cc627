"""Figures that stand beside the data: targets, peers, service."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tools.demo.tables import as_dates, as_words
from tools.demo.world import DAY, NEVER, SHOP, Floats, Orders, Rng, seconds


# ---- targets, peers, service -------------------------------------------------------------------------------
def make_targets(rng: Rng, orders: Orders, scale: float) -> pa.Table:
    """This 618's daily goals, near what was reached as a plan's are, and its totals without a date."""
    first, length = seconds("2026-05-01"), 51
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
            "campaign": as_words(np.zeros(2 * length + 10, np.int64), ["618"]),
            "crowd": as_words(np.array([0] * (2 * length) + [0, 1, 2, 3, 4] * 2), crowds),
            "metric": as_words(np.repeat([0, 1, 0, 1], [length, length, 5, 5]), ["paid_amount", "buyers"]),
            "value": pa.array(np.concatenate([goal, buyers, *totals])),
            "date": as_dates(np.concatenate([days, days, np.full(10, NEVER)])),
        }
    )


def make_peers() -> pa.Table:
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


def make_service(rng: Rng, orders: Orders) -> pa.Table:
    """Scores dip and tickets rise in the days after a sale opens, when the parcels of the peak go out."""
    first, count = seconds("2026-05-01"), 47
    day = (orders.paid - first) // DAY + 3
    daily = np.bincount(day[(day >= 0) & (day < count + 2)], minlength=count + 2)
    load = (daily[:-2] + daily[1:-1] + daily[2:]) / 3  # the three days before
    strain = np.clip(load / max(float(np.median(load)), 1.0) - 1.0, 0.0, 6.0)

    def score(best: float, drop: float) -> pa.Array:
        return pa.array(np.round(best - drop * strain + rng.normal(0.0, 0.006, count), 2))

    return pa.table(
        {
            "date": as_dates(first // DAY + np.arange(count)),
            "dsr_desc": score(4.83, 0.006),
            "dsr_service": score(4.81, 0.014),
            "dsr_logistics": score(4.82, 0.026),
            "tickets": pa.array(rng.poisson(load * 0.11 + 2), pa.int64()),
            "late_shipments": pa.array(rng.poisson(load * (0.006 + 0.012 * strain) + 0.3), pa.int64()),
        }
    )
