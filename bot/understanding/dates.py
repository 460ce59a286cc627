"""The period that a question names: stretches of ordinary time and of campaign time, and how words join them
(6.16到今天, 开门红到现在, 预售头三天, 截至昨天, 今年开门红那三天)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.understanding import stretches as ordinary
from bot.understanding.campaign_time import in_campaign, narrowed, whole
from bot.understanding.festivals import named_days
from bot.understanding.short_ranges import short_ranges, weeks_of_month
from bot.understanding.stretches import CN, Frame, Stretch
from tools.campaigns import Campaign, campaign_for

LAST_YEAR = re.compile(r"去年|上一年|上年(?!度)|\blast year(?:'?s)?\b|\bthe year before\b", re.A)
_TO = re.compile(
    r"(?:的|那天|那一天|起|开始|早上|晚上|一大早|起?算|一直|当天|号|[零\d]{1,2}点(?:整|钟)?)*[ ,，]?(?:到|至|直到|~|～|—+|–|"
    r"-|to|until|till|through|thru|and)(?:了)? ?(?:the )?"
)
_BETWEEN = re.compile(r"\b(?:between|from)(?: the)? $", re.A)
_NOW = re.compile(
    r"(?:(?:一直)?(?:截至|截止到?|到|至|直到)(?:了)?(?:目前|现在|当前|此刻|这会儿|眼下|而家|今)(?:为止|的)?|迄今(?:为止)?|"
    r"\b(?:un)?til(?:l)? now\b|\b(?:up )?to (?:now|date)\b|\bso far\b"
    r"|\bthrough now\b)",
    re.A,
)
_ALONE_NOW = re.compile(
    r"(?:截至|截止到?)(?:目前|现在|当前|此刻|今)(?:为止)?|到(?:目前|现在)为止|到(?:目前|现在)[^,。，？?]{0,2}(?:一共|总共|"
    r"累计)|(?:一共|总共|累计)[^,。，？?]{0,6}到(?:目前|现在)"
    r"|迄今(?:为止)?|至今(?!日)|\b(?:campaign |up )to date\b|\bso far(?: this campaign)?\b|(?:大促|活动)(?:以来|至今|"
    r"开始以来|累计)|累计(?:到现在|至今)?",
    re.A,
)
_FROM = re.compile(r"(?:自从|从|自|打从|打|\bsince(?: the)? |\bstarting(?: from| on)? |\bever since )$", re.A)
_SINCE = re.compile(
    r"(?:的|那天|那一天|当天)?(?:以来|起(?![来点])|开始(?![的]?(?:预热|什么|怎么))|之后|以后|过后|往后|后(?!天|台|续)|至今|"
    r"起算|\s?onwards?)"
)
_UNTIL = re.compile(r"(?:截至|截止到?|\b(?:up to|up until|until|till|through|as of) (?:the end of )?)$", re.A)
_UNTIL_TAIL = re.compile(r"(?:为止|止)")
_BEFORE = re.compile(r"(?:之前|以前)(?!的?那?(?:一|几|两|三)天)")
_BEFORE_EN = re.compile(r"\bbefore (?:the )?$", re.A)
_AND = re.compile(r"(?:那天|当天)?(?:和|跟|与|、|及|还有|,|，| and | & |/| or )(?:the )?")
_TAIL = re.compile(
    rf"(?:的)?(?:那|这)(?:[{CN}两\d几]{{1,2}})?(?:天|一天|段时间|段|会儿|阵子|周|个月|期间)|(?:的)?(?:整整|整个|一整|整|"
    rf"全)(?:天|月|周)|当天|当日|一天(?!一天)|期间|"
    rf"(?<=[红售热日水])[{CN}两\d]{{1,2}}天(?!内)"
)
# Hours and parts of a day: numbers are of whole days, so these are told as not used.
PART_OF_DAY = re.compile(
    rf"(?:凌晨|清晨|早晨|早上|上午|中午|午后|下午|傍晚|晚上|夜里|半夜|深夜)?(?:[{CN}两零]{{1,3}}|(?<!\d)\d{{1,2}})(?:点(?!击|"
    rf"数)|时(?!候|段|间))(?:半|整|钟|\d{{1,2}}分?)?"
    rf"(?:(?:到|至|-|~)(?:[{CN}两零]{{1,3}}|\d{{1,2}})(?:点(?!击)|时(?!候))(?:半|整|钟)?)?(?:以前|以后|之前|之后|前|后)?"
    r"|凌晨|清晨|早晨|早上(?!好)|上午(?!好)|中午(?!好)|午后|下午(?!好)|傍晚|晚上(?!好)|夜里|半夜|深夜|昨晚|昨夜|昨早|前晚|"
    r"(?:这|近|最近|过去|刚才|刚刚)(?:这|那)?[一两几\d半]+个?(?:小时|钟头|分钟)"
    r"|\b(?:at|before|after|by|until|since) \d{1,2}(?::\d\d)? ?(?:am|pm|o'clock)\b|(?<!good )\b(?:in the )?(?:morning|afternoon|"
    r"evening|last night|overnight)\b"
    r"|\b(?:last|past) (?:\d+|two|three|few|couple of )? ?(?:hours?|minutes?)\b",
    re.A,
)
_OFTEN = ("phase", "wave", "campaign", "month", "week", "year")


@dataclass(frozen=True)
class Period:
    """Days `first`..`last` and where in the question they were named; `left`: other days named, which are not in them."""

    first: date
    last: date
    spans: tuple[tuple[int, int], ...]
    left: tuple[tuple[int, int], ...] = ()


def as_days(first: date, last: date) -> dict[str, str]:
    """Days as an Interpretation holds them."""
    return {"from": first.isoformat(), "to": last.isoformat()}


def days_asked(period: dict[str, str]) -> tuple[date, date]:
    """(first, last) of an Interpretation's days."""
    return date.fromisoformat(period["from"]), date.fromisoformat(period["to"])


def find_period(
    text: str, now: datetime, campaigns: tuple[Campaign, ...], named: Campaign | None = None
) -> Period | None:
    """The period that a folded question names, or None. A campaign named without a time means its days up to today.

    Impossible dates (2.30), hours and a second, separate period are left alone, so that they show up as words not used.
    """
    today = now.date()
    year = LAST_YEAR.search(text)
    frame = Frame(today, named or campaign_for(today, campaigns), campaigns, named is not None, 1 if year else 0)
    found = narrowed(_chosen(text, frame), text, frame)
    found = [s for s in found if s.kind != "campaign" or whole(s, text) or _reaches(text, s)]
    if year and named is None:
        found = [s if s.kind in ("phase", "wave", "campaign", "peak") else ordinary.a_year_back(s, 1) for s in found]
    extra = (year.span(),) if year else ()
    period = _joined(text, found, frame)
    if period is None:
        if found or not (named or year):
            return _so_far(text, frame) if not found else None
        if named:
            return _cut(Period(named.first, named.last, extra), today)
        return Period(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31), extra)
    return replace(period, spans=(*period.spans, *extra))


def _chosen(text: str, f: Frame) -> list[Stretch]:
    """Every stretch named, the longer of two that overlap, in the order of the question."""
    rules = (
        short_ranges,
        weeks_of_month,
        named_days,
        ordinary.days,
        ordinary.weeks,
        ordinary.rolling,
        ordinary.months,
        in_campaign,
    )
    every = [s for rule in rules for s in rule(text, f)]
    taken = bytearray(len(text))
    out = []
    for s in sorted(every, key=lambda s: s.start - s.end):
        if not any(taken[s.start : s.end]):
            taken[s.start : s.end] = b"\1" * (s.end - s.start)
            out.append(s)
    return sorted(out, key=lambda s: s.start)


def _reaches(text: str, s: Stretch) -> bool:
    """A campaign is a time where it runs from or to somewhere: 大促开始到昨天, 活动以来."""
    behind = text[s.end :]
    return bool(_SINCE.match(behind) or _NOW.match(behind) or _TO.match(behind) or _UNTIL.search(text[: s.start]))


def _joined(text: str, found: Sequence[Stretch], f: Frame) -> Period | None:
    """What the stretches say together: from one to another, since or until one, the part that all share, else the first."""
    if not found:
        return None
    reached: list[Stretch] = []
    i = 0
    while i < len(found):
        s, following = found[i], found[i + 1] if i + 1 < len(found) else None
        end = s.end
        if tail := _TAIL.match(text, end):
            end = tail.end()
        to = _TO.match(text, end) if following else None
        if following and to and 0 <= to.end() - following.start <= len("the ") and _is_range(text, s, to[0]):
            if between := _BETWEEN.search(text[: s.start]):
                s = replace(s, start=between.start())
            last = _after(s, following)
            if last.last >= s.first:
                reached.append(replace(s, last=last.last, end=following.end, kind="rolling"))
            else:
                reached.append(Stretch(last.first, s.last, s.start, following.end, "rolling"))
            i += 2
            continue
        both = _AND.match(text, end) if following else None
        if following and both and 0 <= both.end() - following.start <= len("the "):
            after = _after(s, following)
            low, high = (s, after) if s.first <= after.first else (after, s)
            if high.first <= low.last + timedelta(days=1) and high.last > low.last and s.kind not in ("rolling",):
                reached.append(Stretch(low.first, high.last, s.start, following.end, s.kind))
                i += 2
                continue
        reached.append(_open_ended(text, replace(s, end=end), f))
        i += 1
    first = reached[0]
    shared = [first]
    for s in reached[1:]:
        lo, hi = max(first.first, s.first), min(first.last, s.last)
        if lo <= hi:
            first = Stretch(lo, hi, first.start, first.end, s.kind if s.days < first.days else first.kind)
            shared.append(s)
    left = tuple((s.start, s.end) for s in reached if s not in shared)
    period = Period(first.first, first.last, tuple((s.start, s.end) for s in shared), left)
    return _cut(period, f.today) if any(s.kind in _OFTEN for s in shared) else period


def _is_range(text: str, s: Stretch, to: str) -> bool:
    """and joins a range only behind between."""
    return "and" not in to or bool(_BETWEEN.search(text[: s.start]))


def _after(a: Stretch, b: Stretch) -> Stretch:
    """A day of the month or week without more said is the first such day from `a` on: 28号到3号, 周一到周三."""
    if b.kind == "weekday" and a.kind == "weekday":
        return _moved(b, timedelta(days=(b.first - a.first).days % 7), a.first)
    if b.kind == "bare" and b.first < a.first:
        for month in (a.first, (a.first.replace(day=1) + timedelta(days=32))):
            try:
                day = month.replace(day=b.first.day)
            except ValueError:
                continue
            if day >= a.first:
                return replace(b, first=day, last=day)
    return b


def _moved(s: Stretch, by: timedelta, base: date) -> Stretch:
    return replace(s, first=base + by, last=base + by)


def _open_ended(text: str, s: Stretch, f: Frame) -> Stretch:
    """自6月1号以来, 开门红到现在: until today. 截至昨天, 6.16之前: from the campaign's first day."""
    begin = f.campaign.first if f.campaign else None
    now, since = _NOW.match(text, s.end), _SINCE.match(text, s.end)
    ahead, until = _FROM.search(text[: s.start]), _UNTIL.search(text[: s.start])
    if (
        (now or since or ahead)
        and s.first <= f.today
        and not (since and s.kind == "campaign" and not now and f.campaign is None)
    ):
        match = now or since
        if (
            since
            and not now
            and since[0].endswith(("之后", "以后", "过后", "后"))
            and s.kind in ("day", "bare", "phase")
        ):
            start = s.first if s.days == 1 else s.last + timedelta(days=1)  # 16号之后 with it, 预售之后 without
            if start > f.today:
                return s
            return replace(s, first=start, last=f.today, end=since.end(), kind="rolling")
        begins, ends = ahead.start() if ahead else s.start, match.end() if match else s.end
        return replace(s, last=max(s.first, f.today), start=begins, end=ends, kind="rolling")
    tail = _UNTIL_TAIL.match(text, s.end)
    if (until or tail) and begin and begin <= s.last:
        return replace(
            s, first=begin, start=until.start() if until else s.start, end=tail.end() if tail else s.end, kind="rolling"
        )
    before, before_en = _BEFORE.match(text, s.end), _BEFORE_EN.search(text[: s.start])
    if (before or before_en) and begin and begin < s.first:
        end = before.end() if before else s.end
        return replace(s, first=begin, last=s.first - timedelta(days=1), end=end, kind="rolling")
    return s


def _so_far(text: str, f: Frame) -> Period | None:
    """到目前为止, so far, 累计 without another time: the campaign up to today."""
    m = _ALONE_NOW.search(text)
    year = ordinary_year(text, f)
    if year is not None:
        return _cut(year, f.today)
    if m is None or f.campaign is None:
        return None
    return _cut(Period(f.campaign.first, f.campaign.last, (m.span(),)), f.today)


def ordinary_year(text: str, f: Frame) -> Period | None:
    """Quarters, halves and years count only where nothing nearer is named."""
    found = next(ordinary.years(text, f), None)
    return Period(found.first, found.last, ((found.start, found.end),)) if found else None


def _cut(p: Period, today: date) -> Period:
    """A period that has begun ends today at the latest; one that has not begun stays whole."""
    return replace(p, last=min(p.last, today)) if p.first <= today else p
