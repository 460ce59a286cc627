"""Metrics that a question puts together in its own words: 几个人掏钱了, 加购的人最后付了几成, what fraction of visitors paid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.understanding.acts import Said, act_inside, acts, find_acts, joining, match_at, measure_of
from bot.understanding.counts import counts
from bot.understanding.lexicon import Match, Slot, blanked
from bot.understanding.shares import ratios
from knowledge import catalog

# An act inside of these is a part of the name.
_NAMES: tuple[Slot, ...] = ("crowd", "ambiguous_crowd", "filter", "compare", "campaign", "phase")
_TOUCH = re.compile(
    r"短信|触达|发(?:出去?|送)?了?(?:多少|几)条|消息|推送|群发|外呼|\bmessages?\b|\btexts?\b|\bsms\b|\bpush|\boutreach\b",
    re.A,
)
_HOW_TO = re.compile(r"怎么(?!样)|如何(?=提|让|写|做|才|把|给)|咋(?!样)|\bhow (?:do|can|should|to)\b", re.A)
_NUMBER = ("people", "money", "share", "part", "average", "quantity")
BARE = "多少"
_ASKED = {
    "member": "crowd_size,new_members,paid_amount", "fan": "crowd_size,visitors,paid_amount",
    "old": "crowd_size,visitors,paid_amount",
}  # fmt: skip
_NO_MEMBERS = re.compile(
    r"^(?!.*(?:会|卡|member|sign|join|enrol|regist)).*$|(?:新增|gained?|gain)[^,，]{0,6}(?:粉丝|新客|fans)"
)
_NEWLY = ("新会员", "new members")  # the lifecycle stage, or those who joined in the days asked about
_TARGET = re.compile(r"目标|完成|达成|达标|任务|指标|kpi|\btarget|\bgoal|\bquota|on track", re.A)
# What was done by people who are called after what they have not done yet.
_WITHIN_CROWD = {
    "balance_due": ("deposit", "balance"), "cart_unpaid": ("cart",), "cart_fav_unpaid": ("cart",), "last_push": ("cart",),
    "coupon_unredeemed": ("coupon",), "deposit_unpaid": ("cart", "deposit"), "bought_nonmember": ("buy", "order", "join"),
    "nonmember_bought": ("buy", "order", "join"), "member_unbought": ("join",), "new_member": ("join",),
}  # fmt: skip


def counted(matches: Sequence[Match], text: str, taken: Sequence[tuple[int, int]]) -> list[Match]:
    """`matches` with the metrics that acts and measures make; `taken`: days. What makes no metric stays as it was, so that it
    is reported where nothing takes it up."""
    file = acts()
    matches = _joining(matches, text, bool(taken))
    split = any(m.value("by") or m.value("compare") for m in matches)  # then the act alone names its number
    named = [
        m
        for m in matches
        if (k := m.value("metric")) and k != "crowd_size" and k not in file.named and not _share_alone(m)
    ]
    names = [m for m in matches if any(m.value(slot) for slot in _NAMES) and m.value("crowd") != "all"]
    blocked = [(m.start, m.end) for m in names]
    together = [t for t in _together(text) if not any(m.value("metric") and _more(m, t) for m in matches)]
    matches = [m for m in matches if m.value("metric") is None or not _within(m, together)]  # basket size
    blocked += [*taken, *((m.start, m.end) for m in [*named, *together]), *_wishes(matches)]
    messages = any(m.value("channel") for m in matches) or bool(_TOUCH.search(text))
    said = find_acts(text, [m for m in matches if m not in named], blocked, messages=messages)
    said = [s for s in said if not _of_crowd(s, matches, text) and not (s.kind == "join" and _NO_MEMBERS.search(text))]
    if not (said or together) or (_HOW_TO.search(text) and not taken and not any(s.kind in _NUMBER for s in said)):
        return [*matches, *together]
    made, used = ([], []) if _TARGET.search(text) else ratios(text, said, matches, named)
    rest = [s for s in said if s not in used]
    whole = split or _nothing_else(text, matches, said, taken)
    more, taken_up = counts(text, rest, matches, whole=whole, rated=[*made, *named, *together])
    made += [*together, *more, *_bare(text, matches, taken, said), *_active_relations(text, [*named, *together])]
    used = [*used, *taken_up]
    if any(m.value("metric") == "amount_share" for m in made) and any(
        m.value("crowd") not in (None, "all") for m in matches
    ):
        # 会员占全店成交多少: the shop is what the share is of; sales that came from members come from no channel.
        contributed = [s for s in used if s.kind == "contribute"]
        matches = [m for m in matches if m.value("crowd") != "all"]
        matches = [
            m for m in matches if not (m.value("by") and any(s.start < m.end and m.start < s.end for s in contributed))
        ]
    return _merged(text, matches, made, used, said)


def _together(text: str) -> list[Match]:
    """昨天的漏斗: several metrics in one word."""
    found = ((m, t.metrics) for t in acts().together for m in re.finditer(t.pattern, text, re.A))
    return [Match(m.start(), m.end(), m[0], (("metric", key),)) for m, keys in found for key in keys]


def _within(match: Match, others: Sequence[Match]) -> bool:
    return any(o.start <= match.start and match.end <= o.end for o in others)


def _more(match: Match, other: Match) -> bool:
    """同行成交占比 says more than 成交占比."""
    return match.start <= other.start and other.end <= match.end and match.end - match.start > other.end - other.start


def _share_alone(match: Match) -> bool:
    """占比, share of sales: a share of whatever was done, and of what was sold only where nothing else was."""
    return match.value("metric") == "amount_share" and (
        measure_of(match.text) is not None or match.text.startswith("share of")
    )


def _bare(text: str, matches: Sequence[Match], taken: Sequence[tuple[int, int]], said: Sequence[Said]) -> list[Match]:
    """昨天会员多少: how many there were, or joined, or what they paid? New customers are counted by the days themselves.
    新会员有多少: those of the lifecycle stage, or who joined?"""
    at = [s for s in said if text[s.start : s.end] == BARE]
    crowds = [m for m in matches if m.value("crowd")]
    if (
        not taken
        and "  " not in text  # a condition stood there: who is meant is clear
        and len(crowds) == len(said) == 1
        and crowds[0].text in _NEWLY
        and said[0].kind in ("people", "quantity")
    ):
        return [match_at(text, said[0], (("ambiguous_metric", "crowd_size,new_members"),))]
    if len(at) != 1 or len(said) != 1 or len(crowds) != 1 or not taken or crowds[0].value("crowd") not in _ASKED:
        return []
    spans = [*taken, (crowds[0].start, crowds[0].end), (at[0].start, at[0].end)]
    if blanked(text, spans).strip(" 的了呢啊是,，?？"):
        return []
    return [match_at(text, at[0], (("ambiguous_metric", _ASKED[crowds[0].value("crowd") or ""]),))]


def _active_relations(text: str, named: Sequence[Match]) -> list[Match]:
    """RV关系总共多少，活跃的呢."""
    if not any(m.value("metric") == "rv_total" for m in named):
        return []
    return [
        Match(m.start(), m.end(), m[0], (("metric", "rv_active"),))
        for m in re.finditer(r"活跃的?(?!会员|粉丝|客|老)|\bactive(?= ones)?", text, flags=re.A)
    ][:1]


def _of_crowd(said: Said, matches: Sequence[Match], text: str) -> bool:
    """付了定金没付尾款的: who has not paid the balance has paid a deposit, which is no number asked for."""
    crowds = [m for m in matches if m.value("crowd")]
    return any(
        said.act and not said.bound and said.kind in _WITHIN_CROWD.get(m.value("crowd") or "", ())
        and -1 <= max(m.start - said.end, said.start - m.end) <= 6
        and not re.search(r"[多几人]|how|of", text[min(said.end, m.end) : max(said.start, m.start)])
        for m in crowds
    )  # fmt: skip


def _joining(matches: Sequence[Match], text: str, dated: bool) -> list[Match]:
    """昨天新入会的有多少: people who are called after their joining are those who joined in the days named; so are those who
    are a part of an act of joining (拉了多少会员, new member sign-ups)."""
    joins = [p.span() for p in joining(text)]
    others = [m for m in matches if m.value("metric") not in (None, "crowd_size", "new_members")]

    def joined(m: Match) -> bool:
        if m.value("crowd") not in ("member", "new_member", "new") or others:
            return False
        covered = any(start <= m.start and m.end <= end for start, end in joins)
        return covered and (dated or any((start, end) != (m.start, m.end) for start, end in joins))

    return [m for m in matches if not joined(m)]


def _wishes(matches: Sequence[Match]) -> list[tuple[int, int]]:
    """Words that ask for something to be done (怎么转化) are no numbers."""
    wishes = ("plan", "draft", "check", "privacy")
    return [(m.start, m.end) for m in matches if len(m.text) > 2 and m.value("intent") in wishes]


def _nothing_else(text: str, matches: Sequence[Match], said: Sequence[Said], taken: Sequence[tuple[int, int]]) -> bool:
    """昨天付款的: days and an act, and nothing that says what of it."""
    spans = [
        *taken,
        *((s.start, s.end) for s in said),
        *((m.start, m.end) for m in matches if m.value("intent") is None),
    ]
    return bool(taken) and not blanked(text, spans).strip(" ,，。.?？!！") and len(text) <= 24


def _merged(
    text: str, matches: Sequence[Match], made: Sequence[Match], used: Sequence[Said], said: Sequence[Said]
) -> list[Match]:
    """Names that were put together anew give way to what they make; a measure that was used is no size of a crowd."""
    measured = [s for s in used if not s.act]
    idle = [s for s in said if s.kind in ("share", "part", "average") and s not in used]
    people = any(
        catalog.metrics()[k].unit == "people"
        for m in (*matches, *made)
        if (k := m.value("metric")) and k != "crowd_size"
    )
    out = []
    for m in matches:
        key = m.value("metric")
        again = (key in acts().named or _share_alone(m)) and any(s.start < m.end and m.start < s.end for s in used)
        sized = key == "crowd_size" and (
            any(s.start < m.end and m.start < s.end for s in measured)
            or (people and not any(o.value("crowd") for o in matches))
        )
        read = any(s.act and s.start < m.end and m.start < s.end for s in said)
        if again or sized:
            m = replace(m, meanings=tuple(x for x in m.meanings if x[0] != "metric") or (("filler", ""),))
        elif key in acts().named and act_inside(m.text) and not read:
            m = replace(m, meanings=tuple(x for x in m.meanings if x[0] != "metric"))  # 没进店, 参加购物金
        if m.meanings and not any(s.start <= m.start and m.end <= s.end for s in idle if _says_little(m)):
            out.append(m)
    covered = [(m.start, m.end) for m in out]
    fillers = [
        Match(s.start, s.end, text[s.start : s.end], (("filler", ""),)) for s in used if (s.start, s.end) not in covered
    ]
    return sorted([*out, *made, *fillers], key=lambda m: (m.start, m.end))


def _says_little(match: Match) -> bool:
    """Words that carry no wish of their own: a share that nothing took up is reported with them."""
    return all(slot in ("filler", "joiner", "intent") for slot, _ in match.meanings)
