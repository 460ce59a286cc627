"""Conditions that a question puts on people in words: 消费满 500 的老客, 30 天内买过的会员, members who spent over 500.

A condition is taken only where the words say it of people and surely mean the filter (tools/filters.py); otherwise they stay in
the question and are reported as not used. An amount of some days (昨天消费满 500) is no filter: ours are of a year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from bot.understanding.condition_words import compiled, values
from bot.understanding.dates import find_period
from bot.understanding.goods import Condition, Doubt, touched
from bot.understanding.lexicon import Lexicon, Slot
from tools.campaigns import Campaign
from tools.filters import normal

# What makes the words before it an attribute of people.
_PEOPLE = re.compile(
    r"\s*的?\s*(?:人(?!均)|客(?!单)|会员|粉丝|用户|买家|顾客|老客|新客|非会员|vip)"
    r"|\s*的\s*(?:$|[,，。;；?？]|(?:一?共|还|大概|现在|目前)?有?多少|有?几[个位]|占|都|分别|怎么|咋|该|今天|昨天|按|呢|那|这"
    r"|给|发|剩|要|可以|能)"
    r"|\s*有(?:多少|几)[个位]?(?:人|会员|客)|\s*的?\s*(?:且|并且|而且|又|、|但|同时)"
)
_PEOPLE_BEFORE = re.compile(
    r"(?:人|客户?|会员|粉丝?|用户|买家|顾客|老客|新客)(?:里|中|当中|里面|里头)?"
    r"(?:的|那些|有)?\s*$"
)
_WHO_BEFORE = re.compile(
    r"\b(?:who|that|members?|customers?|people|buyers?|fans?|those|shoppers?|carters?|everyone|anyone|folks|and|or|but)"
    r"(?: (?:who|that|have|has|'ve|are|were))*\s*$",
    re.A,
)
_CARTED = re.compile(r"(?:加购|购物车|加车|加了购|收藏|定金|订金)[^,，。;；]{0,10}$")
_SAYS_WHO = re.compile(r"(?:who|that|which|whose|with)\b", re.A)
_TURNED = re.compile(
    r"(?:除了|除去|排除|剔除|刨去|不含|不包括|去掉|非|except(?: for)?|excluding|other than|apart from)"
    r"\s*(?:the |those |people )?$"
)
_NEAR = 40  # characters around a condition in which it is looked for what it is said of
_THIS_WAVE = ("本波", "这一波", "这波", "this wave")  # what the filters of items are about


# --- finding -----------------------------------------------------------------------------------------------------


def find_conditions(
    text: str, lexicon: Lexicon, now: datetime, campaigns: tuple[Campaign, ...], *, reply: bool
) -> tuple[list[Condition], Doubt | None]:
    """The conditions of a folded question, and an item that may be one of several. `reply`: the question follows another one,
    so that an item's title alone says which item was meant."""
    items = [x for x in touched(text, lexicon, reply=reply) if not _of_other_days(text, x.span[0], now, campaigns)]
    doubt = next((x for x in items if isinstance(x, Doubt)), None)
    found = [x for x in items if isinstance(x, Condition)]
    for condition in _numbers(text, lexicon):
        start, end = condition.span
        if any(start < c.span[1] and c.span[0] < end for c in found):
            continue
        if "amount" not in condition.filter or not _of_other_days(text, start, now, campaigns):
            found.append(condition)
    return sorted(found, key=lambda c: c.span), doubt


def _numbers(text: str, lexicon: Lexicon) -> Iterator[Condition]:
    for column, pattern in compiled():
        for m in pattern.finditer(text):
            if not _said_of_people(text, m, column, lexicon):
                continue
            turned = "not " if _TURNED.search(text[: m.start()]) else ""
            if column.startswith("not "):
                turned = "" if turned else "not "
            start = m.start()
            for name, value, end in values(column.removeprefix("not "), m):
                yield Condition(turned + normal(name, value), (start, end))
                start = end


def _said_of_people(text: str, m: re.Match[str], column: str, lexicon: Lexicon) -> bool:
    if m[0][:1].isascii() and m[0][:1].isalpha():
        return bool(_SAYS_WHO.match(m[0]) or _WHO_BEFORE.search(text[: m.start()]))
    if column.startswith("not ") and _CARTED.search(text[: m.start()]):
        return False  # 加购了三天没付的: the days are those of the cart
    # 老客半年没买了: what people did not do is said of whoever stands before it; what they did may be asked for
    # (老客近7天买了多少).
    before = column.startswith("not ") or column == "last_paid_before"
    return _of_people(text, m.end(), lexicon) or (before and bool(_PEOPLE_BEFORE.search(text[: m.start()])))


def _of_people(text: str, end: int, lexicon: Lexicon) -> bool:
    """Whether what ends at `end` is said of people: they are named next, or the question goes on about them."""
    if _PEOPLE.match(text, end):
        return True
    after = text[end:].lstrip().removeprefix("的").lstrip()[:_NEAR]
    people: tuple[Slot, ...] = ("crowd", "ambiguous_crowd", "filter")
    return any(m.start == 0 and any(m.value(slot) for slot in people) for m in lexicon.find(after))


def _of_other_days(text: str, start: int, now: datetime, campaigns: tuple[Campaign, ...]) -> bool:
    """昨天消费满 500: whether days are named right before, of which our filters know nothing."""
    near = text[max(0, start - _NEAR) : start]
    period = find_period(near, now, campaigns)
    before = [near[b:e] for b, e in period.spans if not near[e:].strip(" 里内中在的共，,")] if period else []
    return any(word not in _THIS_WAVE for word in before)
