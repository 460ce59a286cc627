"""What stands in a question by itself: the known words and days, the slots they fill, and the words nobody took up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import prompts
from bot.answer import Interpretation
from bot.understanding import goods
from bot.understanding.campaign_time import LAST_DAY
from bot.understanding.comparing import Compared, find_comparison
from bot.understanding.conditions import find_conditions
from bot.understanding.dates import LAST_YEAR, Period, as_days, find_period
from bot.understanding.drafting import DraftWish, read_wish, wants_draft
from bot.understanding.followups import without_denied
from bot.understanding.goods import Condition, Doubt
from bot.understanding.lexicon import Lexicon, Match, blanked, fold
from bot.understanding.measures import counted
from bot.understanding.people import overlooked
from bot.understanding.shorthand import written_out
from bot.understanding.slips import mended
from bot.understanding.slots import Slots, settled
from tools.campaigns import Campaign, campaign_for, earlier_same

MAX_LENGTH = 1000
WORDS = re.compile(r"[\u4e00-\u9fffa-z0-9.%']+")
# A statement in SQL or markup is no question to a colleague; nothing in it is looked up.
_CODE = re.compile(
    r"\b(?:select|insert|update|delete|drop|alter|union)\b.*\b(?:from|into|table|set)\b|<\s*/?\s*[a-z!]",
    re.DOTALL | re.A,
)
# How an option that was asked back is computed stands behind its name and is no part of it.
_FORMULA = re.compile(r"[（(][^（）()]*(?:÷| / )[^（）()]*[)）]$")
_I_MEAN = re.compile(r"\bi mean(?:t)?\b(?! (?:order|basket))", re.A)  # no, i mean yesterday: no mean is asked for
# Slots whose words may hold a word of time that is no period (和昨天比, 历史预售).
_NAMES = ("crowd", "metric", "compare", "by", "ambiguous_crowd", "ambiguous_metric")
_WHO = ("谁", "哪个", "who", "which")
_RATIO_BEFORE = re.compile(r"[占对环同付购分]比$")
_EACH = re.compile(r"各|分别|哪个|哪种|谁|比|\b(?:each|which|vs|versus|compare|respectively)\b", re.A)


@dataclass(frozen=True)
class Read:
    """What stands in a question by itself: its folded text, the known words and days in it, the slots they fill."""

    text: str
    slots: Slots
    days: Sequence[tuple[int, int]]
    filled: Interpretation
    wish: DraftWish | None
    doubt: Doubt | None
    named: Campaign | None
    left: Sequence[tuple[int, int]]
    compared: Compared | None
    denied: bool
    conditions: Sequence[Condition]


def read(
    question: str,
    previous: Interpretation | None,
    lexicon: Lexicon,
    now: datetime,
    campaigns: tuple[Campaign, ...],
    lang: str,
) -> Read | None:
    """None for code and markup, in which nothing is looked up."""
    text = _FORMULA.sub("", fold(question)[:MAX_LENGTH])
    if _CODE.search(text):
        return None
    text = mended(written_out(text), lexicon)
    text, denied = without_denied(text) if previous is not None else (text, False)
    text = _I_MEAN.sub(lambda m: " " * len(m[0]), text)
    # 最后一天未付款: a day, and not how recently
    free = blanked(text, [m.span() for m in LAST_DAY.finditer(text)], "\0")
    conditions, doubt = find_conditions(free, lexicon, now, campaigns, reply=previous is not None)
    text = blanked(text, [c.span for c in conditions] + ([doubt.span] if doubt else []))
    found = _found(text, lexicon)
    wish = None
    if wants_draft(text, found, previous):
        wish, text = read_wish(question, text, found)
        found = _found(text, lexicon)
    else:
        named_goods = list(goods.subjects(text, lexicon, [(m.start, m.end) for m in found]))
        conditions += [x for x in named_goods if isinstance(x, Condition)]
        doubt = doubt or next((x for x in named_goods if isinstance(x, Doubt)), None)
        if named_goods:
            text = blanked(text, [x.span for x in named_goods])
            found = _found(text, lexicon)
    text, compared = _without_comparison(text, found, now, campaigns)
    found = _found(text, lexicon) if compared else found
    named, missing = _named_campaign(found, text, now, campaigns)
    names = [(m.start, m.end) for m in found if _names_something(m)]
    period = find_period(blanked(text, names, "\0"), now, campaigns, named)
    days = period.spans if period else ()
    matches = [*_found(text, lexicon, days), *([compared.as_match()] if compared else [])]
    slots = Slots(counted(settled(matches, period is not None or compared is not None), text, days), text)
    if period is None and slots.has("phase"):
        period = _of_phase(slots.first("phase") or "", named or campaign_for(now.date(), campaigns), now)

    compare, unsupported = _comparison(slots, now, campaigns)
    several = wish is None and len(slots.all("channel")) > 1 and bool(_EACH.search(text))  # 短信、群各发了多少
    filled = Interpretation(
        intent="unsupported",
        crowds=slots.crowds,
        metrics=slots.metrics,
        period=as_days(period.first, period.last) if period else None,
        channel=None if several else slots.channel,
        compare=compare,
        by=_split_by(slots) or ("channel" if several else None),
        filters=[*slots.filters, *dict.fromkeys(c.filter for c in conditions)],
        assumed=[*([prompts.text("when.no_campaign", lang)] if missing else []), *_touched(conditions, lang)],
        unused=[*unsupported, *_unused(text, slots.matches, days)],
    )
    left = period.left if period else ()
    return Read(text, slots, days, filled, wish, doubt, named, left, compared, denied, conditions)


def _without_comparison(
    text: str, found: Sequence[Match], now: datetime, campaigns: tuple[Campaign, ...]
) -> tuple[str, Compared | None]:
    """(the text without the words of a comparison that the list of fixed names does not have, that comparison)."""
    compared = find_comparison(text, now, campaigns)
    fixed = [(m.start, m.end) for m in found if m.value("compare")]
    if compared is None or compared.value is None:
        compared = find_comparison(blanked(text, fixed, "\0"), now, campaigns)
    return (blanked(text, compared.spans), compared) if compared else (text, None)


def _named_campaign(
    matches: Sequence[Match], text: str, now: datetime, campaigns: tuple[Campaign, ...]
) -> tuple[Campaign | None, bool]:
    """(the dated campaign that the question names, whether it names one that the shop does not have).

    A year given wins (2025年618, 去年双11); else the instance that today is in, the latest that began, the next one. Named only
    to compare with, it is no subject.
    """
    key = next((v for m in matches if (v := m.value("campaign")) and not m.value("compare")), None)
    if key is None:
        return None, False
    mine = [c for c in campaigns if c.key == key]
    year = next((int(y) for y in re.findall(r"(?<!\d)20\d\d(?!\d)", text)), None)
    if year is None:
        text = blanked(text, [(m.start, m.end) for m in matches if m.value("compare")], "\0")  # 618卖了多少,去年同期呢
        year = now.year - 1 if LAST_YEAR.search(text) else now.year - 2 if "前年" in text else None
    if year is not None:
        dated = next((c for c in mine if c.year == year), None)
        return dated, dated is None
    begun = [c for c in mine if c.first <= now.date()]
    return (begun[-1] if begun else mine[0] if mine else None), not mine


def _comparison(slots: Slots, now: datetime, campaigns: tuple[Campaign, ...]) -> tuple[str | None, list[str]]:
    """(the comparison asked for, words of comparisons that are not computed)."""
    value = slots.first("compare")
    if value in ("unsupported", "day_before", "week_before", "week_over_week"):
        return None, []  # told by relative_compare, once the days asked about are known
    if value != "earlier_campaign":
        return value, []
    here = campaign_for(now.date(), campaigns)
    earlier = earlier_same(here, campaigns) if here else None
    return (f"campaign:{earlier.key}:{earlier.year}", []) if earlier else (None, [slots.match("compare").text])


def _of_phase(key: str, campaign: Campaign | None, now: datetime) -> Period | None:
    phase = next((p for p in campaign.phases if p.key == key), None) if campaign else None
    if phase is None:
        return None
    last = min(phase.last, now.date()) if phase.first <= now.date() else phase.last
    return Period(phase.first, last, ())


def _found(text: str, lexicon: Lexicon, days: Sequence[tuple[int, int]] = ()) -> list[Match]:
    """The known words; in 占比昨天 nothing is compared."""
    return [
        m for m in lexicon.find(text, days) if not (m.value("compare") and _RATIO_BEFORE.search(text[: m.start + 1]))
    ]


def _names_something(match: Match) -> bool:
    return any(slot in _NAMES for slot, _ in match.meanings)


def _split_by(slots: Slots) -> str | None:
    """北京和上海谁卖得多: who of those named, and not which item."""
    by = slots.first("by")
    values = [f for f in slots.filters if not f.startswith("not ")]
    asked = slots.match("by").text if by else ""
    return None if len(values) > 1 and asked in _WHO else by


def _touched(conditions: Sequence[Condition], lang: str) -> list[str]:
    """What being in touch with an item means, where the question says more (买过面霜)."""
    return [prompts.text("filter.near", lang, said=c.near) for c in conditions if c.near]


def _unused(text: str, matches: Sequence[Match], spans: Sequence[tuple[int, int]]) -> list[str]:
    """Words that no rule took up: a reader sees at once what was not understood."""
    rest = blanked(text, [*((m.start, m.end) for m in matches), *spans])
    trimmed = (w.strip(".'") for w in WORDS.findall(rest))
    left = [w for w in trimmed if len(w) > 1 or w.isdigit()]
    return list(dict.fromkeys([*left, *overlooked(matches, text, spans)]))
