"""Ranges written short (6月1-3号, June 1-3, 14、15、16号, Mon-Wed) and the weeks of a month."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.understanding import stretches as ordinary
from bot.understanding.stretches import CN, EN_WEEKDAY, MONTH, MONTHS, NUMBER, Frame, Stretch, nearest_year, number

_LISTED = re.compile(rf"(?:({NUMBER})月)?((?:\d{{1,2}}[、,，和跟]){{1,4}})(\d{{1,2}})[日号]")
_SHORT = re.compile(
    rf"(?P<em>\b{MONTH}) ?(?P<e1>\d{{1,2}})(?:st|nd|rd|th)? ?(?:-|–|~|to|through|until|and) ?(?:the )?(?P<e2>\d{{1,2}})(?:st|"
    rf"nd|rd|th)?(?!\d)"
    rf"|(?P<f1>\d{{1,2}})(?:st|nd|rd|th)? ?(?:-|–|~|to|through|until|and) ?(?P<f2>\d{{1,2}})(?:st|nd|rd|"
    rf"th)? (?:of )?(?P<fm>{MONTH})"
    rf"|(?P<zm>{NUMBER})月(?P<z1>{NUMBER})[日号]? ?(?:到|至|~|—+|–|-) ?(?P<z2>{NUMBER})[日号]?(?!月|\d)"
    rf"|(?<![\d.])(?P<b1>\d{{1,2}}) ?(?:到|至|~|—+|–|-) ?(?P<b2>\d{{1,2}})[日号](?!\d)"
    rf"|(?<![\d.])(?P<dm>\d{{1,2}})\.(?P<d1>\d{{1,2}}) ?(?:到|至|~|—+|–|-) ?(?P<d2>\d{{1,2}})(?![\d.%/折元月]|[{CN}])[日号]?",
    re.A,
)
_CN_PAIR = re.compile(
    r"([二三]?十[一二三四五六七八九]?)[、,，和]?([二三]?十[一二三四五六七八九]?)(?:[日号]|(?=[这那]?两天))"
)
_WEEKDAYS = re.compile(rf"\b({EN_WEEKDAY})(?: ?(?:-|–|~|to|through|thru|until) ?| )({EN_WEEKDAY})\b", re.A)
_TWO_WEEKDAYS = re.compile(
    rf"(上上|上|本|这)?(?:个)?(?:周|星期|礼拜)([{CN[:6]}])[、和跟]?(?:周|星期|礼拜)?([{CN[:6]}日天])(?=[这那]?两天)"
)
_FIRST_WEEK = re.compile(
    rf"({NUMBER})月(?:的)?第([一二三四])周|\b(?:the )?(first|second|third|fourth) week of ({MONTH})", re.A
)


def short_ranges(text: str, f: Frame) -> list[Stretch]:
    """June 1-3 · 6月1-3号 · 6.1-3 · 1-3号 · 14、15、16号."""
    out = []
    for m in _SHORT.finditer(text):
        key = next(k for k in ("e1", "f1", "z1", "b1", "d1") if m[k])
        name = {"e1": "em", "f1": "fm", "z1": "zm", "d1": "dm"}.get(key)
        month = m[name] if name else None
        try:
            n = MONTHS[month[:3]] if month and month[:3] in MONTHS else number(month) if month else 0
            first = nearest_year(n, number(m[key]), f.today) if n else ordinary.day_of_month(number(m[key]), f.today)
            last = first.replace(day=number(m[key[0] + "2"]))
        except (ValueError, KeyError):
            continue
        if first <= last:
            out.append(Stretch(first, last, m.start(), m.end(), "rolling"))
    for m in _CN_PAIR.finditer(text):
        try:
            days = [ordinary.day_of_month(number(g), f.today) for g in m.groups()]
        except ValueError:
            continue
        if days[1] - days[0] == timedelta(days=1):
            out.append(Stretch(days[0], days[1], m.start(), m.end(), "rolling"))
    for m in _WEEKDAYS.finditer(text):
        first, last = (ordinary.last_weekday(g, f.today) for g in m.groups())
        out.append(Stretch(first, first + timedelta(days=(last - first).days % 7), m.start(), m.end(), "rolling"))
    monday = f.today - timedelta(days=f.today.weekday())
    for m in _TWO_WEEKDAYS.finditer(text):
        i, j = (6 if g in "日天" else CN.index(g) for g in m.groups()[1:])
        first = monday + timedelta(days=i - 7 * {"上上": 2, "上": 1}.get(m[1], 0))
        if j == i + 1:
            out.append(Stretch(first, first + timedelta(days=1), m.start(), m.end(), "rolling"))
    for m in _LISTED.finditer(text):
        listed = [int(x) for x in re.findall(r"\d+", m[2] + m[3])]
        if listed != list(range(listed[0], listed[-1] + 1)):
            continue
        try:
            first = (
                nearest_year(number(m[1]), listed[0], f.today) if m[1] else ordinary.day_of_month(listed[0], f.today)
            )
            out.append(Stretch(first, first.replace(day=listed[-1]), m.start(), m.end(), "rolling"))
        except ValueError:
            continue
    return out


def weeks_of_month(text: str, f: Frame) -> list[Stretch]:
    """6月第一周 and the first week of June are the 1st to the 7th."""
    out = []
    for m in _FIRST_WEEK.finditer(text):
        month = number(m[1]) if m[1] else MONTHS[m[4][:3]]
        n = number(m[2]) if m[2] else ("first", "second", "third", "fourth").index(m[3]) + 1
        first = nearest_year(month, 7 * n - 6, f.today)
        out.append(Stretch(first, first + timedelta(days=6), m.start(), m.end(), "week"))
    return out
