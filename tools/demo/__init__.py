"""The demo shop: a seeded, invented skincare brand in the second wave of its 618 of 2026.

People come on the days and hours a promotion's traffic has; a visit may lead to a cart, a cart to an order,
now or in the wave's sale phase. Crowds are not made to measure: they follow from the rates in
`names.yaml`. No row is later than NOW. Times are seconds since 1970 of the shop's local clock; NEVER is
what did not happen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from tools.demo.behaviour import club_events, join_events, make_orders, make_visits, seen_events
from tools.demo.figures import make_peers, make_service, make_targets
from tools.demo.reach import make_coupons, make_touches
from tools.demo.tables import customers_table, events_table, items_table, orders_table
from tools.demo.world import make_calendar, make_items, make_people


def demo_tables(
    seed: int = 618, scale: float = 1.0, progress: Callable[[str, float], None] | None = None
) -> dict[str, pa.Table]:
    """Every table of the demo shop; the same seed and scale give the same bytes."""
    report = progress or (lambda step, share: None)
    rng = np.random.Generator(np.random.PCG64(seed))
    report("customers", 0.0)
    calendar = make_calendar()
    people, items = make_people(rng, calendar, scale), make_items(rng)
    report("visits", 0.1)
    visits = make_visits(rng, people, items, calendar, scale)
    report("orders", 0.3)
    orders, returns = make_orders(rng, people, items, calendar, visits)
    coupons, claims = make_coupons(rng, people, calendar, visits, orders)
    report("events", 0.4)
    events = [*seen_events(rng, people, visits), *club_events(rng, people, visits), *returns, claims]
    touches, clicks = make_touches(rng, people, orders, join_events(events), scale)
    report("tables", 0.7)
    tables = {
        "customers": customers_table(rng, people),
        "events": events_table(join_events([*events, clicks])),
        "orders": orders_table(orders),
        "items": items_table(items),
        "coupons": coupons,
        "touches": touches,
        "targets": make_targets(rng, orders, scale),
        "peers": make_peers(),
        "service": make_service(rng, orders),
    }
    report("done", 1.0)
    return tables


__all__ = ["demo_tables"]
