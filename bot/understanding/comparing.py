"""What a number is to be compared with, where it is said in the words of a sentence and not by a fixed name:
跟咱们定的目标比, 昨天比前天, 开门红的成交额 vs 去年同期, did last week beat the week before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from bot.understanding.dates import LAST_YEAR, Period, find_period
from bot.understanding.lexicon import Match, fold, words
from tools.campaigns import Campaign

# Words that a comparison begins with. 比率, 占比, 性价比, 比如 are none; 和 and its like need a word that closes it.
_LEAD = re.compile(
    r"(?P<open>跟|和|与|同(?![行层期比])|拿)|(?<![占对环同率付购分价类相])比(?![率例如较重值赛分])(?:起|之)?|对比|对照|比照|"
    r"相较(?:于|之)?|相比(?:于|起)?|比较(?![好多少高低])|较(?:之|于)?(?=[昨前上去目同])"
    r"|(?<=[一二三四五六日天号])对(?=[昨前上本这去周星礼]|\d+[月号日.])|同比|环比|不如|超过|高于|低于|赶上|"
    r"(?<![a-z])(?:vs\.?|versus|against|compared? (?:with|to)|than|relative to|beat(?:ing)?|"
    r"next to|stacks? up (?:against|to|with)|(?:up or down|up|down|higher|lower) (?:on|from)|on (?:pace|par) with|"
    r"in line with|level with|ahead of|behind|better than)(?![a-z])"
)
_CLOSE = re.compile(r"(?:相)?比(?!率|例|如)|对比|比较|差|一样|持平|哪[个天]|谁(?:更)?[高多好]|对不|同期|高|低")
_GAP = re.compile(
    r"(?: ?(?:咱们?|我们|我|定的|设的|的|那个|那会儿|这个|一下|着|"
    r"(?:the|our|my|its|that of|what we did|we did|at|in)\b) ?){0,3} ?",
    re.A,
)
_TAIL = re.compile(
    r"(?:的|那时候?|那会儿|当时|同一?(?:天|期|时间|时段|阶段|时刻)|这个?时候|这会儿|此时|同期|数据|水平|情况|表现|"
    r" ?same (?:day|time|period|stage|point)| ?at the same (?:time|point|stage)| ?(?:figures|numbers|level)| ?'s)*"
)
_SAME = re.compile(r"同一?(?:期|天|日|时|段)|(?:那时|那会|这时|这会|当时|此时)|\bsame\b", re.A)
_LAST_WEEK = re.compile(r"(?<!上)上个?(?:周|星期|礼拜)(?![一二三四五六日天末])|\blast week\b", re.A)
_CLOSING = re.compile(
    r"[^,。，？?;；]{0,8}?(?P<word>相比|比起来|比较|对比|比(?!率|例|如))(?:一比|一下|看看|来看|来说)?"
)
# What may stand before 去年 in what is compared with: 618 last year, the same day last year.
_CAMPAIGN_NAMED = re.compile(
    r"(?:(?:618|双11|双十一|double ?11|(?:the )?campaign|(?:the )?same (?:day|period|time|week|phase)|this time|opening sale|"
    r"presale|wave \w+)"
    r" ?(?:of|from|in)? ?)?",
    re.A,
)


_AS_LONG = re.compile(
    r"(?:再?(?:往)?前|上|之前|前面|更早)(?:面|一个)?(?:的|那)?(?P<n>[二两三四五六七八九十\d]{1,3})(?:个)?(?P<unit>天|"
    r"周|星期|礼拜|月)"
)


@dataclass(frozen=True)
class Compared:
    """`value`: a kind of comparison, or None where `other` days are named, which only the period asked about can judge: as they
    are, or of them the `same` ones (上周同一天)."""

    value: str | None
    other: Period | None
    spans: tuple[tuple[int, int], ...]
    said: str
    same: bool = False

    def as_match(self) -> Match:
        """As a known word; days are a comparison that is not computed until the period asked about is known."""
        start = min(s for s, _ in self.spans)
        return Match(start, start + len(self.said), self.said, (("compare", self.value or "unsupported"),))


def find_comparison(
    text: str, now: datetime, campaigns: tuple[Campaign, ...], named: Campaign | None = None
) -> Compared | None:
    """The comparison that a folded question asks for beside the fixed names in knowledge/words.yaml, or None."""
    for lead in _LEAD.finditer(text):
        start = _GAP.match(text, lead.end()).end()  # type: ignore[union-attr]
        clause = re.split(r"[,。，？?;；\0]", text[start:])[0]
        found = _by_name(clause) or _as_long(clause, text[: lead.start()]) or _by_days(clause, now, campaigns)
        if found is None:
            continue
        value, other, length = found
        end = start + length
        end = _TAIL.match(text, end).end()  # type: ignore[union-attr]
        if lead["open"] and not _CLOSE.search(text[end : end + 14].split(",")[0].split("，")[0]):
            continue
        spans = [(lead.start(), end)]
        if lead["open"] and (closing := _CLOSING.match(text, end)):
            spans.append((closing.start("word"), closing.end()))
        said = text[lead.start() : end].strip()
        return Compared(value, other, tuple(spans), said, bool(_SAME.search(said)))
    return None


def _by_name(clause: str) -> tuple[str | None, Period | None, int] | None:
    for value, pattern in _names():
        if m := pattern.match(clause):
            return value, None, m.end()
    return None


@cache
def _names() -> list[tuple[str, re.Pattern[str]]]:
    """What is compared with by name, from knowledge/words.yaml, longest first; of letters whole words."""
    every = [(fold(w), value) for value, group in words().comparison_names.items() for w in group]
    every.sort(key=lambda named: -len(named[0]))
    return [(v, re.compile(rf"{re.escape(w)}s?(?![a-z])" if w.isascii() else re.escape(w))) for w, v in every]


def _as_long(clause: str, before: str) -> tuple[str | None, Period | None, int] | None:
    """这三天比前三天: as many days or weeks, those before."""
    m = _AS_LONG.match(clause)
    if m is None or not re.search(rf"{m['n']}(?:个)?{m['unit']}", before):
        return None
    return "previous_window", None, m.end()


def _by_days(
    clause: str, now: datetime, campaigns: tuple[Campaign, ...]
) -> tuple[str | None, Period | None, int] | None:
    """The days that a clause begins with; 去年 in them means the same days of the campaign's earlier instance."""
    year = LAST_YEAR.search(clause)
    if year and _CAMPAIGN_NAMED.fullmatch(clause[: year.start()]):
        rest = re.compile(
            r"(?: ?的? ?(?:这个?时候|同一?[天期]|同比|大促|活动|\d{3}|双(?:11|十一|12|十二)|开门红|第[一二]波|预售期?|"
            r"预热期?|same (?:day|time|period)|'s? |double ?11|campaign|opening sale|presale))*"
        ).match(clause, year.end())
        return "earlier_campaign", None, rest.end() if rest else year.end()
    found = find_period(clause, now, campaigns)
    if found is None or not found.spans or min(s for s, _ in found.spans) > 1:
        return None
    if any(LAST_YEAR.search(clause[s:e]) for s, e in found.spans):
        return "earlier_campaign", None, max(e for _, e in found.spans)
    return None, found, max(e for _, e in found.spans)


def against_days(compared: Compared, period: Period | None, today: date) -> tuple[str | None, Period | None]:
    """(the comparison that the days named amount to, the period then asked about). None where it is not computed.

    Days stand against as many others: 昨天 against 前天, a week against another one, this week so far against the beginning of
    the last one.
    """
    other = compared.other
    if other is None:
        return compared.value, period
    if period is None and other.first == other.last == today - timedelta(days=1):
        return "previous_day", None
    main = period or Period(today, today, ())
    if compared.same:
        other = _same_days(main, other, compared.said)
    if main.last < other.first:
        main, other = other, main  # 前天和昨天比: the later of the two is asked about
    if main.first == other.first or (_length(main) != _length(other) and not _so_far(main, other, today)):
        return None, period
    if other.first + timedelta(days=_length(main) + 1) == main.first:
        return ("previous_day" if _length(main) == 0 else "previous_window"), main
    return f"from:{other.first.isoformat()}", main


def _same_days(main: Period, other: Period, said: str) -> Period:
    """Of the week before the same weekdays, of another month the same days of it; `other` where it is neither."""
    if _LAST_WEEK.search(said):
        return Period(main.first - timedelta(weeks=1), main.last - timedelta(weeks=1), ())
    if _is_month(other) and main.last.day <= other.last.day and main.first.month == main.last.month:
        return Period(other.first.replace(day=main.first.day), other.first.replace(day=main.last.day), ())
    return other


def _is_week(p: Period) -> bool:
    return _length(p) == 6 and p.first.weekday() == 0


def _is_month(p: Period) -> bool:
    return p.first.day == 1 and (p.last + timedelta(days=1)).day == 1 and _length(p) < 31


def _so_far(main: Period, other: Period, today: date) -> bool:
    """This week or month up to today, and a whole one."""
    begins = (_is_week(other) and main.first.weekday() == 0) or (_is_month(other) and main.first.day == 1)
    return main.last == today and _length(main) < _length(other) and begins


def _length(p: Period) -> int:
    """Days beyond the first."""
    return (p.last - p.first).days
