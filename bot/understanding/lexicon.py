"""All words the product knows, from the catalogue and knowledge/words.yaml, and where they stand in a question.

A merchant's new crowd, metric or campaign is understood without code: its name and aliases become words here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from bot.understanding.crowd_words import crowd_words, described, keys_of
from bot.understanding.spelled import Spelled
from knowledge import catalog
from knowledge.catalog import HERE, Entry
from knowledge.textnorm import simplified
from tools.filters import CUSTOMER_COLUMNS

Slot = Literal[
    "crowd", "metric", "ambiguous_metric", "ambiguous_crowd", "intent", "compare", "by", "channel", "campaign", "phase",
    "joiner", "correction", "followup", "filler", "filter",
    "ambiguous_filter",
]  # fmt: skip

_JOINED = re.compile(r"(?<=[a-z])[-_](?=[a-z])")


# As Cantonese is written, character for character.
_CANTONESE = str.maketrans("咗嚟嘅冇佢哋喺啲", "了来的没他们在些")


class WordFile(Entry):
    intents: dict[str, list[str]]
    compares: dict[str, list[str]]
    comparison_names: dict[str, list[str]]
    breakdowns: dict[str, list[str]]
    breakdown_nouns: dict[str, list[str]]
    breakdown_leads: list[str]
    breakdown_tails: list[str]
    breakdown_patterns: dict[str, list[str]]
    whole_campaign: list[str]
    channels: dict[str, list[str]]
    channel_patterns: dict[str, list[str]]
    draft_styles: dict[str, list[str]]
    thanks: list[str]
    joiners: list[str]
    corrections: list[str]
    followups: list[str]
    filler: list[str]


@cache
def words() -> WordFile:
    return catalog.validate(WordFile, catalog.read_yaml(HERE / "words.yaml"), "words.yaml")


@dataclass(frozen=True)
class Match:
    """A known word at `start`..`end` of the folded question; a word may mean several things (slot, value)."""

    start: int
    end: int
    text: str
    meanings: tuple[tuple[Slot, str], ...]
    described: bool = False
    open: tuple[tuple[int, int], ...] = ()

    def value(self, slot: Slot) -> str | None:
        return next((v for s, v in self.meanings if s == slot), None)


def blanked(text: str, spans: Iterable[tuple[int, int]], mask: str = " ") -> str:
    """The text with those stretches blanked out, places kept. With "\\0" what is left does not grow together across them."""
    out = list(text)
    for start, end in spans:
        out[start:end] = mask * (end - start)
    return "".join(out)


def fold(text: str) -> str:
    """How questions and words are compared: simplified, half width, lower case, hyphens inside words as blanks."""
    out = simplified(text).lower().translate(_CANTONESE).replace("’", "'").replace("“", '"').replace("”", '"')
    out = _JOINED.sub(" ", out)
    return re.sub(r"[ \t\u3000]+", " ", out).strip()


class Lexicon:
    """Longest-match lookup of known words."""

    def __init__(
        self,
        campaigns: Iterable[tuple[str, list[str]]],
        phases: Iterable[tuple[str, list[str]]],
        values: Iterable[tuple[str, list[str]]] = (),
        goods: Iterable[tuple[str, str]] = (),
        unsure: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`goods`: (item or category, what it is called); `unsure`: words for several levels, with these."""
        self.goods = {fold(name): (column, name) for column, name in goods}
        self._words: dict[str, list[tuple[Slot, str]]] = {}
        file = words()
        for key, crowd in catalog.crowds().items():
            self._add("crowd", key, [*_as_word(key), crowd.name.zh, crowd.name.en, *crowd.aliases])
        for key, metric in catalog.metrics().items():
            if key != "crowd_size":
                self._add("metric", key, [*_as_word(key), metric.name.zh, metric.name.en, *metric.aliases])
        size = catalog.metrics()["crowd_size"]
        self._add("metric", "crowd_size", ["crowd_size", size.name.zh, size.name.en, *size.aliases])
        for word, keys in catalog.ambiguous_metrics().items():
            self._replace("ambiguous_metric", ",".join(keys), word)
        for slot, groups in (("intent", file.intents), ("compare", file.compares), ("by", file.breakdowns)):
            for value, group in groups.items():
                self._add(slot, value, group)  # type: ignore[arg-type]
        for value, nouns in file.breakdown_nouns.items():
            leads = [_after(lead, noun) for noun in nouns for lead in file.breakdown_leads]
            self._add("by", value, [*leads, *(_after(noun, tail) for noun in nouns for tail in file.breakdown_tails)])
        for value, group in file.channels.items():
            self._add("channel", value, group)
        self._patterns: list[tuple[Slot, str, re.Pattern[str]]] = []
        for value, group in file.breakdown_patterns.items():
            self._patterns += [("by", value, re.compile(pattern, re.A)) for pattern in group]
        for value, group in file.channel_patterns.items():
            self._patterns += [("channel", value, re.compile(pattern, re.A)) for pattern in group]
        for value, group in campaigns:
            self._add("campaign", value, group)
        for value, group in phases:
            self._add("phase", value, group)
        cities: dict[str, str] = {}
        for value, group in values:
            self._add("filter", value, group)
            if value.startswith("city:"):
                cities |= dict.fromkeys(group, value)
        self._cities = Spelled(cities)
        for word, several in (unsure or {}).items():
            self._words[fold(word)] = [("ambiguous_filter", ",".join(several))]
        self._add("filler", "", crowd_words().not_people)
        self._add("joiner", "", file.joiners)
        self._add("correction", "", file.corrections)
        self._add("followup", "", file.followups)
        self._add("filler", "", file.filler)
        self._longest = max(map(len, self._words))

    def _add(self, slot: Slot, value: str, group: Iterable[str]) -> None:
        for word in group:
            meanings = self._words.setdefault(fold(word), [])
            # The first crowd or metric to claim a word keeps it; other kinds of meaning are kept side by side.
            if all(s != slot for s, _ in meanings):
                meanings.append((slot, value))

    def _replace(self, slot: Slot, value: str, word: str) -> None:
        kept = [(s, v) for s, v in self._words.get(fold(word), []) if s not in ("metric", "crowd")]
        self._words[fold(word)] = [(slot, value), *kept]

    def find(self, text: str, taken: Iterable[tuple[int, int]] = ()) -> list[Match]:
        """The known words of a folded text in their order: of words that overlap, the longer one; `taken` is left out."""
        blocked = bytearray(len(text))
        for start, end in taken:
            blocked[start:end] = b"\1" * (end - start)
        named = [m for i in range(len(text)) for m in self._at(text, i)]
        candidates = [*self._patterned(text, named), *named]
        candidates += self._described(text, candidates)
        candidates += [Match(a, b, text[a:b], (("filter", value),)) for a, b, value in self._cities.find(text)]
        chosen: list[Match] = []
        # A described crowd (没付尾款) is taken before the words inside it and around it (付尾款的有多少人).
        for m in sorted(candidates, key=lambda m: (not m.described, m.start - m.end, m.start)):
            if not any(blocked[m.start : m.end]):
                blocked[m.start : m.end] = b"\1" * (m.end - m.start)
                chosen.append(m)
        return sorted([*chosen, *_inside(chosen, candidates)], key=lambda m: (m.start, m.end))

    def _patterned(self, text: str, named: Sequence[Match]) -> Iterator[Match]:
        """Splits and channels said in a sentence; what else the very same words mean is kept (best selling)."""
        others = {(m.start, m.end): m.meanings for m in named}
        for slot, value, pattern in self._patterns:
            for p in pattern.finditer(text):
                kept = [x for x in others.get(p.span(), ()) if x[0] != slot]
                if p[0]:
                    yield Match(p.start(), p.end(), p[0], ((slot, value), *kept))

    def _described(self, text: str, named: Sequence[Match]) -> Iterator[Match]:
        for d in described(text):
            # A name that says more than the description (non-members who never bought) stands.
            around = [m for m in named if m.value("crowd") and m.start <= d.start and d.end <= m.end]
            if any(m.value("metric") and m.start <= d.start and d.end < m.end for m in named):
                continue  # 回头客占比 is a metric, 回头客 people
            if all(m.start == d.start and m.end == d.end and m.value("crowd") == d.key for m in around):
                keys = ",".join(keys_of(d.key))
                meaning: tuple[Slot, str] = ("ambiguous_crowd" if d.ambiguous else "crowd", keys)
                yield Match(d.start, d.end, text[d.start : d.end], (meaning,), not d.ambiguous, d.open)

    def _at(self, text: str, i: int) -> list[Match]:
        """Every known word that begins at `i`; words of letters begin and end where a word does."""
        if i and text[i].isascii() and text[i].isalpha() and text[i - 1].isascii() and text[i - 1].isalpha():
            return []
        out = []
        for length in range(min(self._longest, len(text) - i), 0, -1):
            meanings = self._words.get(text[i : i + length])
            if meanings is None:
                continue
            end = i + length
            if text[end - 1].isascii() and text[end - 1].isalpha():
                # "members" for "member": an English plural is the same word.
                if text[end : end + 1] == "s" and not _letter(text, end + 1):
                    end += 1
                elif _letter(text, end):
                    continue
            out.append(Match(i, end, text[i:end], tuple(meanings)))
        return out


def _inside(chosen: Sequence[Match], candidates: Sequence[Match]) -> list[Match]:
    """People named inside a description, where it leaves room for them: 购物车里的会员没付, 加购了的上海客人没买."""
    kinds = {key: crowd.kind for key, crowd in catalog.crowds().items()}
    gaps = [gap for m in chosen if m.described for gap in m.open]
    gaps += [(m.start, m.end) for m in chosen if m.value("channel")]  # 老客群
    found: list[Match] = []
    for m in sorted(candidates, key=lambda m: m.start - m.end):
        people = m.value("filter") or (not m.described and kinds.get(m.value("crowd") or "") == "panel")
        within = any(start <= m.start and m.end <= end for start, end in gaps)
        if people and within and all(m.end <= f.start or f.end <= m.start for f in found):
            found.append(m)
    return found


def _after(first: str, second: str) -> str:
    """Two words of one language as one; letters want a blank between them."""
    return f"{first} {second}" if first.isascii() and second.isascii() else first + second


def _as_word(key: str) -> list[str]:
    """A catalogue key that nobody says by chance: cart_unpaid, but not all, new or old."""
    return [key] if "_" in key else []


def _letter(text: str, i: int) -> bool:
    return i < len(text) and text[i].isascii() and text[i].isalpha()


def lexicon_for(campaigns: Any, values: dict[str, list[str]]) -> Lexicon:
    """The lexicon of a shop: its campaigns and phases by name and alias, and the values that crowds can be filtered by.

    Levels and cities are words of their own; an item or a category counts only where people are said to be in touch with it.
    """
    named: dict[str, list[str]] = {}
    phases: dict[str, list[str]] = {}
    for c in campaigns:
        named.setdefault(c.key, []).extend([c.key, c.name.zh, c.name.en, *c.aliases])
        for p in c.phases:
            names = [*p.name.zh.split("/"), p.name.zh, p.name.en]
            phases.setdefault(p.key, []).extend(n for n in names if len(n) > 2)
    filters = []
    unsure: dict[str, list[str]] = {}
    for column in CUSTOMER_COLUMNS:
        known = [v for v in values.get(column, ()) if v]
        for value in known:
            # VIP where there is 至尊VIP beside VIP会员: which of them is asked back.
            several = {short: [v for v in known if short in v] for short in _short(value)}
            unsure |= {short: fits for short, fits in several.items() if len(fits) > 1}
            filters.append((f'{column}:"{value}"', [value, *(s for s, fits in several.items() if len(fits) < 2)]))
    goods = [(column, value) for column in ("item", "category") for value in values.get(column, ()) if value]
    return Lexicon(named.items(), phases.items(), filters, goods, unsure)


def _short(value: str) -> list[str]:
    """VIP会员 is also called VIP and VIP member, 上海市 is also called 上海."""
    short = re.sub(r"(?:会员|市)$", "", value)
    if short == value or len(short) < 2 or not (short.isascii() or value.endswith("市")):
        return []
    return [short, f"{short} member"] if value.endswith("会员") else [short]
