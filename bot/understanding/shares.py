"""Ratios that a question puts together: of those who did the first, who did the second; a crowd's share of the sales."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from bot.understanding.acts import TAKING, Said, acts, clauses, match_at, stage
from bot.understanding.lexicon import Match, Slot

_ORDER = ("send", "deliver", "click", "visit", "cart", "deposit", "balance", "buy", "refund")
_SHARE = ("share", "part")
# Those who did the first, and how many of them did the second: 看了的人里有多少加购的, 加购的人最后付了多少.
_AMONG = re.compile(
    r"的?(?:那?些|这些)?(?:人|客人|顾客|客户|用户|买家|访客)?(?:里面|里头|当中|之中|其中|里|中)"
    r"[,，]?(?:最后|最终|后来|到底|真正?|又|大概|一共|总共)*(?:有)?"
    r"|的?(?:那?些|这些)?(?:人|客人|顾客|客户|用户|买家|访客)?[,，]?(?:最后|最终|后来|到头来|真正?|到底)(?:有)?(?:又|真)?"
    r"|的有"
)
_OF_THOSE = re.compile(
    r"\b(?:how many|what|which|number|some|many) of (?:all )?(?:the|those|our|them|these)?"
    r" ?(?:people|ones|shoppers|customers|folks|guys)?"
    r" ?(?:who|that)?(?: have| had| has| actually)? ?$",
    re.A,
)
_THAT_ONE = re.compile(r"的?(?:那|这)(?:个|种|一种|一个)(?:率|转化)?(?!人|客|会员)")
_LISTED = re.compile(r"\s*(?:[、和跟/及]|and|&|,)\s*")
_OUT_OF = re.compile(
    r"\b(?:out of|of|among|amongst)(?: all)? (?:the|those|our|these)? ?(?:people|ones|shoppers|customers|folks|guys)?"
    r" ?(?:who|that)?(?: have| had| has| actually)? ?$",
    re.A,
)
_MONEY = re.compile(
    r"(?:成交|销售|支付|消费)?(?:总?金额|总?额)|全店|大盘|盘子|生意|的钱|\bmoney\b|\bshop's total\b", re.A
)
_CONVERSION = re.compile(r"转化|conversion")
_CONVERTED = {"visit": "visit_pay_rate", "cart": "cart_pay_rate", "deposit": "visit_deposit_rate,deposit_balance_rate"}
_STEP = re.compile(r"\s*(?:到|至|→|->|-|—|=>|往|转|去|到了?最后)\s*|\s*(?:to|into|through to)\s*")


def ratios(
    text: str, said: Sequence[Said], matches: Sequence[Match], named: Sequence[Match]
) -> tuple[list[Match], list[Said]]:
    """The ratios asked for, and what they are made of."""
    made: list[Match] = []
    used: list[Said] = []
    before: list[Said] = []
    for part in clauses(text, said):
        did = [s for s in part if s.act]
        share = next((s for s in part if s.kind in _SHARE), None)
        if share is not None and not did and named:
            used.append(share)  # the conversion from visit to pay: a word more for what has a name
        elif share is not None and (did or share.end - share.start > 1):
            if len(did) > 1 and _listed(text, did, share):
                made += [match_at(text, s, (("metric", acts().single_rates[s.kind]),)) for s in did]
                used += [*did, share]
                continue
            chain = did if len(_stages(did)) > 1 else [*before[-1:], *did]
            ratio = _ratio(chain, share, matches, text)
            if ratio:
                made.append(match_at(text, chain[0] if chain else share, ratio))
                used += [*chain, share, *(s for s in part if s.kind in (*_SHARE, "quantity", "contribute", "some"))]
                used += [s for s in part if s.kind == "money" and ratio[0][1] == "amount_share"]
        before += did
    sent = [s for s in before if s.kind in ("send", "click")]
    bought = [s for s in before if stage(s.kind) == "buy" and s.bound != "money"]
    if not made and sent and bought and not any(s.kind == "money" for s in said):
        made.append(match_at(text, sent[0], (("metric", "touch_conversion_rate"),)))
        used += [*sent, *bought, *(s for s in said if s.kind in ("people", "quantity", "some"))]
    if not made:
        for first, second in pairwise([s for s in said if s.act]):
            between = [s for s in said if first.end <= s.start < second.start and not s.act]
            key = _rate(first.kind, second.kind)
            if key and [s.kind for s in between] == ["people"] and _OUT_OF.search(text[: first.start]):
                made.append(match_at(text, first, (("metric", key),)))
                used += [first, *between, second]
                break
            if (
                key
                and _OF_THOSE.search(text[: first.start])
                and not re.search(r"[,，;.]", text[first.end : second.start])
            ):
                made.append(match_at(text, first, (("metric", key),)))
                used += [first, second, *between, *(s for s in said if s.end <= first.start and s.kind == "people")]
                break
            if key and [s.kind for s in between] == ["people"] and _AMONG.fullmatch(text[first.end : between[0].start]):
                both = "cart_buyers" if key == "cart_pay_rate" else acts().counts[second.kind]["people"]
                made.append(match_at(text, first, (("metric", both),)))
                used += [first, *between, second]
                break
            if key and _partitive(text, said, first, second, between):
                made.append(match_at(text, first, (("metric", key),)))
                after = [s for s in said if s.start >= second.end and s.kind == "quantity"][:1]
                used += [first, second, *between, *after]
                break
    return made, used


def _listed(text: str, did: Sequence[Said], share: Said) -> bool:
    """送达和点击率, delivery and click rates: each has its own."""
    gaps = (text[a.end : b.start] for a, b in pairwise(did))
    known = all(s.kind in acts().single_rates for s in did)
    return known and share.start - did[-1].end in (0, 1) and all(map(_LISTED.fullmatch, gaps))


def _stages(did: Sequence[Said]) -> list[str]:
    return sorted({stage(s.kind) for s in did if stage(s.kind) in _ORDER}, key=_ORDER.index)


def _rate(first: str, second: str) -> str | None:
    return acts().rates.get(stage(first), {}).get(stage(second))


def _ratio(
    chain: Sequence[Said], share: Said, matches: Sequence[Match], text: str
) -> tuple[tuple[Slot, str], ...] | None:
    """What a share of what was done is called; None where no metric is that share."""
    stages = _stages(chain)
    for i, first in enumerate(stages):
        for second in reversed(stages[i + 1 :]):
            if key := acts().rates.get(first, {}).get(second):
                return (("metric", key),)
    people = [m for m in matches if m.value("crowd") or m.value("filter") or m.value("by")]
    kinds = [s.kind for s in chain]
    taking = any(s.kind in (*TAKING, "contribute") or s.bound == "money" for s in chain)
    money = (taking or bool(_MONEY.search(text))) and set(kinds) <= {*TAKING, "contribute"}
    if (
        people
        and kinds == ["deal"]
        and not chain[0].bound
        and share.kind == "share"
        and people[0].start < share.start < chain[0].start
    ):
        return (("metric", "conversion_rate"),)  # 会员有几成成交了
    known = acts().single_rates
    special = next((known[k] for k in kinds if k in ("cart_buy", "coupon", "refund", "repeat")), None)
    if special:
        return (("metric", special),)
    if people and money:
        return (("metric", "amount_share"),)
    if _CONVERSION.search(text[share.start : share.end]):
        if any(m.value("channel") for m in matches) and set(kinds) <= {"send"}:
            return (("metric", "touch_conversion_rate"),)
        converted = _CONVERTED.get(kinds[-1]) if kinds else None
        return None if converted is None else (("ambiguous_metric" if "," in converted else "metric", converted),)
    composition = share.kind == "part" or _composed(text, share, matches)
    if not kinds or (composition and stage(kinds[-1]) in ("visit", "buy")):
        return None
    if stage(kinds[-1]) == "buy":
        if people:
            return (("metric", "conversion_rate"),)
        return (("ambiguous_metric", "visit_pay_rate,conversion_rate"),)
    return (("metric", known[kinds[-1]]),) if kinds[-1] in known else None


def _composed(text: str, share: Said, matches: Sequence[Match]) -> bool:
    """What share of buyers are members: of whom a crowd consists, which no ratio of ours says."""
    after = text[share.end :]
    return (
        text[share.start : share.end].isascii()
        and after.startswith(" ")
        and not any(m.value("crowd") and m.start - share.end <= 5 for m in matches if m.start >= share.end)
    )


def _partitive(text: str, said: Sequence[Said], first: Said, second: Said, between: Sequence[Said]) -> bool:
    """Whether `first` is whom a part is taken of, without a word for the share itself."""
    if any(s.kind in ("people", "money", "average") for s in between):
        return False
    gap = text[first.end : second.start]
    if not between and _THAT_ONE.match(text, second.end) and (_STEP.fullmatch(gap) or _AMONG.fullmatch(gap)):
        return gap != "的有"
    after = next((s for s in said if s.start >= second.end), None)
    if _STEP.fullmatch(gap):
        return after is not None and after.kind in ("share", "some", "quantity")
    asked = [s for s in between if s.kind == "quantity"]
    if len(asked) == 1:
        return bool(_AMONG.fullmatch(text[first.end : asked[0].start])) and asked[0].end == second.start
    follows = after is not None and after.kind == "quantity" and text[second.end : after.start] in ("", "的", "的有")
    return follows and not between and bool(_AMONG.fullmatch(gap)) and gap != "的有"
