"""Stretches of campaign time: phases and waves, their first and last days, the peak day, what has gone since the sale opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from bot.understanding.stretches import COUNT, EN_COUNT, Frame, Kind, Stretch, count
from tools.campaigns import Campaign, Phase, earlier_same

_NTH = {
    "一": 1,
    "二": 2,
    "三": 3,
    "首": 1,
    "头": 1,
    "first": 1,
    "second": 2,
    "third": 3,
    "one": 1,
    "two": 2,
    "three": 3,
}
_WAVE = re.compile(
    r"第?([一二三123])波(?!动|及|折|段)|([首头])波|\b(?:wave|w) ?([123]|one|two|three)\b|\b(first|second|third|1st|2nd|"
    r"3rd) wave\b"
    r"|(本|这一|这|当前)波|\b(this|current) wave\b|(上一|上|前一)波|\b(last|previous) wave\b",
    re.A,
)
_PHASE = {
    "pool": re.compile(r"蓄水(?:期|阶段)?|\b(?:build ?up|warm ?up)(?: phase| period)?\b", re.A),
    "presale": re.compile(
        r"预售(?:期间?|阶段|那[几\d三五]天|那会儿?|时候)|预售(?!商品|订单|单|下定|付|交|金额|人群|人数|款|品|定|尾款|买家|客|"
        r"成交|支付|销售|GMV|gmv|爆|转化|活动页)"
        r"|(?:付|交|下)?定金(?:期间?|阶段)|\b(?:pre ?sale|deposit)(?: phase| period)\b|\bpre ?sale\b(?! (?:orders?|buyers?|"
        r"items?|products?|deposits?|amount|gmv|revenue|customers?|page))",
        re.A,
    ),
    "preheat": re.compile(r"预热(?:期间?|阶段|那几天)?|\b(?:pre ?heat|warm ?up)(?:ing)?(?: phase| period)?\b", re.A),
    "prepare": re.compile(r"准备期|筹备期|preparation (?:phase|period)", re.A),
    "review": re.compile(r"复盘期|返场期|review (?:phase|period)", re.A),
}
_OPENING = re.compile(r"开门红(?:期间?|阶段|这波)?|\bopening (?:sale|days?|period|phase)\b|\bopener\b", re.A)
_MAIN = re.compile(
    r"狂欢(?:日|期间?|节)|正式(?:售卖|开卖|大促)(?:期间?|阶段)?|爆发期|现货期|\bmain sale(?: phase| period)?\b", re.A
)
_BALANCE = re.compile(
    r"(?:付|交|补)?尾款(?:期间?|阶段|窗口|那[几\d三五]天)|\bbalance (?:window|period|phase|days)\b", re.A
)
_LAUNCH = re.compile(
    r"开卖|开售|开抢|\b(?:sales?|campaign|we) (?:opened|launched|started|kicked off|went live)\b|\b(?:launch|kick ?off|"
    r"go live)\b",
    re.A,
)
_CAMPAIGN = re.compile(
    r"(?:本次|这次|此次|整个|整场|今年)?(?:大促|活动|战役)(?:期间|全程|整体|全周期)?|\b(?:the )?(?:whole |entire )?campaign\b",
    re.A,
)
_LAST_CAMPAIGN = re.compile(r"上(?:一)?(?:个|次|场|届|波)(?:大促|活动)|\b(?:the )?(?:last|previous) campaign\b", re.A)
_GATE_NAME = 4  # characters: longer names are sentences
_WHOLE = re.compile(r"期间|全程|全周期|整个|整场|\bduring\b|\bwhole\b|\bentire\b", re.A)
_PEAK = re.compile(
    r"正日子|正日(?!常)|当天|当日|那(?:一)?天|\bpeak day\b|\bd day\b|\bday itself\b|\bon the day\b|\bday\b(?! (?:before|"
    r"after|by|over))",
    re.A,
)
_OWN_PEAK = re.compile(r"正日子|\bpeak day\b|\bd day\b", re.A)
# With a day of its own beside it the day counts: 会员日那天(6.9), 6月9日会员日.
_A_DAY = r"\d{1,2}(?:月|[./])\d{1,2}[日号]?"
_MEMBER_DAY = re.compile(rf"(?<![\d月][日号])会员日(?!(?:那天|当天|这天)?[ (（]?{_A_DAY})|member day")
# Several of them, of which one alone can be counted.
MEMBER_DAYS = re.compile(
    r"(?:(?:这|那|所有的?|全部的?)?(?:[二两三四五六几]|\d{1,2})个|每个?|各个?|历次|所有的?|全部的?)会员日|会员日(?=分别|各)"
    r"|\b(?:each|every|all|two|three|four|five|\d{1,2})(?: of)?(?: the)? member days?\b",
    re.A,
)
# 第一天, 头三天, 最后两天: behind what they are a part of; in English before it.
_PART = re.compile(
    rf"(?:的|里|中|当中)?(?:(?P<lead>第|头|前|最后|末)(?:的)?(?P<n>{COUNT})(?:个)?|(?P<edge>首|头|末))(?:天|日)|"
    rf"(?:的)?(?P<end>末日|收官日|收尾那天)"
)
_EN_PART = re.compile(
    rf"\b(?:the )?(?:(?P<side>first|last|opening|final) (?P<n>{EN_COUNT} )?days?|(?P<nth>second|third|fourth|fifth) day|"
    rf"day (?P<day>\d|one|two|three|four|five))"
    r" (?:of|in) (?:the )?(?:this )?$",
    re.A,
)
# The last day of a sale, where it is said of no other stretch: 最后一天怎么做, 去年618最后一天.
LAST_DAY = re.compile(r"最后(?:的)?[一1]?[天日](?!内|里)")
_BARE_PART = re.compile(rf"头({COUNT})天|\b(?:the )?first ({EN_COUNT}) days\b", re.A)


def in_campaign(text: str, f: Frame) -> Iterator[Stretch]:
    """Phases, waves and the peak day of this campaign or the one named; with 去年 of its earlier instance."""
    c = f.campaign
    if f.back and not f.named:
        c = earlier_same(c, f.campaigns) if c else None
    if c is None:
        return
    for m in _WAVE.finditer(text):
        found = _wave(m, c, f.today)
        if found:
            yield _of(m, *found, "wave")
    waves = _waves(text, c, f.today)
    for kind, pattern in _PHASE.items():
        for m in pattern.finditer(text):
            phase = _phase([p for p in c.phases if p.kind == kind], waves, f.today)
            if phase:
                yield _of(m, phase.first, phase.last, "phase")
    sales = [p for p in c.phases if p.kind == "sale"]
    for pattern, chosen in ((_OPENING, sales[:1]), (_MAIN, sales[-1:] if len(sales) > 1 else sales)):
        for m in pattern.finditer(text):
            if chosen:
                yield _of(m, chosen[0].first, chosen[0].last, "phase")
    for m in _BALANCE.finditer(text):
        if c.balance_windows:
            begun = [w for w in c.balance_windows if w[0] <= f.today] or list(c.balance_windows[:1])
            yield _of(m, *begun[-1], "phase")
    for m in _LAUNCH.finditer(text):
        phase = _phase(sales, waves, f.today)
        if phase:
            yield _of(m, phase.first, phase.last, "phase")
    for m in _MEMBER_DAY.finditer(text):
        past = [d for d in c.member_days if d <= f.today]
        if past:
            yield _of(m, past[-1], past[-1], "day")
    for named, first, last in _gates(c):
        for m in named.finditer(text):
            yield _of(m, first, last, "phase")
    for m in _LAST_CAMPAIGN.finditer(text):
        ended = [x for x in f.campaigns if x.last < f.today and not (c.first <= f.today <= c.last and x is c)]
        if ended:
            yield _of(m, ended[-1].first, ended[-1].last, "phase")
    for m in _CAMPAIGN.finditer(text):
        yield _of(m, c.first, c.last, "campaign")
    if c.peak_day:
        for m in (_PEAK if f.named else _OWN_PEAK).finditer(text):
            yield _of(m, c.peak_day, c.peak_day, "peak")


def _gates(c: Campaign) -> list[tuple[re.Pattern[str], date, date]]:
    """What begins at a gate and is no phase (品类日开始): its days up to the next gate."""
    out = []
    for i, gate in enumerate(c.gates):
        names = [
            re.sub(r"开始$| begins?$", "", n) for n in (gate.name.zh, gate.name.en) if re.search(r"开始$| begins?$", n)
        ]
        following = c.gates[i + 1].at.date() - timedelta(days=1) if i + 1 < len(c.gates) else c.last
        if names and len(names[0]) <= _GATE_NAME:
            pattern = "|".join(re.escape(n.lower()) for n in names)
            out.append((re.compile(pattern, re.A), gate.at.date(), max(gate.at.date(), following)))
    return out


def whole(stretch: Stretch, text: str) -> bool:
    """Whether the whole campaign is meant as a time (大促期间) and not as a thing (大促高潜人群)."""
    return bool(_WHOLE.search(text[stretch.start : stretch.end]))


def narrowed(stretches: list[Stretch], text: str, f: Frame) -> list[Stretch]:
    """预售第一天, 开门红头三天, the last two days of presale: the part instead of the whole."""
    out = []
    for s in stretches:
        behind, before = _PART.match(text, s.end), _EN_PART.search(text[: s.start])
        if s.kind in ("phase", "wave", "campaign", "month", "week") and s.days > 1 and (behind or before):
            whole_of = _sale_of(s, f) if s.kind == "campaign" else s
            if s.kind == "campaign" and behind and LAST_DAY.search(behind[0]):
                whole_of = replace(whole_of, last=_last_sold(f) or whole_of.last)
            first, last = _part(whole_of, behind, before)
            out.append(
                Stretch(first, last, before.start() if before else s.start, behind.end() if behind else s.end, "day")
            )
        else:
            out.append(s)
    last_day, sold = LAST_DAY.search(text), _last_sold(f)
    if last_day and sold and not any(s.start < last_day.end() and last_day.start() < s.end for s in out):
        at = [s for s in out if s.kind == "bare" and s.first.day == sold.day]  # 20号最后一天: the 20th of that sale
        out = [s for s in out if s not in at]
        out.append(Stretch(sold, sold, min([last_day.start(), *(s.start for s in at)]), last_day.end(), "peak"))
        return sorted(out, key=lambda s: s.start)
    if not out and f.campaign and (m := _BARE_PART.search(text)):
        phase = f.campaign.phase_at(f.today)
        if phase:  # 头三天 alone: of the phase we are in
            n = count(m[1] or m[2])
            out.append(
                Stretch(phase.first, min(phase.last, phase.first + timedelta(days=n - 1)), m.start(), m.end(), "phase")
            )
    return out


def _of(m: re.Match[str], first: date, last: date, kind: Kind) -> Stretch:
    return Stretch(first, last, m.start(), m.end(), kind)


def _wave(m: re.Match[str], c: Campaign, today: date) -> tuple[date, date] | None:
    waves = c.waves()
    if m[5] or m[6] or m[7] or m[8]:
        here = c.wave_at(min(today, c.last))
        if m[5] or m[6]:
            return here.first, here.last
        earlier = [w for w in waves if w.last < here.first]
        return (earlier[-1].first, earlier[-1].last) if earlier else None
    said = next(g for g in m.groups() if g)
    n = _NTH.get(said) or int(said[0])
    return (waves[n - 1].first, waves[n - 1].last) if n <= len(waves) else None


def _waves(text: str, c: Campaign, today: date) -> list[tuple[date, date]]:
    return [w for m in _WAVE.finditer(text) if (w := _wave(m, c, today))]


def _phase(kind: list[Phase], waves: list[tuple[date, date]], today: date) -> Phase | None:
    """Of several phases of a kind that of the wave named, else the latest that has begun, else the first."""
    inside = [p for p in kind if any(first <= p.first <= last for first, last in waves)] if waves else []
    some = inside or kind
    begun = [p for p in some if p.first <= today]
    return begun[-1] if begun else some[0] if some else None


def _sale_of(s: Stretch, f: Frame) -> Stretch:
    """A campaign's first day is the first on which things are sold: of the sale we are in, else of the first."""
    sales = [p for c in f.campaigns for p in c.phases if p.kind == "sale" and s.first <= p.first <= s.last]
    phase = _phase(sales, [], f.today)
    return replace(s, first=phase.first, last=phase.last) if phase else s


def _last_sold(f: Frame) -> date | None:
    """The last day on which the campaign named, or the one running, sells; none where neither is."""
    c = f.campaign
    if c is None or not (f.named or (c.first <= f.today <= c.last and not f.back)):
        return None
    return max((p.last for p in c.phases if p.kind == "sale"), default=None)


def _part(s: Stretch, behind: re.Match[str] | None, before: re.Match[str] | None) -> tuple[date, date]:
    if behind:
        n = count(behind["n"]) if behind["n"] else 1
        lead = "末" if behind["end"] else behind["lead"] or behind["edge"]
        from_end, nth = lead in ("最后", "末"), lead == "第"
        if lead == "前" and n == 1:  # 开门红前一天 is the day before it
            return s.first - timedelta(days=1), s.first - timedelta(days=1)
    else:
        assert before
        n = count((before["n"] or "one").strip())
        from_end, nth = before["side"] in ("last", "final"), False
        if before["nth"] or before["day"]:
            n = {"second": 2, "third": 3, "fourth": 4, "fifth": 5}.get(before["nth"] or "") or count(before["day"])
            nth = True
    if from_end:
        return max(s.first, s.last - timedelta(days=n - 1)), s.last
    day = min(s.last, s.first + timedelta(days=n - 1))
    return (day, day) if nth else (s.first, day)
