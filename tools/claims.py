"""What a copy states about the offer: prices, coupons, discounts, days and times, stock, gifts, deadlines.

Read from a folded text (tools/folding.py) by the wordings of knowledge/copy_claims.yaml. Numbers that belong to none of them (the
second step, 50ml, 24-hour service) are structure and no claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from knowledge.copy_rules import ClaimKind, claim_forms

_MONTHS = {
    m: i + 1 for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000, "万": 10000}


@dataclass(frozen=True)
class Claim:
    """One statement: `role` says of what kind its numbers are, `start`..`end` where it stands in the folded text, `number`
    where its (first) numeral stands."""

    kind: ClaimKind
    role: str
    values: tuple[float, ...]
    start: int
    end: int
    number: tuple[int, int]
    words: str


def number(text: str) -> float:
    """299 · 1,299.5 · 1.2万 · 三百 · 二十一 · 八五 (digit by digit) as a number; ValueError for anything else."""
    text = text.replace(",", "")
    if text[:1].isdigit():
        return float(text[:-1]) * 10000 if text.endswith("万") else float(text)
    if not text or any(c not in _DIGITS and c not in _TENS for c in text):
        raise ValueError(f"not a number: {text!r}")
    if all(c in _DIGITS for c in text):
        return float("".join(str(_DIGITS[c]) for c in text))
    total = section = 0
    digit: int | None = None
    last = ""
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c == "万":
            total += (section + (digit or 0) or 1) * 10000
            section, digit = 0, None
        else:
            section += (1 if digit is None else digit) * _TENS[c]
            digit = None
        last = c if c in _TENS else last
    if digit and last and last in "百千万" and text[-2] == last:  # 三百五 is 350; 三百零五 is 305
        digit *= _TENS[last] // 10
    return float(total + section + (digit or 0))


def _numbers(m: re.Match[str]) -> tuple[float, ...]:
    return tuple(number(g) for g in m.groups() if g)


def _value_first(m: re.Match[str]) -> tuple[float, ...]:
    """A coupon that names its value before its threshold."""
    return _numbers(m)[::-1]


def _discount(m: re.Match[str]) -> tuple[float, ...]:
    """8折, 85折, 八五折, 20% off, 半价 as the share of the price that is paid, in tenths."""
    if not m.groups() or m[1] is None:
        return (5.0,)
    if "%" in m[0]:
        return (round(10 - number(m[1]) / 10, 2),)
    value = number(m[1].replace("点", ""))
    return (round(value / 10, 2) if value >= 10 else value,)


@dataclass(frozen=True)
class _Form:
    kind: ClaimKind
    role: str
    pattern: re.Pattern[str]
    values: Callable[[re.Match[str]], tuple[float, ...]]


@dataclass(frozen=True)
class _Forms:
    """The wordings of copy_claims.yaml, compiled, by what reads their numbers."""

    days: list[tuple[re.Pattern[str], str]]
    clocks: list[tuple[re.Pattern[str], str]]
    others: list[_Form]


@cache
def _forms() -> _Forms:
    file = claim_forms()

    def other(i: int) -> _Form:
        form = file.forms[i]
        values = _discount if form.role == "rate" else _value_first if form.value_first else _numbers
        return _Form(form.kind, form.role, file.compiled(form.find, f"forms.{i}"), values)

    return _Forms(
        days=[(file.compiled(d.find, f"days.{i}"), d.shape) for i, d in enumerate(file.days)],
        clocks=[(file.compiled(c.find, f"clocks.{i}"), c.shape) for i, c in enumerate(file.clocks)],
        others=[other(i) for i in range(len(file.forms))],
    )


def claims_in(text: str, taken: Iterable[tuple[int, int]] = ()) -> list[Claim]:
    """The claims of a folded text in order. Numerals within `taken` (item titles, links) are names and claim nothing."""
    forms = _forms()
    used = {i for start, end in taken for i in range(start, end)}
    found: list[Claim] = []

    def free(start: int, end: int) -> bool:
        return not used.intersection(range(start, end))

    def add(kind: ClaimKind, role: str, values: tuple[float, ...], m: re.Match[str], spot: tuple[int, int]) -> None:
        used.update(range(*(m.span() if spot == m.span() else (spot[0], m.end()))))
        found.append(Claim(kind, role, values, m.start(), m.end(), spot, m[0]))

    for pattern, shape in forms.days:
        for m in pattern.finditer(text):
            days = _days(m, shape)
            if days and free(*m.span()):
                add("date", "day", days, m, m.span())
    for pattern, shape in forms.clocks:
        for m in pattern.finditer(text):
            minutes = _minutes(m, shape)
            if minutes and free(*m.span()):
                add("date", "clock", minutes, m, m.span())
    for form in forms.others:
        _read(form, text, free, add)
    return sorted(found, key=lambda c: (c.start, c.end))


def _read(
    form: _Form,
    text: str,
    free: Callable[[int, int], bool],
    add: Callable[[ClaimKind, str, tuple[float, ...], re.Match[str], tuple[int, int]], None],
) -> None:
    for m in form.pattern.finditer(text):
        groups = [i for i in range(1, (m.re.groups or 0) + 1) if m[i] is not None]
        spot = m.span(groups[0]) if groups else m.span()
        # A gift may be an item of the shop: its title being a name does not make the gift true.
        if form.kind == "gift" or all(free(*m.span(i)) for i in groups or [0]):
            try:
                values = form.values(m)
            except ValueError:
                continue
            add(form.kind, form.role, values, m, spot)


def _days(m: re.Match[str], shape: str) -> tuple[float, ...]:
    """Days as year × 10000 + month × 100 + day, with 0 for what is not said; () when it is no day."""
    if shape == "mon":
        parts = [(0, _MONTHS[m[1]], int(m[2]))]
    elif shape == "dmon":
        parts = [(0, _MONTHS[m[2]], int(m[1]))]
    elif shape == "ymd":
        parts = [(int(m[1]), int(m[2]), int(m[3]))]
    elif shape == "d":
        parts = [(0, 0, int(m[1]))]
    else:
        month = int(number(m[1]))
        parts = [(0, month, int(number(g))) for g in m.groups()[1:] if g]
    if all(((month == 0 and shape == "d") or 1 <= month <= 12) and 1 <= day <= 31 for _, month, day in parts):
        return tuple(float(y * 10000 + month * 100 + day) for y, month, day in parts)
    return ()


def _minutes(m: re.Match[str], shape: str) -> tuple[float, ...]:
    """The minutes of the day that a time can mean: 8点 may be in the morning or the evening, 24:00 is midnight."""
    if shape == "zero":
        return (0.0,)
    hour = int(number(m[2]))
    rest = m[3]
    minute = 30 if rest == "半" else int(rest) if rest else 0
    if hour > 24 or minute > 59:
        return ()
    late = (m[1] or "") in ("今晚", "明晚", "当晚", "晚上", "晚", "下午", "傍晚")
    half = m[4] if shape == "hm" else None
    if half is not None:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    elif late and 1 <= hour < 12:
        hour += 12
    elif shape == "point" and not m[1] and 1 <= hour < 12:
        return (float(hour * 60 + minute), float((hour + 12) * 60 + minute))
    return (float(hour % 24 * 60 + minute),)
