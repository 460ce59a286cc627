"""Trains the two models of knowledge/ranking.py on the questions of this folder, and prints what is to stand there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge import ranking
from knowledge.search import Ranked, Reading
from tests.evals.retrieval import Bench, Item

_FOLDS = 5
_ORDER_DECAY, _ANSWERED_DECAY = 0.002, 0.02
# What the questions of the sets say too little about keeps the weight it has.
_KEPT = ("crowd", "channel", "own", "only_meaning", "moves")

Floats = NDArray[np.float64]


def fit(bench: Bench, items: Sequence[Item]) -> str:
    """The trained models as Python, with how they do on questions that they have not seen (cross-validation)."""
    read = [bench.read(item) for item in items]
    sets = [_Candidates(bench, item, r.ranked) for item, r in zip(items, read, strict=True) if item.expect]
    unseen = []
    for fold in range(_FOLDS):
        weights = _listwise([s for n, s in enumerate(sets) if n % _FOLDS != fold])
        unseen += [s.first_right(weights) for n, s in enumerate(sets) if n % _FOLDS == fold]
    order = _listwise(sets)
    doubts = np.array([_doubts(bench, r, order) for r in read])
    right = np.array([bool(item.expect) for item in items])
    names = list(ranking.ANSWERED)
    guessed = np.zeros(len(items))
    for fold in range(_FOLDS):
        here = np.arange(len(items)) % _FOLDS == fold
        guessed[here] = _probability(_logistic(doubts[~here], right[~here]), doubts[here])
    answered = _logistic(doubts, right)
    at = np.array(unseen)
    lines = [
        "ORDER: Mapping[str, float] = {",
        *(f'    "{name}": {weight:.2f},' for name, weight in zip(ranking.ORDER, order, strict=True)),
        "}",
        "ANSWERED: Mapping[str, float] = {",
        *(f'    "{name}": {weight:.2f},' for name, weight in zip(names, answered, strict=True)),
        "}",
        f"# unseen in training ({_FOLDS} folds): recall@1 {np.mean(at < 1):.3f}, recall@5 {np.mean(at < 5):.3f}, "
        f"abstention F1 {abstention(guessed < ranking.LEAST, right):.3f}",
    ]
    return "\n".join(lines)


def abstention(abstained: NDArray[np.bool_], answerable: NDArray[np.bool_]) -> float:
    """F1 of the questions that nothing answers: how many of them were left unanswered, and how many others were too."""
    rightly = int((abstained & ~answerable).sum())
    return 2 * rightly / max(int(abstained.sum()) + int((~answerable).sum()), 1)


class _Candidates:
    """One question's passages as numbers, and which of them are right."""

    def __init__(self, bench: Bench, item: Item, found: Sequence[Ranked]) -> None:
        self.keys = [bench.stands_for(r.passage.key) for r in found]
        self.right = np.array(
            [r.passage.key in item.expect or k in item.expect for r, k in zip(found, self.keys, strict=True)]
        )
        self.numbers: Floats = np.array([[r.features[name] for name in ranking.ORDER] for r in found])

    def first_right(self, weights: Floats) -> int:
        seen: list[str] = []
        for n in np.argsort(-(self.numbers @ weights), kind="stable"):
            if self.right[n]:
                return len(seen)
            if self.keys[n] not in seen:
                seen.append(self.keys[n])
        return 10_000


def _listwise(sets: Sequence[_Candidates], steps: int = 400, rate: float = 0.3) -> Floats:
    """Weights under which the right passages have the largest share of the softmax (gradient ascent with Adam)."""
    sets = [s for s in sets if s.right.any()]
    weights = np.array(list(ranking.ORDER.values()))
    kept = np.array([name in _KEPT for name in ranking.ORDER])
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        gradient = _ORDER_DECAY * weights
        for s in sets:
            scores = s.numbers @ weights
            share = np.exp(scores - scores.max())
            share /= share.sum()
            wanted = share * s.right
            gradient -= (wanted / wanted.sum() - share) @ s.numbers / len(sets)
        gradient[kept] = 0
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        slower = rate * (1 - step / steps)
        weights = weights - slower * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return weights


def _doubts(bench: Bench, read: Reading, order: Floats) -> list[float]:
    best = max(read.ranked, key=lambda r: float(np.dot([r.features[name] for name in ranking.ORDER], order)))
    evidence = bench.lexical.evidence(read.question.words)
    values = ranking.doubts(read.question, best.passage, best.features, evidence, bench.lexical)
    return [1.0, *(values[name] for name in ranking.ANSWERED if name != "always")]


def _logistic(numbers: Floats, right: NDArray[np.bool_], steps: int = 20_000) -> Floats:
    """Weights of a logistic regression in which both outcomes count alike, on standardised numbers, given back unscaled."""
    mean, spread = numbers.mean(axis=0), numbers.std(axis=0)
    mean[0], spread[0] = 0.0, 1.0
    spread[spread == 0] = 1.0
    scaled = (numbers - mean) / spread
    share = np.where(right, 0.5 / right.sum(), 0.5 / (~right).sum())
    weights = np.zeros(numbers.shape[1])
    for _ in range(steps):
        gap = (_probability(weights, scaled) - right) * share
        decay = _ANSWERED_DECAY * weights
        decay[0] = 0
        weights -= 0.5 * (scaled.T @ gap + decay)
    plain: Floats = weights / spread
    plain[0] = weights[0] - float((weights[1:] * mean[1:] / spread[1:]).sum())
    return plain


def _probability(weights: Floats, numbers: Floats) -> Floats:
    out: Floats = 1 / (1 + np.exp(-np.clip(numbers @ weights, -30, 30)))
    return out
