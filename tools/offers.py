"""What a copy may state: the shop's prices, coupons, days and stocks, and the request's own words unless the data says otherwise.

Nothing else may stand in a copy as a price, discount, date, stock or gift (domain: channels and copy).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import prompts
from knowledge.copy_rules import copy_rules
from tools.campaigns import Campaign, day_end, day_start, next_campaign
from tools.claims import Claim, claims_in
from tools.context import Context
from tools.folding import fold

_END_OF_DAY = timedelta(minutes=1)  # 23:59:59 reads as 24:00


@dataclass(frozen=True)
class Item:
    """One item of the shop; amounts in the shop's currency, None where the data has none."""

    title: str
    list_price: float | None = None
    promo_price: float | None = None
    deposit: float | None = None
    stock: int | None = None

    @property
    def now(self) -> float | None:
        """What it costs in the promotion."""
        return self.list_price if self.promo_price is None else self.promo_price


@dataclass(frozen=True)
class Offer:
    """What the shop's data and the request allow a copy to state as of `at`.

    `coupons` are (threshold, value) pairs in the shop's currency; `days` the dates that mean something in the campaign;
    `moments` the times of day, `deadlines` the moments at which something ends (midnight after its last day); `stated` the
    request's own words.
    """

    signature: str
    at: datetime
    items: tuple[Item, ...] = ()
    coupons: tuple[tuple[float, float], ...] = ()
    days: frozenset[date] = frozenset()
    moments: frozenset[int] = frozenset()  # minutes after midnight
    deadlines: tuple[datetime, ...] = ()
    stated: str = ""

    @cached_property
    def folded_titles(self) -> tuple[tuple[str, Item], ...]:
        """Titles as they read in a folded text, the longest first: one may stand inside another."""
        rules = copy_rules()
        pairs = ((fold(i.title, rules).text.strip(), i) for i in self.items)
        return tuple(sorted(((t, i) for t, i in pairs if t), key=lambda p: -len(p[0])))

    @cached_property
    def stated_claims(self) -> tuple[Claim, ...]:
        """What the request states and the data does not contradict."""
        text = fold(self.stated, copy_rules()).text
        taken = [(s, e) for s, e, _ in title_spans(self, text)]
        wrong = {(c.claim.start, c.claim.end) for c in contradictions(self, self.stated)}
        return tuple(c for c in claims_in(text, taken) if (c.start, c.end) not in wrong)


@dataclass(frozen=True)
class Contradiction:
    """Something stated that the data knows otherwise: `words` of the request, and what the data has instead."""

    claim: Claim
    words: str
    item: str | None
    known: tuple[str, ...]

    def text(self, lang: str) -> str:
        """One sentence for a person."""
        known = prompts.text("check.join", lang).join(self.known)
        if self.claim.kind == "coupon":
            threshold = f"{self.claim.values[0]:g}"
            return prompts.text("check.coupon_contradicted", lang, stated=self.words, threshold=threshold, known=known)
        if self.claim.kind == "stock":
            return prompts.text("check.stock_contradicted", lang, stated=self.words, item=self.item, known=known)
        return prompts.text("check.price_contradicted", lang, stated=self.words, item=self.item, known=known)


def offer_of(ctx: Context, stated: str = "") -> Offer:
    """The offer at the context's moment: items, coupons not used up and not expired, and the calendar of the running
    campaign, between campaigns of the next."""
    at = f"TIMESTAMP '{ctx.at:%Y-%m-%d %H:%M:%S}'"
    items = ctx.engine.query("SELECT title, list_price, promo_price, deposit, stock FROM items ORDER BY title, item_id")
    held = f"redeemed_order_id IS NULL AND (valid_to IS NULL OR valid_to >= {at}) AND (claimed_at IS NULL OR claimed_at <= {at})"
    coupons = ctx.engine.query(
        f"SELECT DISTINCT threshold, value FROM coupons WHERE {held} AND value IS NOT NULL ORDER BY threshold, value"
    )
    ends = ctx.engine.query(
        f"SELECT DISTINCT valid_to FROM coupons WHERE {held} AND valid_to IS NOT NULL ORDER BY valid_to"
    )
    expiries = [datetime.fromisoformat(row["valid_to"]) for row in ends]
    campaign = ctx.inside or next_campaign(ctx.at.date(), ctx.shop.campaigns)
    campaigns = [campaign] if campaign else []
    deadlines = {e + timedelta(seconds=1) if e.second == 59 else e for e in expiries}
    for campaign in campaigns:
        deadlines |= _ends(campaign)
    opens = {g.at for c in campaigns for g in c.gates}
    moments = {m.hour * 60 + m.minute for m in deadlines | opens if m.second == 0}
    days = {day for c in campaigns for day in _days(c)} | {e.date() for e in expiries}
    return Offer(
        signature=ctx.shop.signature,
        at=ctx.at,
        items=tuple(_item(row) for row in items),
        coupons=tuple((float(row["threshold"] or 0), float(row["value"])) for row in coupons),
        days=frozenset(days | {ctx.at.date()}),
        moments=frozenset(moments),
        deadlines=tuple(sorted(d for d in deadlines if d > ctx.at)),
        stated=stated,
    )


def _item(row: dict[str, Any]) -> Item:
    return Item(row["title"], row["list_price"], row["promo_price"], row["deposit"], row["stock"])


def _ends(campaign: Campaign) -> set[datetime]:
    """Midnights after the last days of phases, balance windows and member days."""
    last = [p.last for p in campaign.phases] + [w[1] for w in campaign.balance_windows] + list(campaign.member_days)
    return {day_start(day + timedelta(days=1)) for day in last}


def _days(campaign: Campaign) -> Iterable[date]:
    for phase in campaign.phases:
        yield from (phase.first, phase.last)
    for first, last in campaign.balance_windows:
        yield from (first, last)
    yield from (g.at.date() for g in campaign.gates)
    yield from campaign.member_days
    if campaign.peak_day:
        yield campaign.peak_day


def contradictions(offer: Offer, stated: str) -> list[Contradiction]:
    """What of `stated` the data knows otherwise: a coupon of a known threshold with another value, a named item's price or
    stock that is not its own. What the data does not know (a day, a gift, a coupon of a new threshold) contradicts nothing."""
    folded = fold(stated, copy_rules())
    titles = title_spans(offer, folded.text)
    found = []
    for claim in claims_in(folded.text, [(s, e) for s, e, _ in titles]):
        start, end = folded.span(claim.start, claim.end)
        if claim.kind == "coupon":
            same = [v for t, v in offer.coupons if t == claim.values[0]]
            if same and claim.values[1] not in same:
                known = tuple(f"{v:g}" for v in same)
                found.append(Contradiction(claim, stated[start:end], None, known))
        elif claim.kind == "price" and claim.role in ("price", "net", "list", "deposit", "balance"):
            named = named_items(titles, folded.text, claim)
            if named and not any(claim.values[0] in own_prices(i, offer.coupons) for i in named):
                known = tuple(f"{p:g}" for p in dict.fromkeys((named[0].now, named[0].list_price)) if p is not None)
                if known:
                    found.append(Contradiction(claim, stated[start:end], named[0].title, known))
        elif claim.kind == "stock":
            named = [i for i in named_items(titles, folded.text, claim) if i.stock is not None]
            if named and not any(claim.values[0] == i.stock for i in named):
                found.append(Contradiction(claim, stated[start:end], named[0].title, (f"{named[0].stock}",)))
    return found


def title_spans(offer: Offer, text: str) -> list[tuple[int, int, Item]]:
    """Where items of the shop are named in a folded text, without overlaps, in order."""
    spans: list[tuple[int, int, Item]] = []
    for title, item in offer.folded_titles:
        start = text.find(title)
        while start >= 0:
            end = start + len(title)
            if not any(s < end and start < e for s, e, _ in spans):
                spans.append((start, end, item))
            start = text.find(title, end)
    return sorted(spans, key=lambda s: s[0])


def named_items(spans: list[tuple[int, int, Item]], text: str, claim: Claim) -> list[Item]:
    """The items a claim can belong to: of `spans` (title_spans) the nearest before it and after it in its sentence."""
    begin = max(text.rfind(stop, 0, claim.start) for stop in "。;!?\n") + 1
    ends = [e for stop in "。;!?\n" if (e := text.find(stop, claim.end)) >= 0]
    end = min(ends, default=len(text))
    near = [s for s in spans if begin <= s[0] and s[1] <= end]
    before = [item for s, e, item in near if e <= claim.end][-1:]
    after = [item for s, e, item in near if s >= claim.end][:1]
    return before + after


def own_prices(item: Item, coupons: Iterable[tuple[float, float]]) -> set[float]:
    """The amounts an item can be said to cost: list and promotion price, deposit, balance, and after one coupon."""
    base = {p for p in (item.list_price, item.promo_price, item.deposit) if p is not None}
    if item.now is not None:
        base |= {item.now - v for t, v in coupons if t <= item.now}
        if item.deposit is not None:
            base.add(item.now - item.deposit)
    return base


def near_end(moment: datetime, day: date) -> bool:
    """Whether something that ends at `moment` ends on `day`: midnight belongs to the day before."""
    return day_start(day) < moment <= day_end(day) + _END_OF_DAY
