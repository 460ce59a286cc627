"""What kind of thing a question asks for: a linear model over its words and over what was found in it.

The weights stand in intents.json and are trained on labelled sentences (`python -m tests.evals --fit-intents`). Names of crowds,
metrics and days are blanked out first, so that what was learned of one holds for all, also for a merchant's own.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bot.answer import Interpretation
from bot.understanding.lexicon import Match, Slot

# What stands for a found word in the text that the model reads.
_BLANKS: dict[Slot, str] = {
    "crowd": "Ⓒ", "ambiguous_crowd": "Ⓒ", "metric": "Ⓜ", "ambiguous_metric": "Ⓜ", "compare": "Ⓥ", "by": "Ⓑ", "channel": "Ⓗ",
    "filter": "Ⓕ", "campaign": "Ⓟ", "phase": "Ⓟ",
}  # fmt: skip
_DAY = "Ⓣ"
_TOKEN = re.compile(r"[ⒸⓂⓋⒷⒽⒻⓅⓉ]|[a-z']+|\d+(?:\.\d+)?|[^\s\w]|\w")
_LONGEST = 4  # tokens in a row
_RAW_LONGEST = 3
_SURE = 0.8  # above this the words alone decide: of those 98 % are right, and nothing has to be loaded
_UNSURE = 0.45  # below this half are right
FILE = Path(__file__).parent / "intents.json"


def features(
    text: str, matches: Sequence[Match], days: Iterable[tuple[int, int]], what: Interpretation
) -> Counter[str]:
    """What the model sees of a folded question: runs of its tokens, with and without the found words blanked out, and which slots
    are filled."""
    out: Counter[str] = Counter()
    blanked = _tokens(_blanked(text, matches, days))
    for n in range(1, _LONGEST + 1):
        out.update("b " + " ".join(blanked[i : i + n]) for i in range(len(blanked) - n + 1))
    raw = _tokens(text)
    for n in range(1, _RAW_LONGEST + 1):
        out.update("r " + " ".join(raw[i : i + n]) for i in range(len(raw) - n + 1))
    for value in {v for m in matches for slot, v in m.meanings if slot == "intent"}:
        out[f"word {value}"] += 1
    filled = {
        "crowd": bool(what.crowds), "metric": bool(set(what.metrics) - {"crowd_size"}), "size": "crowd_size" in what.metrics,
        "days": what.period is not None, "compare": bool(what.compare), "by": bool(what.by), "filter": bool(what.filters),
        "channel": bool(what.channel), "unused": bool(what.unused),
    }  # fmt: skip
    named = [name for name, there in filled.items() if there]
    out.update(f"has {name}" for name in named)
    out[f"all {' '.join(n for n in named if n in ('crowd', 'metric', 'days', 'channel'))}"] += 1
    return Counter(dict.fromkeys(out, 1))


def familiar(text: str) -> bool:
    """Whether a word of the text was seen in training; a Chinese character is one."""
    return any(not re.fullmatch(r"[a-z']+", t) or f"r {t}" in model().words for t in _tokens(text)[1:-1])


def _blanked(text: str, matches: Sequence[Match], days: Iterable[tuple[int, int]]) -> str:
    spans = [(start, end, _DAY) for start, end in days]
    for m in matches:
        mark = next((_BLANKS[slot] for slot, _ in m.meanings if slot in _BLANKS), None)
        if mark:
            spans.append((m.start, m.end, mark))
    out, at = [], 0
    for start, end, mark in sorted(spans):
        if start >= at:
            out += [text[at:start], mark]
            at = end
    return "".join([*out, text[at:]])


def _tokens(text: str) -> list[str]:
    return ["^", *("#" if t[0].isdigit() else t for t in _TOKEN.findall(text)), "$"]


class Model(NamedTuple):
    """`words`: feature → weight of each intent by its place, small ones left out; "" is what each begins with. `meaning`: for
    each intent its first weight and one for each number of a sentence's embedding."""

    intents: tuple[str, ...]
    words: dict[str, dict[str, float]]
    meaning: tuple[tuple[float, ...], ...]


@cache
def model() -> Model:
    raw = json.loads(FILE.read_text("utf-8"))
    return Model(tuple(raw["intents"]), raw["words"], tuple(map(tuple, raw["meaning"])))


class Decided(NamedTuple):
    """`other`: what it may be as well, where that is about as probable."""

    intent: str
    other: str | None


def decide(text: str, seen: Counter[str]) -> Decided:
    """The most probable intent. Where the words leave doubt, the meaning of the whole sentence is asked too."""
    found = said_by_words(seen)
    if max(found.values()) < _SURE:
        by_meaning = said_by_meaning(text)
        found = {name: (p + by_meaning[name]) / 2 for name, p in found.items()}
    first, second = sorted(found, key=lambda name: -found[name])[:2]
    return Decided(first, second if found[first] < _UNSURE else None)


def said_by_words(seen: Counter[str]) -> dict[str, float]:
    """Intent → probability, of what `features` found."""
    names, words, _ = model()
    totals = [words[""].get(str(n), 0.0) for n in range(len(names))]
    scale = 1 / math.sqrt(max(len(seen), 1))
    for feature in seen:
        for n, w in words.get(feature, {}).items():
            totals[int(n)] += w * scale
    return _shares(names, totals)


def said_by_meaning(text: str) -> dict[str, float]:
    """Intent → probability, of a sentence's embedding."""
    from knowledge.embeddings import vector_of

    names, _, meaning = model()
    vector = [float(v) for v in vector_of(text)]
    return _shares(names, [ws[0] + sum(w * v for w, v in zip(ws[1:], vector, strict=True)) for ws in meaning])


def _shares(names: Sequence[str], totals: Sequence[float]) -> dict[str, float]:
    top = max(totals)
    raised = [math.exp(t - top) for t in totals]
    return {name: r / sum(raised) for name, r in zip(names, raised, strict=True)}
