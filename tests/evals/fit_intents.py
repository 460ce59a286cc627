"""Trains bot/understanding/intents.py on the labelled sentences of this folder, and writes its weights."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import yaml
from numpy.typing import NDArray

from bot.understanding import intents
from bot.understanding.interpret import evidence
from bot.understanding.lexicon import fold
from bot.wiring import WarRoom
from knowledge.embeddings import embed
from tests.evals.questions import HERE, rows

_FOLDS = 5
_WORDS_DECAY, _MEANING_DECAY = 7e-6, 2e-4
_ROUNDS, _STEP = 400, 0.05
_REACH = 3.0  # embeddings are unit vectors; larger numbers are learned from faster
_SEEN_AT_LEAST = 2
_LEAST = 0.15  # a weight nearer to 0 says nothing

Floats = NDArray[np.float32]


def sentences() -> list[tuple[str, str, datetime | None]]:
    """(intent, sentence, moment) of all that is labelled and stands by itself."""
    out: list[tuple[str, str, datetime | None]] = []
    for path in sorted(HERE.glob("intents_*.yaml")):
        out += [(intent, text, None) for intent, text in yaml.safe_load(path.read_text("utf-8"))]
    sessions: set[str] = set()
    for row in rows("questions"):
        first = row.session is None or row.session not in sessions
        sessions |= {row.session} if row.session else set()
        if first and row.intent and not row.clarify:
            out.append((row.intent[0], row.question, row.as_of))
    return out


def fit(room: WarRoom) -> str:
    """Train, write the weights, and say how the model does on sentences that it has not seen (cross-validation)."""
    labelled = sentences()
    seen = [evidence(text, room.lexicon, at or room.shop.now(), room.shop.campaigns) for _, text, at in labelled]
    vectors = np.asarray(embed([fold(text) for _, text, _ in labelled]), dtype=np.float32)
    names = sorted({intent for intent, _, _ in labelled})
    wanted = np.array([names.index(intent) for intent, _, _ in labelled])
    part = np.random.default_rng(0).integers(0, _FOLDS, len(labelled))
    by_words, by_meaning = (np.zeros((len(labelled), len(names)), dtype=np.float32) for _ in range(2))
    for n in range(_FOLDS):
        here = part == n
        others, mine = _of(seen, ~here), _of(seen, here)
        known = _known(others)
        weights = _trained(_words(others, known), wanted[~here], len(names), _WORDS_DECAY)
        by_words[here] = _shares(_words(mine, known).scores(weights))
        weights = _trained(_meaning(vectors[~here]), wanted[~here], len(names), _MEANING_DECAY)
        by_meaning[here] = _shares(_meaning(vectors[here]).scores(weights))
    sure = by_words.max(axis=1) >= intents._SURE
    guessed = np.where(sure, by_words.argmax(axis=1), (by_words + by_meaning).argmax(axis=1))
    known = _known(seen)
    words = _trained(_words(seen, known), wanted, len(names), _WORDS_DECAY)
    _write(names, known, words, _trained(_meaning(vectors), wanted, len(names), _MEANING_DECAY))
    lines = [
        f"{len(labelled)} sentences, unseen right {np.mean(guessed == wanted):.3f}; words alone "
        f"{np.mean(by_words.argmax(axis=1) == wanted):.3f}, meaning alone {np.mean(by_meaning.argmax(axis=1) == wanted):.3f}; "
        f"sure by words {np.mean(sure):.2f}, of those right {np.mean((guessed == wanted)[sure]):.3f}"
    ]
    for n, name in enumerate(names):
        mine = wanted == n
        wrong = Counter(names[g] for g in guessed[mine] if g != n).most_common(3)
        lines.append(f"  {name:12}{np.mean(guessed[mine] == n):.3f} of {mine.sum()}  {wrong}")
    both = np.where(sure[:, None], by_words, (by_words + by_meaning) / 2).max(axis=1)
    for low, high in ((0, 0.25), (0.25, 0.35), (0.35, 0.45), (0.45, 0.6), (0.6, 0.8), (0.8, 1.01)):
        mine = (both >= low) & (both < high)
        lines.append(
            f"  probability {low:.2f}–{high:.2f}: {mine.sum()} sentences, right {np.mean((guessed == wanted)[mine]):.2f}"
        )
    lines += [
        f"    {labelled[i][1]}  ← {names[guessed[i]]} {both[i]:.2f}, not {names[wanted[i]]}"
        for i in np.flatnonzero(guessed != wanted)
    ]
    return "\n".join(lines)


def _write(names: list[str], known: dict[str, int], words: Floats, meaning: Floats) -> None:
    """JSON with a line a feature, so that a change of the weights can be read."""
    lines = []
    for feature, row in sorted(known.items()):
        kept = {str(n): round(float(w), 1) for n, w in enumerate(words[row]) if abs(w) >= _LEAST or not feature}
        if kept:
            lines.append(f"{json.dumps(feature, ensure_ascii=False)}: {json.dumps(kept, separators=(',', ':'))}")
    scaled = np.hstack([meaning[:1].T, meaning[1:].T * _REACH])
    rows_ = ",\n".join(json.dumps([round(float(w), 2) for w in row], separators=(",", ":")) for row in scaled)
    intents.FILE.write_text(
        f'{{"intents": {json.dumps(names)},\n"words": {{\n'
        + ",\n".join(lines)
        + f'\n}},\n"meaning": [\n{rows_}\n]}}\n',
        encoding="utf-8",
    )
    intents.model.cache_clear()


def _of(seen: Sequence[Counter[str]], chosen: NDArray[np.bool_]) -> list[Counter[str]]:
    return [s for s, c in zip(seen, chosen, strict=True) if c]


def _known(seen: Sequence[Counter[str]]) -> dict[str, int]:
    """Feature → column; the first one is always 1."""
    counted = Counter(f for s in seen for f in s)
    return {"": 0, **{f: n + 1 for n, f in enumerate(sorted(f for f, c in counted.items() if c >= _SEEN_AT_LEAST))}}


def _shares(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


class Sparse:
    """A matrix of few entries: `scores(w)` is its product with weights, `slope(e)` its transpose's with errors."""

    def __init__(self, rows_: Sequence[Sequence[tuple[int, float]]], columns: int) -> None:
        """`rows_`: the (column, value) pairs of each row, at least one a row."""
        self.columns = columns
        self._starts = np.cumsum([0, *(len(r) for r in rows_)])[:-1]
        self._row = np.repeat(np.arange(len(rows_)), [len(r) for r in rows_])
        self._column = np.array([c for r in rows_ for c, _ in r])
        self._value = np.array([v for r in rows_ for _, v in r], dtype=np.float32)[:, None]
        self._order = np.argsort(self._column, kind="stable")
        self._used, self._begins = np.unique(self._column[self._order], return_index=True)

    def scores(self, weights: Floats) -> Floats:
        return np.asarray(np.add.reduceat(weights[self._column] * self._value, self._starts, axis=0))

    def slope(self, errors: Floats) -> Floats:
        parts = (errors[self._row] * self._value)[self._order]
        out = np.zeros((self.columns, errors.shape[1]), dtype=np.float32)
        out[self._used] = np.add.reduceat(parts, self._begins, axis=0)
        return out


def _trained(x: Sparse | Dense, wanted: NDArray[np.int_], classes: int, decay: float) -> Floats:
    """Weights (feature, class) of a multinomial logistic regression, by Adam over all sentences at once."""
    y = np.eye(classes, dtype=np.float32)[wanted]
    weights = np.zeros((x.columns, classes), dtype=np.float32)
    mean: Floats = np.zeros_like(weights)
    spread: Floats = np.zeros_like(weights)
    bias = np.float32(1e-8)
    for step in range(1, _ROUNDS + 1):
        slope = x.slope(_shares(x.scores(weights)) - y) / np.float32(len(y)) + np.float32(decay) * weights
        mean = np.asarray(np.float32(0.9) * mean + np.float32(0.1) * slope, dtype=np.float32)
        spread = np.asarray(np.float32(0.999) * spread + np.float32(0.001) * slope * slope, dtype=np.float32)
        weights -= (
            np.float32(_STEP)
            * (mean / np.float32(1 - 0.9**step))
            / (np.sqrt(spread / np.float32(1 - 0.999**step)) + bias)
        )
    return weights


def _words(seen: Sequence[Counter[str]], known: dict[str, int]) -> Sparse:
    """A row a sentence, 1/√n for each of its n features; the first column is 1."""
    rows_ = [[(0, 1.0), *((known[f], 1 / math.sqrt(len(found))) for f in found if f in known)] for found in seen]
    return Sparse(rows_, len(known))


class Dense:
    """A whole matrix with the two products of `Sparse`."""

    def __init__(self, values: Floats) -> None:
        self.columns = values.shape[1]
        self._values = values

    def scores(self, weights: Floats) -> Floats:
        return np.asarray(self._values @ weights)

    def slope(self, errors: Floats) -> Floats:
        return np.asarray(self._values.T @ errors)


def _meaning(vectors: Floats) -> Dense:
    return Dense(np.hstack([np.ones((len(vectors), 1), dtype=np.float32), vectors * np.float32(_REACH)]))
