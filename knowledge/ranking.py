"""How evidence becomes an order, and when it is too little: two linear models over a few numbers that can be read.

`order` is trained listwise (the softmax share of the right passages, as in ListNet, Cao et al. 2007), `answered` is a logistic
regression; both on the questions of tests/evals, by `python -m tests.evals --fit`, which prints ORDER and ANSWERED as below.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from knowledge.hints import Hints
from knowledge.lexical import Evidence, Lexical
from knowledge.passages import Passage
from knowledge.strategies import kind_of
from knowledge.terms import asked
from knowledge.textnorm import simplified
from knowledge.words import Words

# What the order is made of, and how much each weighs.
ORDER: Mapping[str, float] = {
    "meaning": 6.05,  # cosine of question and passage
    "tokens": 3.91,
    "terms": 5.04,
    "words": 7.54,
    "names": 4.77,
    "campaign": 1.18,  # the passage is of the question's campaign; of another one
    "other_campaign": -2.12,
    "phase": 0.47,
    "other_phase": -1.96,
    "crowd": 0.20,
    "channel": 0.10,
    "own": 3.50,  # the shop's own documents come before what we wrote, which has more names to be found by
    "definition": 2.19,  # what something means is asked, and the passage is a definition
    "only_meaning": -9.00,  # how a number is bettered is asked, and the passage says what it means
    "moves": 6.00,  # and the passage is of what moves that number
    "allowed": 0.84,  # whether something may be said is asked, and the passage is a rule
    "no_amount": -1.40,  # an amount is asked, and the passage has none of the kind
}
# What the probability is made of that the best passage answers.
ANSWERED: Mapping[str, float] = {
    "always": 4.17,
    "evidence": 0.05,  # the weighted sum of meaning, tokens, terms, words and names
    "words": 1.58,
    "no_terms": 0.15,  # the question has no word of synonyms.yaml
    "missing_term": -1.62,  # the rarest term that the passage does not have
    "unknown_matters": -0.43,  # how many things are named that no passage speaks of
    "most_unknown": -1.69,
    "unknown": -2.82,  # the mean over all words
    "elsewhere": -5.60,  # likeness to questions that the playbooks do not treat
    "surely_elsewhere": -11.34,
    "named": -0.09,  # the share of the question that is a name of the passage
    "definition": 0.93,
    "moves": 4.00,
    "no_amount": -2.39,
}
LEAST = 0.5  # probability below which nothing answers

_NO_WORD = 0.5  # 1 less the likeness from which a word is nothing that any passage speaks of
_NEAR_ELSEWHERE = 0.5  # cosine from which a question is one of those that the playbooks do not treat

_LONG_NAME, _NEARLY = 6, 0.9  # characters of a name that may be said nearly, and how much of it
_OWN_TREATS = 0.5  # a shop's own documents may well treat what our playbooks do not: delivery, returns, opening hours

# (how a question asks for an amount, how a passage states one)
_AMOUNTS = tuple(
    (re.compile(asks), re.compile(states))
    for asks, states in (
        (
            r"多少钱|[几多]块|几毛|收费|划算|面额|什么价|how much (?:does|is|do we pay|should)|\bcosts?\b|\bprice|\byuan\b",
            r"[¥￥]|\d+\s*(?:元|块|分钱)|一分钱|\byuan\b",
        ),
        (r"百分之几|几个点|多少点|几成|几折|what percent|percentage", r"\d\s*%|[一二三四五六七八九]成|百分之"),
        (
            r"多久|多长时间|[几多]少?天|几个?小时|几分钟|几个月|几年|几号|哪天|几月|"
            r"how long|how many (?:days|hours|years|months)|what date",
            r"\d|[一二三四五六七八九十]+(?:天|日|周|个?月|年|小时)|次日|第.周",
        ),
        (r"最多|上限|最大|\bmaximum\b|at most|\blimit\b", r"最多|至多|上限|不超过|至少"),
    )
)


@dataclass(frozen=True)
class Asked:
    """A question as search reads it. `wants`: the kinds of answer it wants; `elsewhere`: its likeness to what the playbooks do
    not treat."""

    text: str
    words: Words
    hints: Hints
    wants: frozenset[str]
    elsewhere: float = 0.0
    amounts: tuple[re.Pattern[str], ...] = ()  # how a passage states the amounts that are asked for


def read(text: str, words: Words, hints: Hints, elsewhere: float = 0.0) -> Asked:
    plain = simplified(text).lower()
    amounts = tuple(states for asks, states in _AMOUNTS if asks.search(plain))
    return Asked(plain, words, hints, frozenset(asked().of(plain)), elsewhere, amounts)


def features(question: Asked, passage: Passage, meaning: float, evidence: Evidence, at: int) -> dict[str, float]:
    """What speaks for and against a passage, by the names of ORDER. `at` is its place in the lexical index."""
    hints, tags = question.hints, passage.tags
    own_campaign = _agrees({hints.campaign} if hints.campaign else set(), tags.campaigns)
    phases = {hints.phase, kind_of(hints.phase)} if hints.phase else set()
    own_phase = _agrees(phases, tags.phases)
    return {
        "meaning": meaning,
        "tokens": float(evidence.tokens[at]),
        "terms": float(evidence.terms[at]),
        "words": float(evidence.words[at]),
        "names": float(evidence.names[at]),
        "campaign": float(own_campaign is True),
        "other_campaign": float(own_campaign is False),
        "phase": float(own_phase is True),
        "other_phase": float(own_phase is False),
        "crowd": float(bool(hints.crowds & tags.crowds) or passage.key.removeprefix("crowd:") in hints.crowds),
        "channel": float(hints.channel in tags.channels),
        "own": float(passage.own),
        "definition": float("definition" in question.wants and passage.kind in ("metric", "crowd")),
        "only_meaning": float("method" in question.wants and passage.defines),
        "moves": float("method" in question.wants and bool(hints.metrics & tags.moves)),
        "allowed": float("allowed" in question.wants and passage.kind == "rule"),
        "no_amount": float(any(not states.search(passage.text) for states in question.amounts)),
    }


def order(found: Mapping[str, float]) -> float:
    return sum(ORDER[name] * value for name, value in found.items())


def doubts(
    question: Asked, best: Passage, found: Mapping[str, float], evidence: Evidence, lexical: Lexical
) -> dict[str, float]:
    """What speaks for and against the best passage answering at all, by the names of ANSWERED. `found`: its features."""
    said = set(_terms_of(best))
    missing = [lexical.rarity(t) for t in set(question.words.terms) if t not in said]
    matters = [
        evidence.unknown[w] for w in question.words.words if w in question.words.matters and w in evidence.unknown
    ]
    unknown = list(evidence.unknown.values())
    named = max((_named(n, question.text) for n in map(_plain, best.names)), default=0) / len(question.text)
    if best.own:
        named = max(named, _OWN_TREATS)
    elsewhere = question.elsewhere * (1 - named)  # 加班费怎么算 is elsewhere; 进店率怎么算 is like it, and is not
    return {
        "evidence": sum(ORDER[name] * found[name] for name in ("meaning", "tokens", "terms", "words", "names")),
        "words": found["words"],
        "no_terms": float(not question.words.terms),
        "missing_term": max(missing, default=0.0) / math.log(1 + (lexical.size + 0.5) / 0.5),
        "unknown_matters": float(sum(u > _NO_WORD for u in matters)),
        "most_unknown": max(matters, default=0.0),
        "unknown": sum(unknown) / len(unknown) if unknown else 0.0,
        "elsewhere": elsewhere,
        "surely_elsewhere": max(0.0, elsewhere - _NEAR_ELSEWHERE),
        "named": named,
        "definition": found["definition"],
        "moves": found["moves"],
        "no_amount": found["no_amount"],
    }


def _named(name: str, text: str) -> int:
    """How many characters of a text are a name, or nearly all of it in its order: 短信多少个字算一条 for 短信多少字算一条."""
    if name in text:
        return len(name)
    if len(name) < _LONG_NAME:
        return 0
    same = sum(b.size for b in SequenceMatcher(None, name, text, autojunk=False).get_matching_blocks() if b.size > 1)
    return same if same >= _NEARLY * len(name) else 0


def answered(found: Mapping[str, float]) -> float:
    """The probability that the best passage answers."""
    total = ANSWERED["always"] + sum(ANSWERED[name] * value for name, value in found.items())
    return 1 / (1 + math.exp(-max(min(total, 30.0), -30.0)))


def _plain(name: str) -> str:
    return simplified(name).lower()


def _terms_of(passage: Passage) -> Sequence[str]:
    from knowledge.words import words_of

    return words_of(f"{passage.indexed()}\n{passage.context}").terms


def _agrees(asked: set[str], tagged: frozenset[str]) -> bool | None:
    """Whether a passage is of what is asked; None where either leaves it open."""
    return bool(asked & tagged) if asked and tagged else None
