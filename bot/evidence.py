"""What stands behind the numbers of an answer: its facts, the question, what the interpretation shows, and, in a line that cites
it, a quote."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from bot.answer import Answer
from bot.number_forms import Kind
from bot.numerals import Number, Reading, read
from bot.plain_text import plain
from tools import filters
from tools.expressions import filters_in, parse
from tools.facts import Fact

# The kinds of a number in a text that a fact of a unit can stand behind.
_KINDS: dict[str, frozenset[Kind]] = {
    "people": frozenset({"people", "thing", "number"}),
    "CNY": frozenset({"CNY", "CNY?", "number"}),
    "ratio": frozenset({"ratio", "multiple", "number"}),
    "points": frozenset({"points", "number"}),
    "hours": frozenset({"hours", "number"}),
    "days": frozenset({"days", "number"}),
    "count": frozenset({"count", "thing", "number", "order"}),
}
# What a number of the question (or of a quote) may be repeated as.
_AGAIN: dict[Kind, frozenset[Kind]] = {
    "number": frozenset({"number", "count", "thing", "order", "CNY?"}),
    "people": frozenset({"people", "thing", "number"}),
    "CNY": frozenset({"CNY", "CNY?", "number"}),
    "CNY?": frozenset({"CNY", "CNY?", "number"}),
    "count": frozenset({"count", "thing", "number", "order"}),
    "thing": frozenset({"thing", "people", "count", "number"}),
    "days": frozenset({"days", "number"}),
    "day_of": frozenset({"day_of", "number"}),
    "order": frozenset({"order", "number", "count"}),
}
_EPS = 1e-7  # what binary fractions are off
_CHANGE = ("变化", "变动", "相比", "change", "against", "compared")


@dataclass
class Moments:
    """Days, parts of days and times that may be said."""

    days: set[tuple[int, int]] = field(default_factory=set)  # month, day
    years: set[int] = field(default_factory=set)
    whole: set[tuple[int, int, int]] = field(default_factory=set)
    alone: set[int] = field(default_factory=set)  # days of a month that is not said
    months: set[int] = field(default_factory=set)
    times: set[tuple[int, int]] = field(default_factory=set)

    def add(self, stamp: str) -> None:
        """2026-06-17 or 2026-06-17 10:00; midnight is also 24:00 of the day before."""
        try:
            when = datetime.fromisoformat(stamp.strip())
        except ValueError:
            return
        self._day(when.date())
        if len(stamp.strip()) > 10:
            self.times.add((when.hour, when.minute))
            if (when.hour, when.minute) == (0, 0):
                self.times |= {(24, 0), (23, 59)}
                self._day(date.fromordinal(when.toordinal() - 1))

    def _day(self, day: date) -> None:
        self.days.add((day.month, day.day))
        self.years.add(day.year)
        self.whole.add((day.year, day.month, day.day))

    def add_reading(self, reading: Reading) -> None:
        if reading.kind == "time":
            self.times.add((reading.date[0] or 0, reading.date[1] or 0))
        if reading.kind != "date":
            return
        year, month, day = reading.date
        if year is not None:
            self.years.add(year)
        if month is not None and day is not None:
            self.days.add((month, day))
        elif day is not None:
            self.alone.add(day)
        elif month is not None:
            self.months.add(month)

    def add_whole(self, reading: Reading) -> None:
        """A day that a fact says with its year, where the period asked about lies in another one."""
        if reading.kind == "date" and len(reading.date) == 3:
            year, month, day = reading.date
            if year is not None and month is not None and day is not None:
                self.whole.add((year, month, day))

    def hold(self, reading: Reading) -> bool:
        if reading.kind == "time":
            return reading.date in self.times
        year, month, day = reading.date
        if year is not None and year not in self.years:
            return False
        if year is not None and month is not None and day is not None and self.whole:
            return (year, month, day) in self.whole or ((month, day) in self.days and not self._known(month, day))
        if month is not None and day is not None:
            return (month, day) in self.days
        if month is not None:
            return month in self.months or any(m == month for m, _ in self.days)
        return day is None or day in self.alone or any(d == day for _, d in self.days)

    def _known(self, month: int, day: int) -> bool:
        return any((m, d) == (month, day) for _, m, d in self.whole)


class Numbers:
    """Known values by the kinds that they may be said as: (value, how wide a number may be that means it, its fact)."""

    def __init__(self) -> None:
        self._by: dict[Kind, list[tuple[float, float, Fact | None]]] = {}

    def add(self, kind: Kind, value: float, widest: float = float("inf"), fact: Fact | None = None) -> None:
        self._by.setdefault(kind, []).append((value, widest, fact))

    def add_said(self, reading: Reading, fact: Fact | None = None) -> None:
        """A number that was said: it may be repeated as what it is, and rounded a little."""
        if reading.kind in ("date", "time"):
            return
        middle = (reading.low + reading.high) / 2
        widest = max(2 * (reading.high - reading.low), 0.1 * abs(middle)) + _EPS
        for kind in _AGAIN.get(reading.kind, (reading.kind,)):
            self.add(kind, middle, widest, fact)

    def at(self, reading: Reading) -> list[tuple[float, float, Fact | None]]:
        low, high = reading.low - _EPS, reading.high + _EPS
        width = reading.high - reading.low
        return [known for known in self._by.get(reading.kind, ()) if low <= known[0] <= high and width <= known[1]]


@dataclass
class Evidence:
    """`facts` of the answer, what was `said` in the question and shows in the structure, what each citation holds."""

    facts: Numbers
    said: Numbers
    quoted: dict[int, tuple[Numbers, Moments]]
    moments: Moments

    def holds(self, number: Number, cites: Iterable[int] = ()) -> bool:
        """Whether the number may be said in a line that cites these."""
        if any(self._reading(r, cites) for r in number.readings):
            return True
        return bool(number.parts) and all(self.holds(p, cites) for p in number.parts)

    def _reading(self, reading: Reading, cites: Iterable[int]) -> bool:
        quoted = [self.quoted[c] for c in cites if c in self.quoted]
        if reading.kind in ("date", "time"):
            return self.moments.hold(reading) or any(moments.hold(reading) for _, moments in quoted)
        if self.facts.at(reading) or any(numbers.at(reading) for numbers, _ in quoted):
            return True
        # What a playbook is said to promise must stand in it, also where the asker named the number.
        return not (quoted and reading.kind in ("ratio", "points", "multiple")) and bool(self.said.at(reading))

    def behind(self, number: Number) -> list[Fact]:
        """The facts that a number can be."""
        found = {f.id: f for r in number.readings for _, _, f in self.facts.at(r) if f is not None}
        return list(found.values())


def _add_fact(known: Numbers, fact: Fact) -> None:
    """The values of a fact, as what they may be said."""
    for reading in _readings(fact.display):
        known.add_said(reading, fact)
    kinds = _KINDS.get(fact.unit)
    if kinds is None or isinstance(fact.value, str) or fact.value is None:
        return
    value = abs(fact.value)
    for kind in kinds:
        known.add(kind, value, fact=fact)
    if fact.unit == "count" and any(w in fact.label.lower() for w in ("天", "day")):
        which = any(w in fact.label.lower() for w in ("第", "day of", "which"))
        known.add("day_of" if which else "days", value, fact=fact)
    if fact.unit == "ratio" and is_change(fact):  # twice as many is 100 % more
        known.add("multiple", 1 + fact.value, fact=fact)
    if fact.unit in ("ratio", "points") and fact.display[-1:] not in "0123456789":
        known.add("number", value * 100, 0.5, fact)  # 18.3 under a heading that says %: all of its digits are there


def is_change(fact: Fact) -> bool:
    """Whether a fact says how much more or less: then its sign counts."""
    if isinstance(fact.value, str) or fact.value is None:
        return False
    return fact.value < 0 or fact.display[:1] in "+-" or any(w in fact.label.lower() for w in _CHANGE)


def evidence(answer: Answer, question: str) -> Evidence:
    """All that may stand behind the numbers of an answer to this question."""
    moments, facts, said = Moments(), Numbers(), Numbers()
    for fact in answer.facts:
        _add_fact(facts, fact)
        for reading in (*_readings(fact.display), *_readings(fact.label)):
            moments.add_reading(reading)
        for reading in _readings(fact.display):
            moments.add_whole(reading)
    what = answer.interpretation
    # 24:00 of the 20th is stored as the 21st: where a display says its day, that is the day.
    stamps = [f.value for f in answer.facts if f.unit == "date" and not _says_day(f)] + [
        s for a in answer.actions for s in (a.when, a.deadline)
    ]
    stamps += [s for f in answer.facts for s in (f.as_of, *(f.period or {}).values())] + list(
        (what.period or {}).values()
    )
    for stamp in {str(s) for s in stamps if s}:
        moments.add(stamp)
    texts = (question, what.campaign or "", what.compare or "", *what.assumed, *what.unused)
    readings = [r for text in texts for r in _readings(text)]
    conditions = {*what.filters, *what.crowds, *(f.crowd for f in answer.facts if f.crowd)}
    readings += [r for c in conditions if ":" in c for r in _condition(c)]
    readings += [Reading("days", n, n) for n in _lengths(answer)]
    # Data until 10:00: the day has had ten hours.
    readings += [Reading("hours", h, h) for h in {int(f.as_of[11:13]) for f in answer.facts if f.as_of[13:] == ":00"}]
    for reading in readings:
        said.add_said(reading)
        moments.add_reading(reading)
    return Evidence(
        facts, said, {c.id: _quoted(f"{c.source}\n{c.section}\n{c.quote}") for c in answer.citations}, moments
    )


@lru_cache(256)
def _quoted(text: str) -> tuple[Numbers, Moments]:
    numbers, moments = Numbers(), Moments()
    for reading in _readings(text):
        numbers.add_said(reading)
        moments.add_reading(reading)
    return numbers, moments


@lru_cache(2048)
def _readings(text: str) -> tuple[Reading, ...]:
    """The numbers of a source."""
    return tuple(r for n in read(plain(text)) for r in _flat(n))


def _flat(number: Number) -> list[Reading]:
    return [*number.readings, *(r for p in number.parts for r in _flat(p))]


def _says_day(fact: Fact) -> bool:
    return any(r.kind == "date" for r in _readings(fact.display))


def _condition(expression: str) -> list[Reading]:
    """The numbers of the filters in an expression of crowds: min_amount:500 is money, last_paid_within:30 days."""
    found = []
    for leaf in _leaves(expression):
        column, value = filters.split(leaf)
        if value.replace(".", "", 1).isdigit():
            kind = "CNY" if column.endswith("amount") else "days" if column.startswith("last_") else "number"
            found.append(Reading(kind, float(value), float(value)))
        else:
            found += _readings(value)
    return found


@lru_cache(512)
def _leaves(expression: str) -> tuple[str, ...]:
    from tools.errors import AskAgain

    try:
        return tuple(filters_in(parse(expression)))
    except AskAgain:  # a condition with "not" in front, or a value of today that is none tomorrow
        return (expression.removeprefix("not "),) if ":" in expression else ()


def _lengths(answer: Answer) -> set[int]:
    periods = [answer.interpretation.period, *(f.period for f in answer.facts)]
    out = set()
    for p in periods:
        if p and {"from", "to"} <= p.keys():
            try:
                out.add((date.fromisoformat(p["to"][:10]) - date.fromisoformat(p["from"][:10])).days + 1)
            except ValueError:
                continue
    return out - {1}
