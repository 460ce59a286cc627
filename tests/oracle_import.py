"""How a row is read, in plain Python: an independent reading of the rules on bad values. Imports nothing from the product.

A value is `Read(value, repaired, wrong)`: `wrong` is the reason of refusal, or None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

NOTHING = {
    "-", "--", "—", "/", "无", "\\N", "N/A", "n/a", "nan", "NaN", "NAN", "null", "Null", "NULL", "none", "None", "NONE",
    "0000-00-00", "0000-00-00 00:00:00",
}  # fmt: skip
BLANKS = " \t\r\n\u3000\u00a0\u200b\ufeff"
TIMES = {"": 1, "百": 100, "千": 1000, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8}
MONEY_WORDS = ("元", "圆", "块", "块钱", "RMB", "CNY")
COUNT_WORDS = tuple("件个单次人位名张条份套盒瓶支只箱袋包双台笔分天")
KINDS = {
    "normal": ("normal", "普通", "现货", "正常"),
    "presale": ("presale", "预售"),
    "sample": ("sample", "小样", "试用", "派样"),
}
CROWDS = {"all": ("all", "全店"), "old": ("old", "老客"), "member": ("member", "会员")}
METRICS = {"paid_amount": ("paid_amount", "成交金额"), "rv_value": ("rv_value", "peer_rv_value", "同行rv价值")}
WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {"choice": KINDS, "crowd": CROWDS, "metric": METRICS}
FLAGS = {**dict.fromkeys(("1", "true", "y", "yes", "是"), 1), **dict.fromkeys(("0", "false", "n", "no", "否"), 0)}


@dataclass(frozen=True)
class Read:
    value: Any = None
    repaired: bool = False
    wrong: str | None = None


@dataclass(frozen=True)
class Column:
    """`kind`: text | id | choice | crowd | metric | time | money | integer | number | flag."""

    name: str
    kind: str
    required: bool = False
    ahead: bool = False


ORDERS = (
    Column("order_id", "id", required=True), Column("user_id", "id", required=True), Column("item_id", "id"),
    Column("category_id", "id"), Column("kind", "choice", required=True), Column("created_at", "time", required=True),
    Column("deposit_amount", "money"), Column("deposit_paid_at", "time"), Column("paid_at", "time"),
    Column("amount", "money"), Column("refund_amount", "money"), Column("refunded_at", "time"),
)  # fmt: skip
ITEMS = (
    Column("item_id", "id", required=True), Column("title", "text", required=True), Column("list_price", "money"),
    Column("is_hero", "flag"), Column("stock", "integer"),
)  # fmt: skip
PEERS = (
    Column("campaign", "text", required=True), Column("crowd", "crowd", required=True),
    Column("metric", "metric", required=True), Column("value", "number", required=True),
)  # fmt: skip


def read(column: Column, text: str, latest: datetime) -> Read:
    text = text.strip(BLANKS)
    if not text:
        return Read(wrong="missing" if column.required else None)
    if text in NOTHING:
        return Read(repaired=True, wrong="missing" if column.required else None)
    if column.kind == "text":
        return Read(text)
    if column.kind == "id":
        return identifier(text)
    if column.kind in WORDS:
        found = next((k for k, words in WORDS[column.kind].items() if text.lower() in words), None)
        return Read(found, wrong=None if found else "not_a_choice")
    if column.kind == "flag":
        return Read(FLAGS.get(text.lower()), wrong=None if text.lower() in FLAGS else "not_a_flag")
    if column.kind == "time":
        return moment(text, None if column.ahead else latest)
    return number(text, column.kind)


def identifier(text: str) -> Read:
    if (text.startswith('="') and text.endswith('"') and len(text) > 3) or (text[0] == "'" and len(text) > 1):
        return Read(text[2:-1] if text[0] == "=" else text[1:], repaired=True)
    if re.fullmatch(r"[0-9]+\.0+", text):
        digits = text.split(".")[0]
        return Read(digits, repaired=True) if len(digits) <= 15 else Read(wrong="digits_lost")
    if re.fullmatch(r"[1-9](\.[0-9]+)?[eE]\+[0-9]{1,3}", text):
        written = len(text.lower().split("e")[0].replace(".", ""))
        whole = Decimal(text)
        exponent = int(text.lower().split("e+")[1])
        if whole == whole.to_integral_value() and written > exponent and exponent < 15:
            return Read(str(int(whole)), repaired=True)
        return Read(wrong="digits_lost")
    return Read(text)


def number(text: str, kind: str) -> Read:
    usual = {
        "money": r"[+-]?\d+(\.\d{1,2}0*)?",
        "integer": r"[+-]?\d+(\.0+)?",
        "number": r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?",
    }
    if re.fullmatch(usual[kind], text, re.ASCII):
        return judged(Decimal(text), kind, repaired=False)
    if kind != "number" and re.fullmatch(r"[+-]?\d(\.\d*)?[eE][+-]?\d{1,2}", text, re.ASCII):
        mantissa, exponent = text.lower().split("e")
        if len(mantissa.partition(".")[2]) >= int(exponent):
            return judged(Decimal(text), kind, repaired=True)
        return Read(wrong="not_a_number")
    value = with_units(
        text.translate(str.maketrans("０１２３４５６７８９．，％＋－￥\u3000\u00a0", "0123456789.,%+-¥  ")), kind
    )
    return Read(wrong="not_a_number") if value is None else judged(value, kind, repaired=True)


def with_units(text: str, kind: str) -> Decimal | None:
    signs = 1
    words = {"money": MONEY_WORDS, "integer": COUNT_WORDS, "number": (*MONEY_WORDS, *COUNT_WORDS, "%")}[kind]
    sign = re.match(r"[+-]?", text)[0]  # type: ignore[index]
    text = text[len(sign) :]
    for prefix in ("¥", "RMB", "CNY", "人民币"):
        if text.startswith(prefix):
            text = text[len(prefix) :].lstrip(" ")
            break
    second = re.match(r"[+-]?", text)[0]  # type: ignore[index]
    text = text[len(second) :]
    if sign and second:
        return None
    if "-" in (sign, second):
        signs = -1
    for word in sorted(words, key=len, reverse=True):
        if text.endswith(word):
            text = text[: -len(word)].rstrip(" ")
            percent = word == "%"
            break
    else:
        percent = False
    for word in sorted(TIMES, key=len, reverse=True):
        if word and text.endswith(word):
            text = text[: -len(word)].rstrip(" ")
            break
    else:
        word = ""
    whole, point, fraction = text.partition(".")
    groups = whole.split(",")
    if len(groups) > 1 and not (1 <= len(groups[0]) <= 3 and all(len(g) == 3 for g in groups[1:])):
        return None
    digits = "".join(groups)
    if not re.fullmatch(r"[0-9]*", digits + fraction) or (point and not fraction) or not (digits or fraction):
        return None
    if not digits and len(groups) > 1:
        return None
    return signs * Decimal(f"{digits or 0}.{fraction or 0}") * TIMES[word] / (100 if percent else 1)


def judged(value: Decimal, kind: str, *, repaired: bool) -> Read:
    if kind == "number":
        return Read(float(value), repaired) if math.isfinite(float(value)) else Read(wrong="not_a_number")
    if kind == "integer" and value != value.to_integral_value():
        return Read(wrong="not_a_number")
    value = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if value < 0:
        return Read(wrong="negative")
    if value > 10**9:
        return Read(wrong="absurd_amount")
    return Read(int(value) if kind == "integer" else value, repaired)


def moment(text: str, latest: datetime | None) -> Read:
    day, clock = r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", r"[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?"
    zone = r"\s*(Z|z|UTC|GMT|(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?)"
    chinese = (
        r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]\s*(?:(\d{1,2})[:时点](?:(\d{1,2})(?::(\d{1,2})|分(?:(\d{1,2})秒)?)?)?)?"
    )
    repaired = True
    try:
        if found := re.fullmatch(day + f"(?:{clock})?", text, re.ASCII):
            value, repaired = datetime(*(int(p or 0) for p in found.groups())), False  # type: ignore[arg-type]
        elif found := re.fullmatch(day + clock + zone, text, re.ASCII):
            *parts, _, sign, hours, minutes = found.groups()
            offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
            if int(hours or 0) > 14 or int(minutes or 0) > 59:
                return Read(wrong="not_a_time")
            utc = datetime(*(int(p or 0) for p in parts)) - offset  # type: ignore[arg-type]
            value = utc.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)
        elif found := re.fullmatch(chinese, text):
            *parts, second, other = found.groups()
            value = datetime(*(int(p or 0) for p in (*parts, second or other)))  # type: ignore[arg-type]
        else:
            return Read(wrong="not_a_time")
    except ValueError:
        return Read(wrong="not_a_time")
    if not 2000 <= value.year <= 2099:
        return Read(wrong="absurd_time")
    if latest is not None and value > latest:
        return Read(wrong="in_future")
    return Read(value, repaired)


def before(later: datetime | None, earlier: datetime | None) -> bool:
    """Whether what comes later lies before; a day alone may be any time of that day."""
    if later is None or earlier is None:
        return False
    if later == datetime(later.year, later.month, later.day) and later.date() == earlier.date():
        return False
    return later < earlier


def verdict(
    table: tuple[Column, ...], row: list[str], latest: datetime
) -> tuple[dict[str, Read], tuple[str, str] | None]:
    """(each column's reading, the (column, reason) of refusal or None)."""
    values = {c.name: read(c, text, latest) for c, text in zip(table, row, strict=True)}
    wrong = next(((name, v.wrong) for name, v in values.items() if v.wrong), None)
    if wrong is None and table is ORDERS:
        created, deposit, paid = (values[c].value for c in ("created_at", "deposit_paid_at", "paid_at"))
        if before(paid, created):
            wrong = ("paid_at", "paid_before_created")
        elif before(deposit, created):
            wrong = ("deposit_paid_at", "paid_before_created")
        elif before(paid, deposit):
            wrong = ("paid_at", "balance_before_deposit")
    return values, wrong
