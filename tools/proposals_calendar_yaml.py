"""A document's campaign calendar as a draft of an entry in shop.yaml `campaigns`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from tools.proposals_calendar import Calendar, PhaseLine
from tools.proposals_dates import Day, folded, spans, years
from tools.proposals_known import KnownCampaign, KnownPhase, wave_of
from tools.proposals_text import GAP, language_of, line, plain, quoted, said, slug
from tools.proposals_words import campaigns_in, key_named, words

_LONGEST_NAME = 40
_NO_NAME = re.compile(r"(?i)(?:sheet|table|p\.|page|工作表|表|第|任务|活动|大促)?\s*[\d一二三]*\s*页?")
_ONCE = ("prepare", "pool", "presale", "review")


@dataclass(frozen=True)
class _Phase:
    """A phase of the draft; a None is a gap, `notes` say why."""

    key: str | None
    name: str
    first: Day | None
    last: Day | None
    notes: tuple[str, ...]


def calendar_yaml(
    source: str, draft: str, calendar: Calendar, about: Sequence[str], known: Sequence[KnownCampaign]
) -> tuple[str, KnownCampaign | None]:
    """The draft of `calendar`, and the campaign as tasks of the same document may refer to it.

    `about`: what the document, its sections and its file are called, outermost first; `draft`: the draft's own name.
    """
    lang = language_of([p.name for p in calendar.phases])
    year, year_note = _year(calendar, about, lang)
    phases = _phases(calendar, lang)
    name = campaign_name(calendar, about)
    key, key_note = _key(name, phases, known, lang)
    shown = {True: lambda d: _day(d, phases, year), False: lambda d: GAP}
    out = [
        line(0, "# " + said("proposal.from_calendar", lang, source=source, n=len(phases))),
        line(0, "# " + said("proposal.how_accept", lang, name=draft)),
        line(0, "# " + said("proposal.cohort", lang)),
        "campaigns:",
        line(2, f"- key: {quoted(key)}", key_note),
        line(4, f"name: {quoted(name)}"),
        line(4, f"year: {year if year else GAP}", year_note),
        line(4, "phases:"),
    ]
    for p in phases:
        out += [line(6, "# " + n) for n in p.notes]
        days = f"from: {shown[p.first is not None](p.first)}, to: {shown[p.last is not None](p.last)}"
        out.append(line(6, f"- {{key: {p.key or GAP}, name: {quoted(p.name)}, {days}}}"))
    if calendar.gates:
        out.append(line(4, "gates:"))
    for g in sorted(calendar.gates, key=lambda g: _rank(g.day, phases)):
        begins = any(p.name == g.name for p in phases)
        title = said("proposal.begins", lang, phase=g.name) if begins else plain(g.name)
        at = _day(g.day, phases, year).strip('"') + f" {g.day.at:%H:%M}"
        out.append(line(6, f"- {{at: {quoted(at)}, name: {quoted(title)}}}"))
    if calendar.member_days:
        days = ", ".join(_day(d, phases, year) for d in sorted(calendar.member_days, key=lambda d: _rank(d, phases)))
        out.append(line(4, f"member_days: [{days}]"))
    if calendar.balance:
        out.append(line(4, "balance_windows:"))
    for b in calendar.balance:
        ends = (_day(d, phases, year) if d else GAP for d in (b.span.first, b.span.last))
        out.append(line(6, "- {{from: {}, to: {}}}".format(*ends)))
    return "\n".join(out) + "\n", _as_known(key, name, phases)


# --- phases ------------------------------------------------------------------------------------------------------


def _phases(calendar: Calendar, lang: str) -> list[_Phase]:
    """The phases in the order of their days, with keys; a day shared by two of them is decided or marked."""
    ordered = _in_order(calendar.phases)
    out: list[_Phase] = []
    used: set[str] = set()
    for i, p in enumerate(ordered):
        notes = [
            said("proposal.row", lang, table=calendar.path or "1", row=p.row)
            if p.row
            else said("proposal.line", lang, text=p.line)
        ]
        key = _phase_key(p, used)
        if key is None:
            twice = p.kind in used
            notes.append(said("proposal.phase_twice", lang, code=p.kind) if twice else said("proposal.phase_gap", lang))
        notes += [said("proposal.time_left", lang, at=at, text=text) for at, text in p.untaken]
        first, last = p.span.first, p.span.last
        following = ordered[i + 1] if i + 1 < len(ordered) else None
        if last is not None and following is not None and following.span.first is not None:
            after = following.span.first
            if _shares(last, after, first):
                if last.order == after.order and after.at is not None:
                    notes.append(said("proposal.ends_before", lang, day=after.month_day, at=f"{after.at:%H:%M}"))
                    last = _day_before(last)
                else:
                    notes.append(said("proposal.overlaps", lang, day=last.month_day, next=following.name))
                    last = None
        if last is not None and last.at is not None and not p.span.single:
            notes.append(
                said("proposal.time_left", lang, at=f"{last.at:%H:%M}", text=f"{last.month_day} {last.at:%H:%M}")
            )
        out.append(_Phase(key, plain(p.name), first, last, tuple(notes)))
    return out


def _in_order(phases: Sequence[PhaseLine]) -> list[PhaseLine]:
    """By first day; a calendar over New Year begins where the months jump. Phases without a first day stay in front."""
    starts = [p.span.first or p.span.last for p in phases]
    over = any(d and d.month >= 10 for d in starts) and any(d and d.month <= 3 for d in starts)

    def rank(p: PhaseLine) -> tuple[int, int, tuple[int, int]]:
        day = p.span.first or p.span.last
        if day is None:
            return 0, 0, (0, 0)
        return day.year or 0, int(over and day.month <= 6 and not day.year), day.order

    return sorted(phases, key=rank)


def _shares(last: Day, after: Day, first: Day | None) -> bool:
    """Whether a phase that ends on `last` runs into one that begins on `after`."""
    if first is not None and last.order < first.order:  # over New Year
        return after.order <= last.order
    over = first is not None and after.order < first.order
    return not over and last.order >= after.order


def _phase_key(p: PhaseLine, used: set[str]) -> str | None:
    """prepare, pool, presale and review stand once; preheat and sale are numbered by the wave named, else in order."""
    if p.kind is None or (p.kind in _ONCE and p.kind in used):
        return None
    key: str = p.kind
    if p.kind not in _ONCE:
        wave = wave_of(p.name)
        number = wave if wave and f"{p.kind}{wave}" not in used else 1
        while f"{p.kind}{number}" in used:
            number += 1
        key = f"{p.kind}{number}"
    used.add(key)
    return key


def _day_before(day: Day) -> Day:
    before = date(day.year or 2023, day.month, min(day.day, 28 if day.month == 2 and not day.year else 31))
    before -= timedelta(days=1)
    return replace(day, month=before.month, day=before.day, year=before.year if day.year else None, at=None)


# --- days, year, name, key ---------------------------------------------------------------------------------------


def _rank(day: Day, phases: Sequence[_Phase]) -> tuple[int, tuple[int, int]]:
    return int(_next_year(day, phases)), day.order


def _next_year(day: Day, phases: Sequence[_Phase]) -> bool:
    """Whether `day` lies in the year after the one in which the campaign begins."""
    begins = next((p.first for p in phases if p.first is not None), None)
    if begins is None:
        return False
    if day.year and begins.year:
        return day.year > begins.year
    return day.order < begins.order and begins.month - day.month >= 6


def _day(day: Day, phases: Sequence[_Phase], year: int | None) -> str:
    """MM-DD in the campaign's year, else with the year; the year of a day after New Year is a gap while it is unknown."""
    if not _next_year(day, phases):
        return day.month_day
    later = day.year or (year + 1 if year else None)
    return f"{later}-{day.month_day}" if later else quoted(f"???-{day.month_day}")


def _year(calendar: Calendar, about: Sequence[str], lang: str) -> tuple[int | None, str]:
    """The year that the days carry, else the one that the nearest title names."""
    ordered = _in_order(calendar.phases)
    written = [d.year for p in ordered for d in (p.span.first, p.span.last) if d is not None and d.year]
    if written:
        return written[0], ""
    for text in (calendar.path, *about):
        found = years(text)
        if len(found) == 1:
            return found.pop(), said("proposal.year_from", lang, text=text)
    return None, said("proposal.year_gap", lang)


def campaign_name(calendar: Calendar, about: Sequence[str]) -> str:
    """What the calendar's section or document is called, without the year and words such as 排期 or calendar."""
    for title in (*calendar.path.split(" › "), *about):
        if title.endswith("…") or spans(title) or len(title) > _LONGEST_NAME:
            continue  # a line of the document, not what it is called
        name = re.sub(r"(?:20\d\d)\s*年?", " ", plain(title))
        for word in sorted(words().calendar_words, key=len, reverse=True):
            edges = ("(?<![a-z])", "(?![a-z])") if word[0].isascii() else ("", "")
            name = re.sub(edges[0] + re.escape(word) + edges[1], " ", name, flags=re.IGNORECASE)
        name = re.sub(r"\s+", " ", name).strip(" -–—_·:：()（）[]【】、,，*#")
        if len(name) >= 2 and not _NO_NAME.fullmatch(name):
            return name
    return plain(about[-1]) if about else GAP


def _key(name: str, phases: Sequence[_Phase], known: Sequence[KnownCampaign], lang: str) -> tuple[str, str]:
    """The key of the known campaign of that name, else one made of the name's letters or the first day."""
    same = campaigns_in(name, {c.key: c.names for c in known})
    if len(same) == 1:
        key = same.pop()
        one = next(c for c in known if c.key == key)
        return key, said("proposal.key_shop" if one.own else "proposal.key_template", lang, campaign=one.names[1])
    first = next((p.first or p.last for p in phases if p.first or p.last), None)
    made = (
        key_named(name)
        or slug(name)
        or ("campaign-" + (re.sub(r"\D", "", folded(name)) or (first.month_day if first else "1")))
    )
    return made, said("proposal.key_own", lang)


def _as_known(key: str, name: str, phases: Sequence[_Phase]) -> KnownCampaign | None:
    dated = [
        KnownPhase(p.key, (p.key, p.name), p.first, p.last)
        for p in phases
        if p.key is not None and p.first is not None and p.last is not None
    ]
    return KnownCampaign(key, (key, name), tuple(dated), draft=True) if dated else None
