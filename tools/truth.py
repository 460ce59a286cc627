"""Whether what a copy states is in the offer: each claim against the shop's data, then against the request's own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil, floor

from tools.claims import Claim, claims_in
from tools.offers import Item, Offer, named_items, near_end, own_prices, title_spans

# Roles that say the same of an amount: a request that states 减30 also supports a 30 元券.
_LIKE = {
    "price": "pays", "net": "pays", "deposit": "deposit", "balance": "balance", "list": "list", "saving": "saves",
    "threshold": "threshold",
}  # fmt: skip


def unfounded(offer: Offer, text: str, names: list[tuple[int, int]]) -> list[tuple[Claim, float | None]]:
    """Claims of a folded text that neither the data nor the request holds, each with the number the data has instead, where
    it has exactly one. `names` are spans whose numerals are no claims (links, the signature, the way to refuse)."""
    titles = title_spans(offer, text)
    taken = [(s, e) for s, e, _ in titles] + names
    found: list[tuple[Claim, float | None]] = []
    for claim in claims_in(text, taken):
        named = named_items(titles, text, claim)
        if not _HOLDS[claim.kind](offer, claim, named, text) and not _stated(offer, claim):
            found.append((claim, _instead(offer, claim, named)))
    return found


def _stated(offer: Offer, claim: Claim) -> bool:
    """Whether the request says so, and the data does not contradict it."""
    return any(_says(s, claim) for s in offer.stated_claims)


def _says(stated: Claim, claim: Claim) -> bool:
    """Whether one claim of a request supports one of a copy. Gifts and deadlines are compared where they are looked at."""
    if stated.kind == "coupon" and claim.kind == "price":
        threshold, value = stated.values
        return (claim.role, claim.values) in (("threshold", (threshold,)), ("saving", (value,)))
    if stated.kind != claim.kind or claim.kind in ("gift", "deadline"):
        return False
    if claim.kind == "price":
        return _LIKE[stated.role] == _LIKE[claim.role] and stated.values == claim.values
    if stated.role != claim.role:
        return False
    if claim.role == "clock":
        return bool(set(stated.values) & set(claim.values))
    if claim.role == "day":
        return all(any(_same_day(int(d), int(e)) for e in stated.values) for d in claim.values)
    return stated.values == claim.values


def _price(offer: Offer, claim: Claim, named: list[Item], text: str) -> bool:
    value = claim.values[0]
    items = named or list(offer.items)
    if claim.role == "threshold":
        return value in {t for t, _ in offer.coupons}
    if claim.role == "list":
        return value in {i.list_price for i in items}
    if claim.role == "deposit":
        return value in {i.deposit for i in items}
    if claim.role == "balance":
        return value in {i.now - i.deposit for i in items if i.now is not None and i.deposit is not None}
    if claim.role == "saving":
        cuts = {i.list_price - i.now for i in items if i.list_price is not None and i.now is not None}
        return value in {v for _, v in offer.coupons} | {c for c in cuts if c > 0}
    if claim.role == "net" or named:
        return any(value in own_prices(i, offer.coupons) for i in items)
    return value in {p for i in items for p in (i.list_price, i.promo_price, i.deposit)}


def _coupon(offer: Offer, claim: Claim, named: list[Item], text: str) -> bool:
    return claim.values in offer.coupons


def _discount(offer: Offer, claim: Claim, named: list[Item], text: str) -> bool:
    """A rate is true of a named item when its promotion price is that share of its list price, to what is written."""
    if claim.role != "rate":
        return False
    digits = 0 if claim.values[0] == int(claim.values[0]) else 1
    return any(
        i.list_price and i.now is not None and round(i.now / i.list_price * 10, digits) == claim.values[0]
        for i in named
    )


def _date(offer: Offer, claim: Claim, named: list[Item], text: str) -> bool:
    if claim.role == "clock":
        return bool(offer.moments.intersection(map(int, claim.values)))
    known = {d.year * 10000 + d.month * 100 + d.day for d in offer.days}
    return all(any(_same_day(int(value), k) for k in known) for value in claim.values)


def _same_day(said: int, known: int) -> bool:
    """A day said without its year or month fits any."""
    digits = 10**8 if said >= 10000 else 10**4 if said >= 100 else 100
    return said == known % digits


def _stock(offer: Offer, claim: Claim, named: list[Item], text: str) -> bool:
    return any(i.stock is not None and claim.values[0] == i.stock for i in named or offer.items)


def _gift(offer: Offer, claim: Claim, named: list[Item], text: str) -> bool:
    """A gift is true when the request names it: the same thing, and no numeral that the request does not have."""
    return any(
        _thing(s.words) == _thing(claim.words)
        and set(re.findall(r"\d+", claim.words)) <= set(re.findall(r"\d+", s.words))
        for s in offer.stated_claims
        if s.kind == "gift"
    )


def _thing(words: str) -> str:
    """What is given: the last word of 送精华小样3支 (小样), of "free samples" (sample)."""
    words = re.sub(r"\s*[\d一两三四五六]+\s*[支片份件个瓶盒包]$", "", words)
    return words.split()[-1].rstrip("s") if words.isascii() else words[-2:]


def _benefit(offer: Offer, claim: Claim, named: list[Item], text: str) -> bool:
    return False


def _deadline(offer: Offer, claim: Claim, named: list[Item], text: str) -> bool:
    """Something of the calendar ends then: on that day, or in so many hours, give or take one."""
    if claim.role in ("today", "tomorrow"):
        day = offer.at.date() + timedelta(days=claim.role == "tomorrow")
        return any(near_end(d, day) for d in offer.deadlines)
    value = claim.values[0]
    said = any(s.kind == "deadline" and s.role == claim.role and s.values == claim.values for s in offer.stated_claims)
    return any(_ends_in(d, offer.at, claim.role, value, loosely=said) for d in offer.deadlines)


def _ends_in(moment: datetime, now: datetime, unit: str, value: float, *, loosely: bool) -> bool:
    """Whether `moment` is `value` hours, minutes or days away; `loosely`, when the request says so: not later than that."""
    seconds = (moment - now).total_seconds()
    left = seconds / {"hours": 3600, "minutes": 60, "days": 86400}[unit]
    if loosely and 0 < left <= value:
        return True
    return abs(left - value) <= 30 if unit == "minutes" else floor(left) <= value <= ceil(left)


_HOLDS: dict[str, Callable[[Offer, Claim, list[Item], str], bool]] = {
    "price": _price, "coupon": _coupon, "discount": _discount, "date": _date, "stock": _stock, "gift": _gift,
    "benefit": _benefit, "deadline": _deadline,
}  # fmt: skip


def _instead(offer: Offer, claim: Claim, named: list[Item]) -> float | None:
    """The number that the data has where the copy has another: a coupon's value for its threshold, a named item's price."""
    if claim.kind == "coupon":
        values = {v for t, v in offer.coupons if t == claim.values[0]}
    elif claim.kind == "price" and len(named) == 1:
        item = named[0]
        own = {"price": item.now, "list": item.list_price, "deposit": item.deposit}.get(claim.role)
        values = {own} if own is not None else set()
    elif claim.kind == "stock" and len(named) == 1 and named[0].stock is not None:
        values = {float(named[0].stock)}
    else:
        values = set()
    return values.pop() if len(values) == 1 else None
