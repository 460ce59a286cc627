"""Conditions that a question puts on people in words: 消费满 500 的老客, 30 天内买过的会员, members who spent over 500.

A condition is taken only where the words say it of people and surely mean the filter (tools/filters.py); otherwise they stay in
the question and are reported as not used. An amount of some days (昨天消费满 500) is no filter: ours are of a year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from bot.understanding.dates import find_period, number
from bot.understanding.lexicon import Lexicon, Slot
from tools.campaigns import Campaign
from tools.filters import normal

_SHOWN = 5
_CN = "一二两三四五六七八九十"
_FILLED = r"[^\s,，。;；、!！?？:：]"


@dataclass(frozen=True)
class Condition:
    """`filter` as expressions carry it, with `not ` before one turned round; `span` in the folded question. `near`: the words
    said of an item where they say more than being in touch with it (买过面霜)."""

    filter: str
    span: tuple[int, int]
    near: str | None = None


@dataclass(frozen=True)
class Doubt:
    """`word` is a part of the titles of several items."""

    word: str
    titles: tuple[str, ...]
    span: tuple[int, int]


# --- words -------------------------------------------------------------------------------------------------------

_AMOUNT = r"[¥￥$€£]?\s*(?P<n>\d{1,9}(?:\.\d{1,2})?)\s*(?P<big>万|千|k\b)?\s*(?:元|块钱|块|yuan\b|rmb\b|cny\b)?"
# 3 件, 2 次 and 5% are no money; 500 到 1000 is a span of its own.
_NO_MONEY = r"(?!\s*(?:[\d.,%折倍件次单个天款人年月周日万千]|times?\b|orders?\b|items?\b|days?\b))"
_YEAR = r"(?:(?:近|最近|过去)?(?:一|1)年(?:内|里|来)?|(?:近|最近|过去)365天(?:内|里)?)?"
_SPENT = (
    rf"{_YEAR}(?:累计|一共|总共|共)?(?:消费|实付|付款|支付|花费|花|购买|买)(?:总?金额|总?额|满?钱)?(?:了|过)?(?:累计)?"
)
_WHO = r"\b(?:who|that)(?: have| has|'ve)? (?:spent|paid)(?: a total of)?"
_A_YEAR = r"(?: (?:with)?in (?:the )?(?:last|past) year)?"
_MIN = (
    rf"{_SPENT}(?:满|超过|超|大于|多于|高于|达到|达|不少于|不低于|至少|>=|>|≥)\s*{_AMOUNT}(?:及?以上)?{_NO_MONEY}",
    rf"{_SPENT}\s*{_AMOUNT}(?:及?以上|起){_NO_MONEY}",
    rf"{_WHO} (?:at least|over|more than|above|>=|>) ?{_AMOUNT}(?: or more)?{_NO_MONEY}{_A_YEAR}",
    rf"{_WHO} {_AMOUNT}(?: or more| and more|\+){_NO_MONEY}{_A_YEAR}",
)
_MAX = (
    rf"{_SPENT}(?:不到|低于|少于|小于|不超过|不足|最多|<=|<|≤)\s*{_AMOUNT}{_NO_MONEY}",
    rf"{_SPENT}\s*{_AMOUNT}(?:以下|以内|之内){_NO_MONEY}",
    rf"{_WHO} (?:at most|under|less than|below|no more than|up to|<=|<) ?{_AMOUNT}{_NO_MONEY}{_A_YEAR}",
    rf"{_WHO} {_AMOUNT}(?: or less| at most){_NO_MONEY}{_A_YEAR}",
)

_SPAN = rf"(?P<n>\d{{1,4}}|[{_CN}]{{1,3}}|半)(?P<ge>个)?(?P<u>天|日|周|星期|礼拜|月|年)"
_LATELY = r"(?P<lately>最近|近|过去|这)?"
_INSIDE = r"(?P<inside>以内|之内|内|里|以来|来)?"
_PAY = r"(?:买|购买|付款|付钱|付|下单|下|成交|消费|支付)"
_EN_SPAN = r"(?:the )?(?:last |past )?(?P<n>\d{1,4}) (?P<u>day|week|month|year)s?\b"
_WHO_DID = r"\b(?:who|that)(?: have| has|'ve)?"
_BUY = r"(?:paid|bought|purchased|ordered)(?: (?:something|anything|from us))?"
_PAID_WITHIN = (
    rf"{_LATELY}{_SPAN}{_INSIDE}(?:有)?{_PAY}(?:过|了)(?:款|钱|单|东西|商品)?",
    rf"{_LATELY}{_SPAN}{_INSIDE}(?:有)?(?:成交|购买|下单|消费|付款|订单|支付)(?=的)",
    rf"{_WHO_DID} {_BUY} (?:with)?in {_EN_SPAN}",
)
_SEEN_WITHIN = (
    rf"{_LATELY}{_SPAN}{_INSIDE}(?:来过|到过店|来过店|活跃过|浏览过|访问过|逛过|活跃|来访|有行为|有互动)(?:我们)?(?:店铺|店里|店|家)?",
    rf"{_WHO_DID}(?: been)? (?:seen|active|around) (?:with)?in {_EN_SPAN}",
    rf"\b(?:seen|active) (?:with)?in {_EN_SPAN}",
)
_AGO = r"(?:已经|超过|有)?"
_STILL = r"(?:都|还|也|从)*"
_NOT = r"(?:没有|没|未|不曾)"
_NOT_PAID = (
    rf"{_LATELY}{_AGO}{_SPAN}(?:以上|多)?{_INSIDE}{_STILL}{_NOT}{_PAY}(?:过)?(?:款|钱|单|东西|商品)?",
    rf"{_WHO_DID} ?(?:not|n't|haven't|hasn't|havent|didn't|did not) (?:pay|buy|order|purchase|{_BUY})(?: anything)?"
    rf" (?:with)?(?:in|for) {_EN_SPAN}",
)
_NOT_SEEN = (
    rf"{_LATELY}{_AGO}{_SPAN}(?:以上|多)?{_INSIDE}{_STILL}{_NOT}(?:来过?店|来过|来|到过?店|进过?店|浏览过?|访问过?|逛过|活跃过?)(?:了)?",
    rf"{_WHO_DID} ?(?:not|haven't|hasn't|havent)(?: been)? (?:seen|active|around) (?:with)?(?:in|for) {_EN_SPAN}",
)
_LAST_PAID = (
    rf"{_LATELY}{_AGO}{_SPAN}(?:以上|多)?{_INSIDE}{_STILL}{_NOT}(?:再|继续)(?:来)?{_PAY}(?:过)?(?:款|钱|单|东西|商品)?",
    rf"{_AGO}{_SPAN}(?:以上|多)?{_INSIDE}{_STILL}{_NOT}(?:复购|回购)(?:过)?",
    rf"(?:最后|上)(?:一)?次(?:付款|购买|下单|消费|成交)(?:时间)?(?:距今|在|是)?(?:已)?(?:超过)?{_SPAN}(?:之前|以前|前|以上)",
    r"\blast (?:paid|bought|ordered|purchased) (?:over|more than) (?P<n>\d{1,4}) (?P<u>day|week|month|year)s? ago",
    r"\b(?:whose )?last (?:order|purchase|payment) (?:was|is) (?:over|more than) (?P<n>\d{1,4}) (?P<u>day|week|month|year)s? ago",
)
_DAYS = {
    "天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "年": 365, "day": 1, "week": 7, "month": 30, "year": 365,
}  # fmt: skip
_HALF = {"年": 180, "月": 15}
_MOST_DAYS = 3650

_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("min_amount", _MIN),
    ("max_amount", _MAX),
    ("last_paid_before", _LAST_PAID),
    ("not last_paid_within", _NOT_PAID),
    ("not last_seen_within", _NOT_SEEN),
    ("last_paid_within", _PAID_WITHIN),
    ("last_seen_within", _SEEN_WITHIN),
)
# What makes the words before it an attribute of people.
_PEOPLE = re.compile(
    r"\s*的?\s*(?:人(?!均)|客(?!单)|会员|粉丝|用户|买家|顾客|老客|新客|非会员|vip)"
    r"|\s*的\s*(?:$|[,，。;；?？]|(?:一?共|还)?有?多少|有几|占|都|分别|怎么|该|今天|昨天|按|呢)|\s*有(?:多少|几)个?(?:人|会员|客)"
    r"|\s*(?:且|并且|而且|又|、)"
)
_TURNED = re.compile(
    r"(?:除了|排除|不含|不包括|去掉|非|except(?: for)?|excluding|other than)\s*(?:the |those |people )?$"
)

_TOUCHED = r"买过|购买过|买了|下单过|看过|浏览过|逛过|加购过|加购了|收藏过|收藏了|接触过|关注过|喜欢|想买|看中|对"
_LONGEST = 40
_ABOUT_ITEM = re.compile(rf"(?P<verb>{_TOUCHED})(?P<what>{_FILLED}{{2,{_LONGEST}}}?)的")
_AROUND = re.compile(
    r"^(?:商品|这款|那款|类目|品类|我们的|[「《\"' ])+|(?:感兴趣|有兴趣|这款|那款|类目|品类|系列|[」》\"' ])+$"
)
_ABOUT_ITEM_EN = re.compile(
    rf"{_WHO_DID} (?P<verb>bought|purchased|ordered|carted|viewed|saw|looked at|favou?rited|saved|been in touch with)"
    r"(?: the| our)? "
)
_PLAIN = ("接触过", "been in touch with")
_THIS_WAVE = ("本波", "这一波", "这波", "this wave")  # what the filters of items are about


@cache
def _compiled() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((column, re.compile(p)) for column, patterns in _RULES for p in patterns)


# --- finding -----------------------------------------------------------------------------------------------------


def find_conditions(
    text: str, lexicon: Lexicon, now: datetime, campaigns: tuple[Campaign, ...], *, reply: bool
) -> tuple[list[Condition], Doubt | None]:
    """The conditions of a folded question, and an item that may be one of several. `reply`: the question follows another one,
    so that an item's title alone says which item was meant."""
    items = [x for x in _items(text, lexicon, reply=reply) if not _of_other_days(text, x.span[0], now, campaigns)]
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
    for column, pattern in _compiled():
        for m in pattern.finditer(text):
            value = _value(column, m)
            said_of_people = pattern.pattern.startswith(r"\b")  # who …
            if value is None or not (said_of_people or _of_people(text, m.end(), lexicon)):
                continue
            turned = "not " if _TURNED.search(text[: m.start()]) else ""
            if column.startswith("not "):
                turned = "" if turned else "not "
            yield Condition(turned + normal(column.removeprefix("not "), value), m.span())


def _value(column: str, m: re.Match[str]) -> str | None:
    """The filter's value; None when the words name no span or amount after all."""
    if column.endswith("amount"):
        times = {"万": 10_000, "千": 1_000, "k": 1_000}.get(m["big"] or "", 1)
        return f"{float(m['n']) * times:.2f}"
    groups = m.groupdict()
    days = _HALF.get(m["u"]) if groups.get("n") == "半" else number(m["n"]) * _DAYS[m["u"]]
    if days is None or not 1 <= days <= _MOST_DAYS or (m["u"] == "月" and not groups.get("ge") and m["n"] != "半"):
        return None  # 6 月 is a month of the year
    if m["u"] == "日" and not (groups.get("lately") or groups.get("inside")):
        return None  # 6 日 is a day of the month
    return str(days)


def _of_people(text: str, end: int, lexicon: Lexicon) -> bool:
    """Whether what ends at `end` is said of people: they are named next, or the question goes on about them."""
    if _PEOPLE.match(text, end):
        return True
    after = len(text) - len(text[end:].lstrip().removeprefix("的").lstrip())
    people: tuple[Slot, ...] = ("crowd", "ambiguous_crowd", "filter")
    return any(m.start == after and any(m.value(slot) for slot in people) for m in lexicon.find(text))


def _of_other_days(text: str, start: int, now: datetime, campaigns: tuple[Campaign, ...]) -> bool:
    """昨天消费满 500: whether days are named right before, of which our filters know nothing."""
    period = find_period(text[:start], now, campaigns)
    before = [text[b:e] for b, e in period.spans if not text[e:start].strip(" 里内中在的共，,")] if period else []
    return any(word not in _THIS_WAVE for word in before)


def _items(text: str, lexicon: Lexicon, *, reply: bool) -> Iterator[Condition | Doubt]:
    """Items and categories that people are said to have been in touch with."""
    if reply and (named := lexicon.goods.get(text.strip(" 的呢。.?？!！"))):
        yield Condition(normal(*named), (0, len(text)))
        return
    for m in _ABOUT_ITEM.finditer(text):
        for end in _ends(text, m):
            goods = _goods(text[m.start("what") : end], lexicon)
            if goods is None:
                continue
            near = None if m["verb"] in _PLAIN else text[m.start() : end]
            span = (m.start(), end)
            yield Condition(goods, span, near) if isinstance(goods, str) else Doubt(*goods, span)
            break
    for m in _ABOUT_ITEM_EN.finditer(text):
        known = [title for title in lexicon.goods if text.startswith(title, m.end())]
        if known:
            title = max(known, key=len)
            near = None if m["verb"] in _PLAIN else text[m.start("verb") : m.end() + len(title)]
            yield Condition(normal(*lexicon.goods[title]), (m.start(), m.end() + len(title)), near)


def _ends(text: str, m: re.Match[str]) -> Iterator[int]:
    """Where the name of an item may end: before each 的 that follows (a title may hold one), the nearest first."""
    at = m.end() - 1
    while at != -1 and at - m.start("what") <= _LONGEST:
        yield at
        at = text.find("的", at + 1)


def _goods(said: str, lexicon: Lexicon) -> str | tuple[str, tuple[str, ...]] | None:
    """The filter of a category or an item so called or of the one item with such a title, the titles where several fit."""
    word = _AROUND.sub("", said)
    if len(word) < 2:
        return None
    if named := lexicon.goods.get(word):
        return normal(*named)
    fitting = [title for known, (column, title) in lexicon.goods.items() if column == "item" and word in known]
    if len(fitting) == 1:
        return normal("item", fitting[0])
    return (word, tuple(fitting[:_SHOWN])) if fitting else None
