"""Counts and amounts that a question puts together: what somebody did with what is counted of it, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.understanding.acts import BUYING, TAKING, Said, acts, clauses, stage
from bot.understanding.lexicon import Match, Slot

_OF_ACT = ("people", "money", "average")
# Orders are counted; pieces are not, because order lines tell no quantity: what is nearest is asked back.
_NUMBERED: dict[str, tuple[Slot, str]] = {
    "orders": ("metric", "paid_orders"),
    "units": ("ambiguous_metric", "paid_orders,paid_amount"),
}
_LIST = re.compile(r"[、和跟与及,，/&+\s]*(?:以及|还有)?|\s*(?:,? ?and|&|/)\s*")
_LISTED = re.compile(r"\s*(?:[、和及&]|and)\s*")
_QUANTITY = re.compile(r"多少|几")
_SAME_PEOPLE = re.compile(r"(?:这些|那些|这批|那批)人|他们|她们|其中|这里面|这里头|\bthey\b|\bthem\b|\bthose\b", re.A)
_AFTERWARDS = re.compile(r"[,，;；]\s*(?:可|但|那|到)?(?:后来|最后|最终|到头来|结果)\S{0,6}$")  # of the same people
_STATED = re.compile(r"的?(?:也|都|还|倒|是)?(?:不少|挺多|很多|蛮多|没几个|没多少|不多)(?!吗|么|啊)")
_OTHERS_NOW = re.compile(r"现在|目前|当前|一共|总共|\bnow\b|in total", re.A)


@dataclass
class _Count:
    """An act with what is counted of it. `listed`: its people are one thing, and the measure another: 买家、金额."""

    act: Said
    measures: list[Said] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    listed: bool = False


def counts(
    text: str, said: Sequence[Said], matches: Sequence[Match], *, whole: bool, rated: Sequence[Match]
) -> tuple[list[Match], list[Said]]:
    """The counts and amounts asked for. `whole`: an act alone is asked about. `rated`: metrics that are named already."""
    all_counts: list[_Count] = []
    made: list[Match] = []
    used: list[Said] = []
    for part in clauses(text, said):
        if rated and _STATED.search(text[part[0].start : part[-1].end + 8]):
            used += part
            continue  # 加购的不少但付款的没几个，转化到底多少: what is told is not asked
        here = [c for c in _bound(text, part) if c.kinds or c.act.bound or c.act.match or not _near(text, c.act, rated)]
        if any(c.act.kind == "cart_buy" for c in all_counts) and _SAME_PEOPLE.search(text[: part[-1].end]):
            for c in here:
                c.act = replace(c.act, kind="cart_buy") if c.act.kind in BUYING else c.act
        if all_counts and all_counts[-1].act.kind == "cart":
            for c in here:
                if stage(c.act.kind) == "buy" and _AFTERWARDS.search(text[: c.act.start]):
                    c.act = replace(c.act, kind="cart_buy", match=None)
        measures = [s for s in part if not s.act and not any(s in c.measures for c in here)]
        if here:
            all_counts += here
        elif all_counts:
            crowd_now = any(m.value("crowd") for m in matches if part[0].start - 12 <= m.start <= part[-1].end)
            for s in measures:
                if s.kind in _OF_ACT and not (s.kind == "people" and crowd_now and _OTHERS_NOW.search(text)):
                    all_counts[-1].measures.append(s)
                    all_counts[-1].kinds.append(s.kind)
        else:
            money = [s for s in measures if s.kind in ("money", "average")]
            if money and not rated:
                key = "aov" if any(s.kind == "average" for s in money) else "paid_amount"
                made.append(
                    Match(money[0].start, money[0].end, text[money[0].start : money[0].end], (("metric", key),))
                )
                used += money
            numbered = [s for s in measures if s.kind in _NUMBERED]
            if numbered and not rated:
                first = numbered[0]
                made.append(Match(first.start, first.end, text[first.start : first.end], (_NUMBERED[first.kind],)))
                used += numbered
    clicked = any((m.value("metric") or "").startswith("touch_") for m in matches)
    clicked = clicked or any(c.act.kind in ("deliver", "click") for c in all_counts)
    all_counts = [c for c in all_counts if not (clicked and c.act.kind == "send" and not c.kinds)]
    asked = (
        whole
        or any(c.kinds or c.act.bound or _QUANTITY.search(text[c.act.start : c.act.end]) for c in all_counts)
        or any(s.kind in ("some", "quantity") for s in said)
    )
    for i, c in enumerate(all_counts):
        metrics = _metrics(text, c, all_counts[i + 1 :], asked=asked)
        made += [
            Match(c.act.start + j, c.act.end, text[c.act.start : c.act.end], ((slot, key),))
            for j, (slot, key) in enumerate(metrics)
        ]
        if metrics:
            used += [c.act, *c.measures]
    return made, used


def _near(text: str, act: Said, named: Sequence[Match]) -> bool:
    """Whether a metric is named in the same part of the sentence: in 买的人平均花多少 the average is asked for, not how many."""
    return any(len(list(clauses(text, [act, replace(act, start=m.start, end=m.end)]))) == 1 for m in named)


def _bound(text: str, part: Sequence[Said]) -> list[_Count]:
    """The acts of a clause, each with the measures nearest to it."""
    out = [_Count(s, kinds=[s.bound] if s.bound else []) for s in part if s.act and s.kind != "contribute"]
    if not out:
        return out
    for s in part:
        if s.act or s.kind in ("share", "part"):
            continue
        left = [c for c in out if c.act.end <= s.start]
        right = [c for c in out if c.act.start >= s.end]
        best = left[-1] if left else right[0]
        if left and right and s.kind in ("people", "quantity", "average", "money"):
            ahead, behind = text[s.end : right[0].act.start], text[left[-1].act.end : s.start]
            if len(ahead) < len(behind) or (len(ahead) == len(behind) and left[-1].kinds):
                best = right[0]
        if best.act.end <= s.start and _LISTED.fullmatch(text[best.act.end : s.start]) and best.act.kind not in TAKING:
            best.listed = True
            best.kinds.append("people")
        best.measures.append(s)
        best.kinds.append(best.act.bound if s.kind == "quantity" and best.act.bound else _kind(text, s, best.act))
    for c in out:
        if any(m.kind in ("people", "money") for m in c.measures):
            own = "people" if c.listed else c.act.bound
            c.kinds = [*filter(None, [own]), *(m.kind for m in c.measures if m.kind != "quantity")]
    first = next((c for c in out if "average" in c.kinds and c.act.kind in BUYING), None)
    if first is not None:
        of_average = [c for c in out if c is not first and c.act.kind in BUYING and "people" not in c.kinds]
        for c in of_average:
            first.measures += [c.act, *c.measures]
        out = [c for c in out if c not in of_average]
    return out


def _kind(text: str, measure: Said, act: Said) -> str:
    """多少 behind 付了 is money, before it people."""
    if measure.kind != "quantity":
        return measure.kind
    if act.kind in TAKING:
        return "money"
    if act.kind == "buy" and measure.start >= act.end:
        return "people" if "的" in text[act.end - 1 : measure.start] else "money"
    return "people"


def _metrics(text: str, count: _Count, later: Sequence[_Count], *, asked: bool) -> list[tuple[Slot, str]]:
    """The metrics of one act. Acts in a list share the measure at its end: 进店、加购、成交人数."""
    table = acts().counts.get(count.act.kind, {})
    kinds = [k for k in count.kinds if k in _OF_ACT or k in _NUMBERED]
    if not kinds and later and _LIST.fullmatch(text[count.act.end : later[0].act.start]):
        kinds = [k for k in later[0].kinds if k in table] or kinds
    numbered = [_NUMBERED[k] for k in kinds if k in _NUMBERED]
    if numbered and stage(count.act.kind) == "buy" and not {"people", "money"} & set(kinds):
        return numbered[:1]
    if "average" in kinds and "average" in table:
        kinds = ["average"]
    if count.act.kind == "send" and not count.kinds:
        return []  # 今天几点发短信: what is done, not how much of it
    keys = list(dict.fromkeys(table[k] for k in kinds if k in table))
    if not keys and "usual" in table and (asked or count.act.match is not None):
        keys = [table["usual"]]
    return [("ambiguous_metric" if "," in key else "metric", key) for key in keys]
