"""What a reader must know about the numbers of an answer: up to when their tables go, and where borrowed numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from knowledge import catalog
from tools import lines as lines_of
from tools import wording
from tools.blind import metric_needs
from tools.campaigns import campaign_for, day_start
from tools.context import Context
from tools.periods import Window
from tools.shop import parse_moment

_DAILY = ("events", "orders")  # tables that a shop at work adds to every day: where they end, knowledge ends
# The others are filled now and then: the newest row of what is counted is told, when the asked days lie behind it.
_NEWEST = {"customers": "member_joined_at", "coupons": "claimed_at", "touches": "sent_at"}
_AT_COHORT = ("rv_total", "rv_active", "rv_active_buyers", "rv_active_amount", "rv_value", "non_rv_value")


def tables_of(keys: Iterable[str]) -> set[str]:
    """The tables without which the metrics cannot be told; where one of several would do, none of these."""
    terms = {term for key in keys if key != "crowd_size" for term in metric_needs(key) if "|" not in term}
    return {catalog.need_parts(term)[0] for term in terms}


def missing_data(ctx: Context, keys: Sequence[str], over: Window) -> list[str]:
    """Says up to when there is data, for each table that the asked days go beyond."""
    tables = tables_of(keys)
    notes = lines_of.ends_before(
        ctx, [t for t in _DAILY if t in tables], min(day_start(over.last), over.until)
    )  # fmt: skip
    counted = {"customers": "new_members" in keys}
    for table in (t for t in _NEWEST if t in tables):
        newest = _newest(ctx, table, over)
        if newest or (counted.get(table, True) and newest is None):
            notes.append(newest or ctx.say("note.no_rows", table=catalog.tables()[table].name.get(ctx.lang)))
    return notes


def _newest(ctx: Context, table: str, over: Window) -> str | None:
    """Of when the newest row is, where the window lies behind it; "" where it does not, None where there is no row."""
    column = _NEWEST[table]
    query = f"SELECT max({column}) AS newest FROM {table} WHERE {column} <= TIMESTAMP '{over.until:%Y-%m-%d %H:%M:%S}'"
    found = ctx.engine.query(query)[0]["newest"]
    if found is None:
        return None
    moment = parse_moment(str(found))
    if moment >= day_start(over.first) or table == "customers":
        return ""
    shown = f"{wording.day(moment.date(), ctx.lang, year=moment.year != ctx.at.year)} {moment:%H:%M}"
    name = catalog.tables()[table].name.get(ctx.lang)
    fact = ctx.sheet.moment(ctx.say("label.data_until", table=name), moment.replace(second=0), shown)
    return ctx.say("note.newest", table=name, moment=fact.display)


def origins(ctx: Context, keys: Sequence[str], over: Window, values: Sequence[float | int | None]) -> list[str]:
    """Where numbers come from that the shop's own window does not give: the peers' table, the first tracked day; and why
    refund rates have no value where no order tells of refunds. `values`: those of the answer."""
    campaign = campaign_for(over.last, ctx.shop.campaigns)
    notes = []
    if any(catalog.metrics()[k].peer_of for k in keys):
        known = all(v is not None for v in values)
        name = campaign.name.get(ctx.lang) if campaign else "—"
        notes.append(ctx.say("note.peers_from" if known else "note.no_peers", campaign=name))
    if campaign and set(keys) & set(_AT_COHORT):
        day = campaign.cohort_date
        shown = wording.day(day, ctx.lang, year=day.year != ctx.at.year)
        at = min(day_start(day) + timedelta(days=1, seconds=-1), over.until)
        notes.append(ctx.say("note.cohort", day=ctx.sheet.moment(ctx.say("label.period"), at, shown).display))
    if "refund_rate" in keys and not ctx.engine.query("SELECT count(refund_amount) AS n FROM orders")[0]["n"]:
        notes.append(ctx.say("note.no_refunds"))
    return notes
