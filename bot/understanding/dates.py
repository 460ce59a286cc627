"""The period grammar: ordinary time (昨天, 近7天, 6.16到今天, last 7 days) and campaign time (预售期, 第一波, 活动以来)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tools.campaigns import Campaign, campaign_for, earlier_same

_CN_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_MONTHS = {
    m: i + 1 for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
_MONTH_NAME = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"

_DAY = (
    r"(?:(?P<{p}iso>\d{{4}}[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}[日号]?)"
    r"|(?P<{p}md>\d{{1,2}}月\d{{1,2}}[日号]?)"
    r"|(?P<{p}dot>(?<![\d.])\d{{1,2}}[./]\d{{1,2}}(?![\d.%/]))"
    r"|(?P<{p}en>" + _MONTH_NAME.replace("(", "(?:") + r" ?\d{{1,2}}(?:st|nd|rd|th)?(?!\d))"
    r"|(?P<{p}d>(?<!\d)\d{{1,2}}[日号])"
    r"|(?P<{p}word>大前天|前天|昨天|昨日|今天|今日|当天|yesterday|today|now|现在))"
)
_TO = r" ?(?:到|至|~|～|—|–|-|to|until|through) ?"
_RANGE = re.compile(r"(?:从|自|from |between )?" + _DAY.format(p="a") + _TO + _DAY.format(p="b"))
_SINCE = re.compile(
    r"(?:since |从|自)" + _DAY.format(p="a") + r"(?:以来|起|开始|之后)?|" + _DAY.format(p="c") + r"(?:以来|起)"
)
_SINGLE = re.compile(_DAY.format(p="a"))
_LAST_N = re.compile(
    r"(?:近|最近|过去|前)(?P<cn>\d{1,3}|[一二两三四五六七八九十])(?:个)?(?P<cnu>天|日|周)|"
    r"(?:last|past) (?P<en>\d{1,3}) (?P<enu>days?|weeks?)"
)
_WEEK = re.compile(
    r"本周|这周|这个星期|this week|上周|上个星期|last week|本月|这个月|this month|上个月|上月|last month"
)
_WAVE = re.compile(r"第(?P<n>[一二三])波|wave (?P<e>[123])|本波|这一波|这波|this wave")
_PHASE_KINDS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"蓄水期?|build-?up"), "pool"),
    (re.compile(r"预售期|预售阶段|预售期间|presale(?: phase| period)?"), "presale"),
    (re.compile(r"预热期?(?:阶段)?|preheat"), "preheat"),
    (re.compile(r"准备期|preparation phase"), "prepare"),
]
_CAMPAIGN = re.compile(
    r"(?:本次|这次)?(?:大促|活动)(?:期间|以来|至今|开始以来|累计)|campaign to date|during the campaign|so far this campaign"
)


@dataclass(frozen=True)
class Period:
    """Days `first`..`last` and where in the question they were named. `assumed` says what was taken for granted."""

    first: date
    last: date
    spans: tuple[tuple[int, int], ...]
    assumed: str | None = None


def find_period(text: str, now: datetime, campaigns: tuple[Campaign, ...]) -> Period | None:
    """The period that a folded question names, or None. Impossible dates (2.30) are left alone."""
    today = now.date()
    campaign = campaign_for(today, campaigns)
    for rule in _RULES:
        found = rule(text, today, campaign, campaigns)
        if found is not None:
            return found
    return None


def _range(text: str, today: date, campaign: Campaign | None, campaigns: tuple[Campaign, ...]) -> Period | None:
    for m in _RANGE.finditer(text):
        first, last = _day(m, "a", today), _day(m, "b", today)
        if first and last:
            if m["bd"] and not m["ad"] and last < first:
                last = last.replace(year=first.year, month=first.month)
            return Period(min(first, last), max(first, last), (m.span(),))
    return None


def _since(text: str, today: date, campaign: Campaign | None, campaigns: tuple[Campaign, ...]) -> Period | None:
    m = _SINCE.search(text)
    if m:
        first = _day(m, "a", today) if m["aiso"] or m["amd"] or m["adot"] or m["aen"] or m["ad"] or m["aword"] else None
        first = first or _day(m, "c", today)
        if first and first <= today:
            return Period(first, today, (m.span(),))
    return None


def _last_n(text: str, today: date, campaign: Campaign | None, campaigns: tuple[Campaign, ...]) -> Period | None:
    m = _LAST_N.search(text)
    if not m:
        return None
    n = int(m["en"]) if m["en"] else _CN_DIGITS.get(m["cn"]) or int(m["cn"])
    days = n * 7 if (m["cnu"] or m["enu"])[0] in "周w" else n
    return Period(today - timedelta(days=days - 1), today, (m.span(),)) if days > 0 else None


def _calendar(text: str, today: date, campaign: Campaign | None, campaigns: tuple[Campaign, ...]) -> Period | None:
    m = _WEEK.search(text)
    if not m:
        return None
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    word = m[0]
    if word in ("上周", "上个星期", "last week"):
        return Period(monday - timedelta(days=7), monday - timedelta(days=1), (m.span(),))
    if word in ("上个月", "上月", "last month"):
        return Period(before.replace(day=1), before, (m.span(),))
    return Period(month if "月" in word or "month" in word else monday, today, (m.span(),))


def _in_campaign(text: str, today: date, campaign: Campaign | None, campaigns: tuple[Campaign, ...]) -> Period | None:
    """Waves and phases of this campaign; with 去年 of its earlier instance. Cut at today."""
    if campaign is None:
        return None
    spans: list[tuple[int, int]] = []
    c = campaign
    year = re.search(r"去年|上一年|last year'?s?", text)
    if year:
        earlier = earlier_same(campaign, campaigns)
        if earlier is None:
            return None
        c = earlier
        spans.append(year.span())
    wave = _WAVE.search(text)
    kind = next(((m, k) for pattern, k in _PHASE_KINDS if (m := pattern.search(text))), None)
    waves = c.waves()
    n = None
    if wave:
        n = {"一": 1, "二": 2, "三": 3}.get(wave["n"] or "") or (int(wave["e"]) if wave["e"] else None)
        if n is None:
            current = c.wave_at(min(today, c.last))
            return _cut(current.first, current.last, today, [*spans, wave.span()])
        if n > len(waves):
            return None
    if kind:
        match, key = kind
        inside = [p for p in c.phases if p.kind == key]
        if n is not None:
            inside = [p for p in inside if waves[n - 1].first <= p.first <= waves[n - 1].last]
        begun = [p for p in inside if p.first <= today]
        if not inside:
            return None
        phase = begun[-1] if begun else inside[0]
        more = [wave.span()] if wave else []
        return _cut(phase.first, phase.last, today, [*spans, match.span(), *more])
    if n is not None and wave:
        return _cut(waves[n - 1].first, waves[n - 1].last, today, [*spans, wave.span()])
    whole = _CAMPAIGN.search(text)
    if whole:
        return _cut(c.first, c.last, today, [*spans, whole.span()])
    named = re.search(r"去年(?:的)?(?:618|双11|双十一|六一八|大促)|last year'?s (?:618|double 11|campaign)", text)
    if named and year:
        return Period(c.first, c.last, (named.span(),))
    return None


def _cut(first: date, last: date, today: date, spans: list[tuple[int, int]]) -> Period:
    """A period that has begun ends today at the latest; one that has not begun stays whole."""
    return Period(first, min(last, today) if first <= today else last, tuple(spans))


def _single(text: str, today: date, campaign: Campaign | None, campaigns: tuple[Campaign, ...]) -> Period | None:
    for m in _SINGLE.finditer(text):
        if m["aword"] in ("now", "现在"):
            continue
        day = _day(m, "a", today)
        if day:
            return Period(day, day, (m.span(),))
    return None


Rule = Callable[[str, date, "Campaign | None", tuple[Campaign, ...]], "Period | None"]
_RULES: tuple[Rule, ...] = (_range, _since, _last_n, _calendar, _in_campaign, _single)


def _day(m: re.Match[str], p: str, today: date) -> date | None:
    """The day a match names. A day without a year is the latest such day that is not after today, if it is near."""
    try:
        if text := m[f"{p}iso"]:
            y, mo, d = map(int, re.findall(r"\d+", text))
            return date(y, mo, d)
        if text := m[f"{p}md"] or m[f"{p}dot"]:
            mo, d = map(int, re.findall(r"\d+", text))
            return _nearest_year(mo, d, today)
        if text := m[f"{p}en"]:
            return _nearest_year(_MONTHS[text[:3]], int(re.findall(r"\d+", text)[0]), today)
        if text := m[f"{p}d"]:
            day = date(today.year, today.month, int(re.findall(r"\d+", text)[0]))
            return day if day <= today else (today.replace(day=1) - timedelta(days=1)).replace(day=day.day)
    except ValueError:
        return None
    back = {"大前天": 3, "前天": 2, "昨天": 1, "昨日": 1, "yesterday": 1}.get(m[f"{p}word"] or "", 0)
    return today - timedelta(days=back) if m[f"{p}word"] else None


def _nearest_year(month: int, day: int, today: date) -> date:
    this = date(today.year, month, day)
    # In January "12 月 30 日" is last year's; a day up to half a year ahead is meant as written.
    return this if this <= today + timedelta(days=183) else date(today.year - 1, month, day)
