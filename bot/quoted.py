"""Quotes of a text must stand somewhere: in a citation, a fact, a draft, the question, the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import prompts
from bot.answer import Answer
from knowledge import catalog
from knowledge.textnorm import simplified

_LEAST = 8  # characters; shorter ones stress a word
_PAIRS = ("「」", "『』", "“”", "‘’", "«»", "〝〞")
_QUOTE = re.compile("|".join(rf"{p[0]}([^{p}\n]+){p[1]}" for p in _PAIRS) + r'|(?<![\w\d])"([^"\n]+)"|《([^《》\n]+)》')
_BLOCK = re.compile(r"^[ \t]*>[ \t]*(.+)$", re.MULTILINE)
_MARKED = re.compile(r"\s*[。.,;!?]?\s*\[\d")
_ELIDED = re.compile(r"…+|\.{3,}|\[\.\.\.\]")
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Quote:
    """A quote at start..end of a seen text; `true` when it stands somewhere word by word."""

    start: int
    end: int
    text: str
    true: bool


def quotes(shown: str, answer: Answer, question: str) -> list[Quote]:
    """The quotes of a seen text that are long enough to be somebody's words, and whether they are."""
    found = list(_spans(shown))
    if not found:
        return []
    sources = _Sources(answer, question)
    return [Quote(start, end, text, sources.hold(text)) for start, end, text in found]


def _spans(shown: str) -> Iterator[tuple[int, int, str]]:
    for m in _QUOTE.finditer(shown):
        text = next(g for g in m.groups() if g)
        marked = _MARKED.match(shown, m.end()) is not None
        least = 4 if m[0][0] == "《" or marked else _LEAST
        if len(_folded(text)) >= least and (marked or m[0][0] == "《" or not text.isascii() or " " in text.strip()):
            yield m.start(), m.end(), text
    for m in _BLOCK.finditer(shown):
        text = re.sub(r"(?:\s*\[\d{1,2}\])+\s*$", "", m[1])
        if len(_folded(text)) >= _LEAST:
            yield m.start(1), m.start(1) + len(text), text


def _folded(text: str) -> str:
    """A text without blanks, punctuation and case, as quotes are compared."""
    return _NOT_WORD.sub("", simplified(text)).lower()


class _Sources:
    """Where the words of an answer may come from; made only when there is something to look up."""

    def __init__(self, answer: Answer, question: str) -> None:
        what = answer.interpretation
        pieces = [question, *what.assumed, *what.unused, "".join(what.unused), *(c.title for c in answer.charts)]
        pieces += [part for c in answer.citations for part in (c.quote, c.source, c.section)]
        pieces += [part for f in answer.facts for part in (f.display, f.label)]
        pieces += [d.text for d in answer.drafts]
        pieces += [
            part
            for d in answer.drafts
            for x in d.verdict.findings
            for part in (x.text, x.why, x.rewrite or "", x.source)
        ]
        pieces += [part for a in answer.actions for part in (a.title, a.stop_rule or "")]
        if answer.clarify:
            pieces += [answer.clarify.question, *answer.clarify.options]
        self._pieces = [p for p in map(_folded, pieces) if p]

    def hold(self, text: str) -> bool:
        """Whether the words stand in one place; … may leave some out."""
        parts = [p for p in map(_folded, _ELIDED.split(text)) if p]
        return any(_in_order(parts, piece) for piece in self._pieces) or any(
            _in_order(parts, p) for p in (*_known(), *_fixed(), *_rules())
        )


def _in_order(parts: list[str], piece: str) -> bool:
    at = 0
    for part in parts:
        at = piece.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


@cache
def _known() -> tuple[str, ...]:
    """Names and definitions of the catalogue, the titles of tasks."""
    texts: list[str] = []
    for entry in (*catalog.crowds().values(), *catalog.metrics().values()):
        texts += [entry.name.zh, entry.name.en, entry.meaning.zh, entry.meaning.en, *entry.aliases]
    for template in catalog.campaign_templates().values():
        texts += template.aliases
        for name in (template.name, *(p.name for p in template.phases)):
            texts += [name] if isinstance(name, str) else [name.zh, name.en]
    rules = catalog.unpaid().phases.values()
    pairs: list[catalog.Bilingual] = [s.title for s in catalog.strategies()]
    pairs += [said for rule in rules for said in (rule.meaning, rule.headline, *(m.title for m in rule.moves))]
    texts += [t for pair in pairs for t in (pair.zh, pair.en)]
    return tuple(map(_folded, texts))


@cache
def _fixed() -> tuple[str, ...]:
    """Our own fixed texts: buttons, headings, how to ask."""
    return tuple(map(_folded, prompts.templates()))


@cache
def _rules() -> tuple[str, ...]:
    """What the rules for copy are called and say; read only when nothing else holds a quote."""
    from knowledge.copy_rules import rule_texts

    pairs: list[catalog.Bilingual] = [p for rule in rule_texts() for p in (rule.name, rule.why, rule.source)]
    return tuple(_folded(t) for pair in pairs for t in (pair.zh, pair.en))
