"""Conditions that narrow a crowd, as `column:value`, at the moment T that the crowd is taken at.

    member_level:V · city:V     as their customer row says; a level counts only for members at T
    item:ID                     any event, or a paid line, of the item in this wave up to T
    category:ID                 the same of the category: the row's own, else that of its item
    min_amount:N · max_amount:N paid at least / at most N in the 365 × 24 hours up to T
    last_paid_within:DAYS       paid a line in the last DAYS × 24 hours
    last_paid_before:DAYS       paid a line before that and none since
    last_seen_within:DAYS       an event in the last DAYS × 24 hours

The amount follows the rule for sums: no line is 0, unknown amounts are skipped, and whoever has nothing but unknown amounts
has no amount and meets neither bound. A value goes into statements as a literal of the expression, never as SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import prompts
from tools.crowds import CROWDS, acts, either, users, without
from tools.errors import AskAgain
from tools.scope import Moments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

CUSTOMER_COLUMNS = ("member_level", "city")
AMOUNT_DAYS = 365
_MOST_DAYS = 36_500
_MONEY = re.compile(r"[¥￥]?\s*(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(\.\d{1,2})?\s*元?")
_DAYS = re.compile(r"(\d{1,5})\s*(?:d|days?|天)?", re.IGNORECASE)
_BARE = re.compile(r'[^\s()（）"“”]+')


def normal(column: str, value: str) -> str:
    """`column:value` in the one way in which expressions carry it. AskAgain when there is no such filter or the value is
    not of its kind (an amount with at most two decimals; days from 1 on, such as 30, 30d, 30天)."""
    column, value = column.casefold(), value.strip()
    if column not in _PEOPLE or not value:
        raise AskAgain("unknown_filter", name=f"{column}:{value}", nearest=nearest(column))
    if column in ("min_amount", "max_amount"):
        money = _MONEY.fullmatch(value)
        if not money:
            raise AskAgain("bad_filter_value", text=f"{column}:{value}", wanted=_in_both("filter.wants_amount"))
        amount = Decimal(money[1].replace(",", "") + (money[2] or ""))
        value = format(amount.normalize(), "f")
    elif column in ("last_paid_within", "last_paid_before", "last_seen_within"):
        days = _DAYS.fullmatch(value)
        if not days or not 1 <= int(days[1]) <= _MOST_DAYS:
            raise AskAgain("bad_filter_value", text=f"{column}:{value}", wanted=_in_both("filter.wants_days"))
        value = str(int(days[1]))
    return f"{column}:{_quoted(value)}"


def split(text: str) -> tuple[str, str]:
    """(column, value) of a filter as expressions carry it."""
    column, _, value = text.partition(":")
    return column, unquoted(value)


def unquoted(value: str) -> str:
    """A value without the quotes that keep its blanks together; a quote inside is written twice."""
    if value[:1] == '"':
        return value[1:-1].replace('""', '"')
    return value[1:-1] if value[:1] == "“" else value


def nearest(column: str, sign: str = ":") -> str:
    """All filters as they are written, the likeliest first."""
    from rapidfuzz import fuzz

    return ", ".join(f"{f}{sign}…" for f in sorted(FILTERS, key=lambda f: -fuzz.WRatio(column.casefold(), f)))


def _in_both(key: str) -> dict[str, str]:
    return {lang: prompts.text(key, lang) for lang in prompts.LANGS}


def _quoted(value: str) -> str:
    return value if _BARE.fullmatch(value) else '"' + value.replace('"', '""') + '"'


def condition(text: str) -> str:
    """A condition as the command line takes it (`city=上海`) in the way that expressions write it."""
    column, _, value = (part.strip() for part in text.partition("="))
    if column.casefold() not in _PEOPLE or not value:
        raise AskAgain("unknown_filter", name=text, nearest=nearest(column, "="))
    return normal(column, value)


_LABELS = {
    "item": "filter.item",
    "category": "filter.category",
    "min_amount": "filter.min_amount",
    "max_amount": "filter.max_amount",
    "last_paid_within": "filter.last_paid_within",
    "last_paid_before": "filter.last_paid_before",
    "last_seen_within": "filter.last_seen_within",
}


def label(text: str, lang: str) -> str:
    """What a filter says of people, before their name in zh (近 30 天来过的), behind it in brackets in en (seen within…)."""
    column, value = split(text)
    return prompts.text(_LABELS[column], lang, value=value) if column in _LABELS else value


def is_name(text: str) -> bool:
    """Whether the value says what people are by itself: 上海, VIP."""
    return split(text)[0] in CUSTOMER_COLUMNS


def people(engine: Reader, text: str, at: Moments) -> ir.Table:
    """The people of a filter: a table of distinct `user_id`."""
    column, value = split(text)
    return _PEOPLE[column](engine, value, at)


# --- the people of each filter -----------------------------------------------------------------------------------


def _member_level(e: Reader, value: str, at: Moments) -> ir.Table:
    c = e.table("customers")
    return users(c.filter(c.member_level == value, c.member_joined_at <= at.at))


def _city(e: Reader, value: str, at: Moments) -> ir.Table:
    c = e.table("customers")
    return users(c.filter(c.city == value))


def _in_wave(e: Reader, at: Moments) -> tuple[ir.Table, ir.Table]:
    """(events, paid lines) of this wave up to T."""
    events, lines = e.table("events"), e.table("orders")
    return (
        events.filter(events.ts >= at.wave_start, events.ts <= at.wave_until),
        lines.filter(lines.paid_at >= at.wave_start, lines.paid_at <= at.wave_until),
    )


def _item(e: Reader, value: str, at: Moments) -> ir.Table:
    return either(*(users(t.filter(t.item_id == value)) for t in _in_wave(e, at)))


def _category(e: Reader, value: str, at: Moments) -> ir.Table:
    items = e.table("items")
    own = items.select("item_id", item_category=items.category_id)

    def inside(t: ir.Table) -> ir.Table:
        t = t.left_join(own, "item_id").drop("item_id_right")
        return users(t.filter(t.category_id.fill_null(t.item_category) == value))

    return either(*map(inside, _in_wave(e, at)))


def _spent(e: Reader, at: Moments) -> ir.Table:
    """`user_id`, `amount` (null where none is known) of whoever paid in the year up to T."""
    o = e.table("orders")
    o = o.filter(o.paid_at >= at.ago(AMOUNT_DAYS), o.paid_at <= at.at)
    return o.group_by("user_id").agg(amount=o.amount.sum())


def _money(value: str) -> Any:
    import ibis

    return ibis.literal(Decimal(value), "decimal(18, 2)")


def _min_amount(e: Reader, value: str, at: Moments) -> ir.Table:
    t = _spent(e, at)
    if Decimal(value) == 0:  # whoever paid nothing has paid that much
        return without(CROWDS["all"](e, at), t.filter(t.amount.isnull()))
    return t.filter(t.amount >= _money(value)).select("user_id")


def _max_amount(e: Reader, value: str, at: Moments) -> ir.Table:
    t = _spent(e, at)
    return without(CROWDS["all"](e, at), t.filter(t.amount.isnull() | (t.amount > _money(value))))


def _last_paid_within(e: Reader, value: str, at: Moments) -> ir.Table:
    o = e.table("orders")
    return users(o.filter(o.paid_at >= at.ago(int(value)), o.paid_at <= at.at))


def _last_paid_before(e: Reader, value: str, at: Moments) -> ir.Table:
    o = e.table("orders")
    before = users(o.filter(o.paid_at < at.ago(int(value))))
    return without(before, _last_paid_within(e, value, at))


def _last_seen_within(e: Reader, value: str, at: Moments) -> ir.Table:
    return users(acts(e, at.ago(int(value)), at.at))


_PEOPLE: dict[str, Callable[[Reader, str, Moments], ir.Table]] = {
    "member_level": _member_level,
    "city": _city,
    "item": _item,
    "category": _category,
    "min_amount": _min_amount,
    "max_amount": _max_amount,
    "last_paid_within": _last_paid_within,
    "last_paid_before": _last_paid_before,
    "last_seen_within": _last_seen_within,
}
FILTERS = tuple(_PEOPLE)
