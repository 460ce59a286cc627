"""What somebody did and what is counted of it, wherever it stands in a question (knowledge/metric_words.yaml)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bot.understanding.lexicon import Match, Slot
from knowledge import catalog
from knowledge.catalog import HERE, Entry

BUYING = ("buy", "order", "spend", "deal", "sell")
TAKING = ("deal", "sell", "spend")
_TOLD_ANYWAY = ("deliver", "click")  # 多少没送到: the rate of what arrived tells it
FILE = "metric_words.yaml"
_PARTICLES = r"(?:[了过完掉好上咗]|成(?![交功单为])){0,2}"
_NEGATED = re.compile(
    r"(?:(?<!有)没有?|未|不(?!同|少|错)|(?<!分)(?<!特)(?<!级)别|无法"
    r"|不含|不算|不计|扣除|扣掉|减去|除去|\bexcluding|\bnet of|从来?没"
    r"|(?<!是)不是(?=[光只单仅])|\bnot|\bnever|n't|\bwithout|\bno)"
    r"(?:再|曾|肯|想|怎么|还|去|来|能|有|愿意?|舍得|光|只|单|仅| yet| even| actually| just| merely)*\s?$",
    re.A,
)
_CLAUSE = re.compile(r"[,，。;；!！?？\n]+|(?<=[a-z])\. |[:：]|\s-\s")


class Together(Entry):
    pattern: str
    metrics: list[str]


class ActFile(Entry):
    acts: dict[str, list[str]]
    message_acts: dict[str, list[str]]
    measures: dict[str, list[str]]
    nouns: dict[str, list[str]]
    together: list[Together]
    counts: dict[str, dict[str, str]]
    rates: dict[str, dict[str, str]]
    single_rates: dict[str, str]
    named: dict[str, tuple[str, str]]


@cache
def acts() -> ActFile:
    return catalog.validate(ActFile, catalog.read_yaml(HERE / FILE), FILE)


@dataclass(frozen=True)
class Said:
    """An act or a measure at `start`..`end`. `bound`: what is counted of the act, where one name says both (买家数)."""

    start: int
    end: int
    kind: str
    act: bool
    bound: str | None = None
    match: Match | None = None


@cache
def _compiled() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """(group, kind, pattern)."""
    file = acts()
    groups = (("act", file.acts), ("message", file.message_acts), ("measure", file.measures), ("noun", file.nouns))
    return tuple(
        (group, kind, re.compile(p.replace("{p}", _PARTICLES), re.A))
        for group, kinds in groups
        for kind, patterns in kinds.items()
        for p in patterns
    )


@cache
def act_inside(text: str) -> str | None:
    """The act that a name says, with or without what is counted of it: 加购, 多少人加购."""
    return next((kind for group, kind, p in _compiled() if group == "act" and p.search(text)), None)


def measure_of(text: str) -> str | None:
    """The measure that a text is and nothing else: 占比."""
    return next((kind for group, kind, p in _compiled() if group == "measure" and p.fullmatch(text)), None)


def act_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where acts, and nouns that are metrics, stand in a text."""
    yield from (m.span() for group, _, p in _compiled() if group in ("act", "noun") for m in p.finditer(text))


def joining(text: str) -> Iterator[re.Match[str]]:
    """Where people are said to join as members."""
    for _, kind, pattern in _compiled():
        if kind in ("join", "new_members"):
            yield from pattern.finditer(text)


def find_acts(text: str, matches: Sequence[Match], blocked: Sequence[tuple[int, int]], *, messages: bool) -> list[Said]:
    """Acts and measures outside of `blocked`, in their order; of those that overlap the longer. An act denied is none."""
    free = bytearray(len(text))
    for start, end in blocked:
        free[start:end] = b"\1" * (end - start)
    file = acts()
    found: list[Said] = []
    for m in matches:
        key = m.value("metric")
        if key in file.named and (key.startswith("cart_") or not act_inside(m.text)):
            found.append(Said(m.start, m.end, file.named[key][0], True, file.named[key][1], m))
    for group, kind, pattern in _compiled():
        if group == "message" and not messages:
            continue
        for p in pattern.finditer(text):
            if p[0].strip():
                end = p.end() - (len(p[0]) - len(p[0].rstrip()))
                start = p.start() + (len(p[0]) - len(p[0].lstrip()))
                act, bound = file.named[kind] if group == "noun" else (kind, None)
                found.append(Said(start, end, act, group != "measure", bound))
    out: list[Said] = []
    for s in sorted(found, key=lambda s: (s.start - s.end, not s.act, s.bound is None, s.start)):
        if not any(free[s.start : s.end]):
            free[s.start : s.end] = b"\1" * (s.end - s.start)
            out.append(s)
    out = [s if s.match or not s.act else replace(s, match=_named(s, matches)) for s in out]
    ends = {s.end for s in out if s.act}
    out = [replace(s, kind="people", act=False) if _people_who(text, s, ends) else s for s in out]
    denied_here = (s for s in out if s.act and s.kind not in _TOLD_ANYWAY and denied(text, s.start))
    left_out = set(denied_here)
    return sorted((s for s in out if s not in left_out), key=lambda s: s.start)


def _people_who(text: str, said: Said, ends: set[int]) -> bool:
    """付定金的买家: the buyers are those who did what was said before."""
    return (
        said.act
        and text[said.start : said.end].startswith("买家")
        and said.start - 1 in ends
        and text[said.start - 1] == "的"
    )


def _named(said: Said, matches: Sequence[Match]) -> Match | None:
    """The metric's name that an act is a part of, or the other way round."""
    named = (m for m in matches if m.value("metric") in acts().named)
    return next((m for m in named if said.start < m.end and m.start < said.end), None)


def denied(text: str, start: int) -> bool:
    """没付款, 还没去付款, not paid: what was not done is counted by no metric."""
    before = text[max(0, start - 12) : start]
    if before[-1:] == " " and "\u4e00" <= before[-2:-1] <= "\u9fff":
        return False  # 爆单没 卖了多少
    return bool(_NEGATED.search(before))


def clauses(text: str, said: Sequence[Said]) -> Iterator[list[Said]]:
    """What is said, by the parts of the sentence."""
    ends = [m.start() for m in _CLAUSE.finditer(text)] + [len(text)]
    start = 0
    for end in ends:
        part = [s for s in said if start <= s.start < end]
        if part:
            yield part
        start = end


def stage(kind: str) -> str:
    """An act as a step on the way: every way to buy is the same one."""
    return "buy" if kind in BUYING else kind


def match_at(text: str, said: Said, meanings: tuple[tuple[Slot, str], ...]) -> Match:
    return Match(said.start, said.end, text[said.start : said.end], meanings)
