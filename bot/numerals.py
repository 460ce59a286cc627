"""The numbers, dates and times of a text, each with what it counts and the room that its own form leaves.

1.8万 stands for 17,500 to 18,500 of anything, 18.3% for a ratio of 0.1825 to 0.1835, 6/16 for a day or a fraction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from bot import number_forms as forms
from bot.number_forms import Kind
from bot.plain_text import Plain, vague_of
from bot.seen_text import BLANK, BULLET, BULLET_END

Sign = Literal[-1, 0, 1]


@dataclass(frozen=True)
class Reading:
    """`low` to `high` of a kind. `date`: (year, month, day) with None for what is not said; of a time (hour, minute)."""

    kind: Kind
    low: float = 0.0
    high: float = 0.0
    date: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Number:
    """A numeral at start..end of a plain text: one of `readings` is meant, or all of `parts`. `sign` is the direction said."""

    start: int
    end: int
    span: str
    readings: tuple[Reading, ...]
    parts: tuple[Number, ...] = ()
    sign: Sign = 0
    noun: str = field(default="", compare=False)  # what follows, for counts of what a text lists


_EPS = 1e-9


def read(plain: Plain) -> list[Number]:
    """The numbers of a text, in their order."""
    return _Reader(plain).read()


class _Reader:
    """One pass over a text; what a pattern has read is blanked for the next."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.text = plain.text
        self.found: list[Number] = []

    def read(self) -> list[Number]:
        self._structure()
        lower = self.text.lower()
        for patterns, take in ((forms.DATES, self._date), (forms.TIMES, self._time)):
            for needles, pattern in patterns:
                if any(n in lower for n in needles):
                    for m in pattern.finditer(self.text):
                        take(m)
                    self._blank_found()
        for m in forms.PAIR.finditer(self.text):
            self._pair(m)
        self._blank_found()
        for m in forms.NUMBER.finditer(self.text):
            self._number(m)
        return sorted(self.found, key=lambda n: n.start)

    def _blank_found(self) -> None:
        for n in self.found:
            if not self.text.startswith(BLANK, n.start):
                self.text = self.text[: n.start] + BLANK * (n.end - n.start) + self.text[n.end :]

    def _structure(self) -> None:
        """Blank the numbers of lists and steps."""
        seen = {0}
        out, at = [], 0
        for m in forms.LIST_NUMBER.finditer(self.text):
            n = int(m["in"] or m["n"] or m["b"])
            # A list may go on from a line that is gone; 18. 3% is no eighteenth entry.
            if n - 1 in seen or (n <= 20 and not re.match(r"\s*\d", self.text[m.end() :])):
                seen.add(n)
                out += [self.text[at : m.start()], BLANK * (m.end() - m.start())]
                at = m.end()
        self.text = "".join([*out, self.text[at:]])
        circled = {0}
        for m in re.finditer(rf"{BULLET}(\d{{1,2}}){BULLET_END}", self.text):
            if int(m[1]) - 1 in circled and self._unit(m.end())[0] == "number":
                circled.add(int(m[1]))
                self.text = self.text[: m.start()] + BLANK * len(m[0]) + self.text[m.end() :]
        self.text = forms.STEP.sub(
            lambda m: m[0][: -len(m["n"])] + BLANK * len(m["n"]) if int(m["n"]) <= 12 else m[0], self.text
        )

    def _add(self, start: int, end: int, readings: list[Reading], **more: object) -> None:
        self.found.append(Number(start, end, self.plain.said(start, end), tuple(readings), **more))  # type: ignore[arg-type]

    def _date(self, m: re.Match[str]) -> None:
        g = m.groupdict()
        month = int(g["m"]) if g.get("m") else forms.MONTHS.index(g["mon"][:3].lower()) + 1 if g.get("mon") else None
        year = int(g["y"]) if g.get("y") else None
        days = [int(d) for d in (g.get("d"), g.get("d2")) if d]
        if (month is not None and not 1 <= month <= 12) or any(not 1 <= d <= 31 for d in days):
            return
        if g.get("mon") == "May" and not days:
            return
        dates = [Reading("date", date=(year, month, d)) for d in (days or (None,))]
        if month is None and year is None and re.match(r"\d+(?:st|nd|rd|th)", m[0]):
            dates.append(Reading("order", days[0] - 0.5, days[0] + 0.5))
            self._add(m.start(), m.end(), dates)
            return
        alone = Number(m.start(), m.end(), "", (dates[0],))
        if len(dates) == 1:
            self._add(m.start(), m.end(), dates)
        else:
            both = (alone, Number(m.start(), m.end(), "", (dates[1],)))
            self._add(m.start(), m.end(), [], parts=both)

    def _time(self, m: re.Match[str]) -> None:
        g = m.groupdict()
        hour, minute = int(g["h"]), 30 if g.get("mi30") else 15 if g.get("mi15") else int(g.get("mi") or 0)
        if hour > 24 or minute > 59:
            return
        said = (g.get("half") or "") + (g.get("ap") or "").lower()[:1]
        hours = [hour]
        if said in ("下午", "傍晚", "今晚", "明晚", "昨晚", "晚上", "晚间", "夜里", "晚", "中午", "p") and hour <= 12:
            hours = [hour + 12] if hour < 12 else [24, 0] if "晚" in said or said == "夜里" else [12]
        elif said in ("a", "凌晨") and hour == 12:
            hours = [0, 24]
        elif not said and hour < 12 and ":" not in m[0]:
            hours = [hour, hour + 12]  # 明天 8 点
        readings = [Reading("time", date=(h, minute)) for h in hours]
        tail = self.text[m.end() :]
        if not said and re.search(r"\d\s?点$", m[0]):  # 3 点建议
            readings.append(Reading("count", hour - 0.5, hour + 0.5))
        before = self.text[max(0, m.start() - 1) : m.start()]
        if before == "第":
            readings = [Reading("order", hour - 0.5, hour + 0.5)]
        self._add(m.start(), m.end(), readings, noun=m[0].lstrip("0123456789 ") + tail[:8])

    def _pair(self, m: re.Match[str]) -> None:
        """6/16: a day, a part of something, or two numbers; 10-20: two numbers of one unit."""
        a, b, by = int(m["a"]), int(m["b"]), m["by"].strip()
        kind, _ = self._unit(m.end())
        counted = kind != "number"
        readings = []
        if 1 <= a <= 12 and 1 <= b <= 31 and not counted:
            readings.append(Reading("date", date=(None, a, b)))
        if by in "/⁄" and b and a < b and (by == "⁄" or re.match(r" ?(?:的|of\b|强|弱)", self.text[m.end() :])):
            readings.append(Reading("ratio", a / b - 0.005, a / b + 0.005))
        both = tuple(Number(m.start(), m.end(), "", (Reading(kind, n - 0.5, n + 0.5),)) for n in (a, b))
        self._add(m.start(), m.end(), readings, parts=both)

    def _unit(self, at: int) -> tuple[Kind, int]:
        """What is counted by the words at `at`, and where they end."""
        text = self.text
        start = at + 1 if text.startswith(" ", at) else at
        m = forms.UNIT.match(text, start)
        if m:
            return forms.UNITS[int(m.lastgroup[1:])][0], m.end()  # type: ignore[index]
        of = forms.OF.match(text, at)
        where = max(at, of.end() - 1) if of else at
        for _ in range(4):  # 1,959 un-paid carters
            word = forms.NEXT_WORD.match(text, where)
            if word is None or word[1].lower() in forms.STOP:
                break
            if forms.PEOPLE_WORD.match(word[1]):
                return "people", word.end()
            unit = forms.UNIT.match(text, word.start(1))
            if unit and unit.end() == word.end() and where != at:
                return forms.UNITS[int(unit.lastgroup[1:])][0], word.end()  # type: ignore[index]
            where = word.end()
        return "number", at

    def _number(self, m: re.Match[str]) -> None:
        start, end = m.start(), m.end()
        if m["vague"]:
            vague = vague_of(self.plain, m["vague"])
            scale = self._scale(m)
            kind, end = (vague.kind, end) if vague.kind else self._unit(end)
            ratio = 100 if kind in ("ratio", "points") and not vague.kind else 1
            reading = Reading(kind, vague.low * scale / ratio, vague.high * scale / ratio)
            self._add(start, end, [reading], sign=self._sign(m, start, end, kind))
            return
        shown = (m["num"] or m["bullet"]).replace(",", "").replace(" ", "").replace("\n", "")
        scale = self._scale(m)
        value = float(shown + (m["dec"] or "")) * scale
        unit = 10.0 ** -(len(m["dec"]) - 1 if m["dec"] else 0) * scale
        if m["exp"]:
            value, unit = self._power(m["exp"], shown + (m["dec"] or ""), unit)
        kind, end = self._kind(m)
        percent = self._per(kind, self.text[m.end() : end])
        low, high = self._room(m, value, unit, shown, end)
        if kind in ("days", "hours", "months", "years", "weeks", "CNY") and self.text.startswith("半", end):  # 两天半
            low, high, end = low + 0.75, high + 0.25, end + 1
        noun = self.text[m.end() : m.end() + 40]
        low, high = low * percent, high * percent
        low, high = (low, high) if percent == 1 else (low - _EPS, high + _EPS)
        readings = [Reading(kind, low, high)]
        if kind == "number" and m["dec"] and not (m["cur"] or m["scale"] or m["exp"]):
            month, day = int(shown[:3]), int(m["dec"][1:3])
            if 1 <= month <= 12 and 1 <= day <= 31 and len(m["dec"]) <= 3:
                readings.append(Reading("date", date=(None, month, day)))  # 6.16
        self._add(start, end, readings, sign=self._sign(m, start, end, kind), noun=noun)

    @staticmethod
    def _scale(m: re.Match[str]) -> float:
        return forms.SCALES[m["scale"].strip().lower()] if m["scale"] else 1.0

    @staticmethod
    def _power(exp: str, shown: str, unit: float) -> tuple[float, float]:
        """(value, what its last digit counts) of 1.8e3, 1.8×10^3 and 10^3."""
        raised = exp.startswith("^")
        power = float(max(-30, min(30, int(exp[1:] if raised else re.split(r"[eE^]", exp)[-1]))))
        if raised:
            return min(float(shown), 1e9) ** power, 1.0
        return float(shown) * 10.0**power, unit * 10.0**power

    @staticmethod
    def _per(kind: Kind, said: str) -> float:
        if kind in ("ratio", "points"):
            return 0.1 if "成" in said else 0.01
        return 0.001 if kind == "permille" else 1.0

    def _kind(self, m: re.Match[str]) -> tuple[Kind, int]:
        """(what is counted, where it is said)."""
        before = self.text[max(0, m.start() - 8) : m.start()]
        kind, end = self._unit(m.end())
        if m["cur"]:
            sign = m["cur"].strip().lower()
            return (forms.OWN.get(sign, sign), end if kind == "CNY" else m.end())
        if before.rstrip().endswith("第") or re.search(r"\b(?:wave|phase|no\.|day|week) ?\Z", before, re.IGNORECASE):
            if kind == "days" or re.search(r"\bday ?\Z", before, re.IGNORECASE):
                return "day_of", end
            return ("order" if kind in ("number", "count", "thing", "people") else kind), end
        letters = forms.LETTERS.search(before)
        if letters and letters[0].lower() not in forms.OPEN_WORDS and not m["bullet"]:
            return "code", m.end()
        if kind == "number" and re.match(r"[A-Za-z]", self.text[m.end() : m.end() + 1]):
            return "code", m.end()
        if kind in ("number", "thing") and re.search(r"(?:满|立减|满减|减|预算|花费?|消费满?) ?\Z", before):
            return "CNY?", end
        if kind == "number" and re.search(r"\btop ?\Z", before, re.IGNORECASE):
            return "count", end
        if kind == "number":
            # 10 至 20 人: the unit stands behind the second.
            to = re.match(rf"{forms.TO}[¥]?\d[\d,.]*[万千k]?", self.text[m.end() : m.end() + 16])
            if to:
                kind, _ = self._unit(m.end() + to.end())
        return kind, end

    def _room(self, m: re.Match[str], value: float, unit: float, shown: str, end: int) -> tuple[float, float]:
        """From where to where the value may lie: half of the last digit shown; with "about", of the last that is no zero."""
        before = self.text[max(0, m.start() - 16) : m.start()]
        zeros = 10.0 ** (len(shown) - len(shown.rstrip("0"))) if not m["dec"] and shown.strip("0") else 1.0
        if m["more"]:
            return value, value + unit * zeros
        if forms.OVER.search(before) or self.text.startswith("以上", end):
            return value, min(value + unit * zeros, value * 1.1)
        if forms.UNDER.search(before) or self.text.startswith("以内", end):
            return max(value - unit * zeros, value * 0.9), value
        half = unit / 2
        if forms.ABOUT.search(before) or re.match(r"左右|上下| or so\b", self.text[end : end + 6]):
            half = max(half, min(unit * zeros / 2, value * 0.05))
        if unit > 1:
            half = min(half, value * 0.1)
        return value - half, value + half

    def _sign(self, m: re.Match[str], start: int, end: int, kind: Kind) -> Sign:
        said = m["sign"] or m["sign2"]
        if said:
            return 1 if said == "+" else -1
        if kind not in ("ratio", "points", "multiple"):
            return 0
        before, after = self.text[max(0, start - 24) : start], self.text[end : end + 12]
        if forms.DOWN.search(before) or forms.DOWN_AFTER.match(after):
            return -1
        return 1 if forms.UP.search(before) or forms.UP_AFTER.match(after) else 0
