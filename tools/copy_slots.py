"""What the shop's data lets a touch message say: the values of the slots of knowledge/copy.yaml, each with its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from knowledge.catalog import Unit
from knowledge.copy_templates import Moment, copy_file
from tools import audience, phases
from tools.campaigns import Campaign, day_start
from tools.context import Context
from tools.copy_reach import HeldCoupon, Recipients
from tools.facts import display
from tools.lines import literal
from tools.scope import Moments
from tools.sql import quote

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

_DAY = timedelta(days=1)
_NTH = "一二三四五六七八九"
PRICES = ("hero_price", "carted_price", "deposit")  # the slots that tell what something costs


@dataclass(frozen=True)
class Slot:
    """A value as customers read it, and the fact behind it. `holders`: the recipients who hold the coupon it names."""

    text: str
    label: str  # a key of the texts
    value: float | str
    unit: Unit
    query: str
    holders: audience.Counted | None = None


def moments_of(ctx: Context) -> list[Moment]:
    """Where in its campaign the question's moment is."""
    return moments_at(ctx.campaign, ctx.at)


def moments_at(campaign: Campaign | None, at: datetime) -> list[Moment]:
    """Where in a campaign a moment is, the nearest first: balance window or the days after the last one, last day of a sale,
    kind of phase; or outside."""
    phase = campaign.phase_at(at.date()) if campaign else None
    found: list[Moment] = ["balance_over"] if campaign and balance_over(campaign, at) else []
    if campaign is None or phase is None:
        return [*found, "outside"]
    if campaign.balance_window_at(at):
        found.append("balance")
    if phase.kind == "sale" and at.date() == phase.last:
        found.append("last_day")
    return [*found, phase.kind]  # type: ignore[list-item]


def balance_over(campaign: Campaign, at: datetime) -> date | None:
    """The last day on which balances could be paid, once it is over."""
    last = max((w[1] for w in campaign.balance_windows), default=None)
    return last if last is not None and last < at.date() else None


def slots(ctx: Context, crowd: str, to: Recipients, benefit: str | None, discount: bool) -> dict[str, Slot]:
    """The slots that have data for these recipients at this moment. A discount given by the request stands in for coupons."""
    out: dict[str, Slot] = {}
    here = phases.position(ctx)
    live = here is not None and here[1].kind == "sale"
    if here is not None:
        out |= _calendar(ctx, *here)
    out |= _shop_items(ctx, live)
    tree = audience.parse(crowd)
    if audience.has_carts(tree):
        out |= _carted(ctx, crowd, live)
    if not (benefit and discount):
        usable_from = None if live or here is None else next((p.first for p in here[0].phases if _opens(p, ctx)), None)
        out |= _coupons(ctx, to, usable_from)
    if benefit:
        out["benefit"] = Slot(benefit, "draft.label_benefit", benefit, "text", literal(benefit))
    return out


def event_name(campaign: Campaign) -> str:
    """618大促; a name in words stands as it is (双12预热, 店庆)."""
    name = campaign.name.zh
    return f"{name}大促" if re.search(r"\d$", name) else name


def clock_text(at: datetime, now: datetime) -> str:
    """6 月 16 日 0 点 · 6 月 20 日 24 点 (the midnight that ends a day is asked for as that day's 24:00 by `_ends`)."""
    minutes = f" {at.hour} 点" + (f" {at.minute} 分" if at.minute else "")
    return _day_text(at.date(), now) + minutes


def _day_text(day: date, now: datetime) -> str:
    year = f"{day.year} 年 " if day.year != now.year else ""
    return f"{year}{day.month} 月 {day.day} 日"


def _ends(last: date, now: datetime) -> str:
    return ("今天" if last == now.date() else _day_text(last, now)) + " 24 点"


def _time(text: str, at: datetime) -> Slot:
    stamp = at.strftime("%Y-%m-%d %H:%M:%S")
    return Slot(text, "draft.label_time", stamp[:16], "date", f"SELECT TIMESTAMP '{stamp}'")


def _opens(phase: Any, ctx: Context) -> bool:
    return bool(phase.kind == "sale" and phase.first > ctx.at.date())


def _calendar(ctx: Context, campaign: Campaign, phase: Any) -> dict[str, Slot]:
    now, today = ctx.at, ctx.at.date()
    name = event_name(campaign)

    def word(text: str) -> Slot:
        return Slot(text, "draft.label_event", text, "text", literal(text))

    out = {"event": word(name), "wave": word(name)}
    waves = campaign.waves()
    nth = next((i for i, w in enumerate(waves) if w.first <= today <= w.last), None)
    if nth is not None and nth + 1 < len(waves) and nth < len(_NTH):
        out["wave"] = word(f"{name}第{_NTH[nth]}波")
    if phase.kind == "sale":
        out["end"] = _time(_ends(phase.last, now), day_start(phase.last + _DAY))
    if phase.kind == "presale":
        out["deposit_end"] = _time(_ends(phase.last, now), day_start(phase.last + _DAY))
    opening = next((p.first for p in campaign.phases if _opens(p, ctx)), None)
    if opening is not None and phase.kind != "sale":
        out["start"] = _time(clock_text(day_start(opening), now), day_start(opening))
    window = next((w for w in campaign.balance_windows if w[1] >= today), None)
    if window is not None:
        out["balance_end"] = _time(_ends(window[1], now), day_start(window[1] + _DAY))
        if window[0] > today:
            out["balance_start"] = _time(clock_text(day_start(window[0]), now), day_start(window[0]))
    ahead = [d for d in campaign.member_days if d >= today]
    if ahead:
        out["member_day"] = _time(_day_text(min(ahead), now), day_start(min(ahead)))
    return out


def _item(title: str) -> Slot:
    return Slot(title, "label.item", title, "text", literal(title))


def money(amount: float, ctx: Context) -> str:
    """276 元; another currency in its own sign."""
    return f"{amount:,.2f}".removesuffix(".00") + " 元" if ctx.shop.currency == "CNY" else _signed(amount, ctx)


def _signed(amount: float, ctx: Context) -> str:
    return display(amount, "CNY", "zh", ctx.shop.currency)


def _price(ctx: Context, item_id: str, column: str, amount: float) -> Slot:
    query = f'SELECT "{column}" FROM items WHERE item_id = {quote(item_id)}'
    return Slot(money(amount, ctx), "draft.label_price", amount, "CNY", query)


def _shop_items(ctx: Context, live: bool) -> dict[str, Slot]:
    """The hero item and the presale item that most people looked at in 30 days."""
    rows, _ = ctx.engine.rows(("copy items",), lambda at: _looked_at(ctx.engine, at), ctx.scope)
    rows = sorted(rows, key=lambda r: (-(r["people"] or 0), r["item_id"]))
    out: dict[str, Slot] = {}
    hero = next((r for r in rows if r["is_hero"] == 1), None)
    if hero is not None:
        out["hero"] = _item(hero["title"])
        if hero["stock"]:
            out["hero_in_stock"] = out["hero"]
        if live and hero["promo_price"]:
            out["hero_price"] = _price(ctx, hero["item_id"], "promo_price", hero["promo_price"])
    presale = next((r for r in rows if r["is_presale"] == 1), None)
    if presale is not None:
        out["presale_item"] = _item(presale["title"])
        if presale["deposit"]:
            out["deposit"] = _price(ctx, presale["item_id"], "deposit", presale["deposit"])
    return out


def _looked_at(engine: Reader, at: Moments) -> ir.Table:
    """Hero and presale items that are not sold out, with the people who visited, favourited or carted them in 30 days."""
    e = engine.table("events")
    seen = e.filter(e.ts >= at.ago(30), e.ts <= at.at, e.kind.isin(["visit", "favorite", "cart"]))
    per = seen.group_by("item_id").agg(people=seen.user_id.nunique())
    i = engine.table("items")
    # A sold-out item is not what a message speaks of; an unknown stock is no sold-out one.
    i = i.filter((i.is_hero == 1) | (i.is_presale == 1), i.stock.isnull() | (i.stock > 0))
    t = i.left_join(per, "item_id").drop("item_id_right")
    return t.select(
        "item_id", "title", "is_hero", "is_presale", "stock", t.promo_price.cast("float64").name("promo_price"),
        t.deposit.cast("float64").name("deposit"), people=t.people.fill_null(0),
    )  # fmt: skip


def _carted(ctx: Context, crowd: str, live: bool) -> dict[str, Slot]:
    """The item that most people of the crowd carted and have not paid."""
    top = audience.profile(ctx.engine, crowd, ctx.scope).top_items
    if not top or top[0][2] < copy_file().many_people:
        return {}
    item_id, title, _ = top[0]
    rows = ctx.engine.query(
        'SELECT CAST("promo_price" AS DOUBLE) AS "price", "stock" FROM items '
        f"WHERE item_id = {quote(item_id)} AND title IS NOT NULL"
    )
    if not rows or rows[0]["stock"] == 0:
        return {}
    out = {"carted": _item(title)}
    if rows[0]["stock"]:
        out["carted_in_stock"] = out["carted"]
    if live and rows[0]["price"]:
        out["carted_price"] = _price(ctx, item_id, "promo_price", rows[0]["price"])
    return out


def coupon_text(coupon: HeldCoupon, ctx: Context) -> str | None:
    """满 199 减 25 券, in another currency 满 $199 减 $25 券; None without a value."""
    if not coupon.value:
        return None
    plain = ctx.shop.currency == "CNY"
    value, threshold = ((f"{x:g}" if plain else _signed(x, ctx)) if x else "" for x in (coupon.value, coupon.threshold))
    if threshold:
        return f"满 {threshold} 减 {value} 券"
    return f"{value} 元券" if plain else f"{value} 券"


def _coupons(ctx: Context, to: Recipients, usable_from: date | None) -> dict[str, Slot]:
    """The coupon that all or most recipients hold unused. Before sales open it must still be valid when they do."""
    out: dict[str, Slot] = {}
    if to.send.people and to.holders.people == to.send.people:
        out["any_coupon"] = _held("卡包里还有没用的券", to.holders)
    usable = [c for c in to.coupons if usable_from is None or c.last_day >= usable_from.isoformat()]
    best = usable[0] if usable else None
    text = coupon_text(best, ctx) if best else None
    if best is None or text is None or best.people.people < copy_file().coupon_share * to.send.people:
        return out
    last = date.fromisoformat(best.last_day)
    end = _time(_day_text(last, ctx.at), day_start(last))
    if best.people.people == to.send.people:
        return out | {"own_coupon": _held(f"卡包里的{text}", best.people), "coupon_end": end}
    return out | {"some_coupon": _held(text, best.people), "some_coupon_end": end}


def _held(text: str, people: audience.Counted) -> Slot:
    return Slot(text, "draft.label_coupon", text, "text", literal(text), people)
