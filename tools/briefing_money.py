"""What is at stake this morning: un-paid carts, balances due, and what un-paid means in this phase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from knowledge import catalog
from tools import audience, wording
from tools.campaigns import Campaign, Phase, day_start
from tools.context import Context
from tools.lines import any_stale, data_end, size_line
from tools.scope import Moments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Balance:
    """People who owe a balance at the moment, and about how much: Σ price − deposit of their open presale lines, by the
    items' promo (else list) price; None where no price is known."""

    people: audience.Counted
    amount: float | None
    amount_query: str


def balance_due(ctx: Context) -> Balance:
    people = audience.sizes(ctx.engine, ["balance_due"], ctx.scope)["balance_due"]
    rows, sql = ctx.engine.rows(("balance_outstanding",), lambda at: _outstanding(ctx.engine, at), ctx.scope)
    return Balance(people, rows[0]["amount"], f'SELECT "amount" FROM (\n{sql}\n) AS outstanding')


def _outstanding(engine: Reader, at: Moments) -> ir.Table:
    import ibis

    o = engine.table("orders")
    o = o.filter(
        o.kind == "presale",
        o.deposit_paid_at >= at.campaign_start,
        o.deposit_paid_at <= at.campaign_until,
        o.paid_at.isnull() | (o.paid_at > at.at),
    )
    i = engine.table("items").select("item_id", "promo_price", "list_price", "deposit")
    t = o.left_join(i, "item_id")
    left = ibis.coalesce(t.promo_price, t.list_price) - ibis.coalesce(t.deposit_amount, t.deposit, 0)
    return t.aggregate(amount=ibis.ifelse(left < 0, 0, left).sum().cast("float64"))


def money(ctx: Context, campaign: Campaign, phase: Phase, *, told_all: bool) -> list[str]:
    """Un-paid carts and balances now, and what un-paid means in this phase.

    `told_all`: the data holds all of yesterday, so that it has not been said yet up to when it goes.
    """
    rule = catalog.unpaid().phases[phase.kind]  # type: ignore[index]
    profile = audience.profile(ctx.engine, "cart_unpaid", ctx.scope)
    name = catalog.crowds()["cart_unpaid"].name.get(ctx.lang)
    carts = size_line(ctx, profile, name, phase, campaign)
    lines = [carts + (ctx.say("brief.as_of", moment=data_end(ctx).display) if told_all and any_stale(ctx) else "")]
    balance = balance_due(ctx)
    if balance.people.people:
        lines.append(_balance_line(ctx, campaign, balance))
    if rule.pay_reminder:
        lines.append(ctx.say("phase.unpaid_means", meaning=rule.meaning.get(ctx.lang)))
    else:
        lines.append(rule.headline.get(ctx.lang))
    return lines


def _balance_line(ctx: Context, campaign: Campaign, balance: Balance) -> str:
    name = catalog.crowds()["balance_due"].name.get(ctx.lang)
    people = ctx.sheet.add(
        ctx.say("label.size", crowd=name),
        balance.people.people,
        "people",
        balance.people.query,
        metric="crowd_size",
        crowd="balance_due",
    )
    line = ctx.say("brief.balance", crowd=name, people=people.display)
    if balance.amount is not None:
        amount = ctx.sheet.add(ctx.say("brief.label_outstanding"), balance.amount, "CNY", balance.amount_query)
        line += ctx.say("brief.outstanding", amount=amount.display)
    open_now = campaign.balance_window_at(ctx.at)
    ahead = [first for first, _ in campaign.balance_windows if day_start(first) > ctx.at]
    if open_now is not None:
        end = day_start(open_now[1] + _DAY)
        shown = ctx.sheet.moment(ctx.say("phase.balance_end"), end, wording.moment(end, ctx.at, ctx.lang))
        return line + ctx.say("brief.balance_open", until=shown.display)
    if ahead:
        begin = day_start(min(ahead))
        shown = ctx.sheet.moment(ctx.say("brief.label_balance_start"), begin, wording.day(begin.date(), ctx.lang))
        return line + ctx.say("brief.balance_ahead", day=shown.display)
    return line + ctx.say("brief.balance_over")
