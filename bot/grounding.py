"""Nothing untraced gets out, whoever wrote the text (the rules of contracts.md that hold for every answer).

A number is a fact's, in value and kind, as far as its own form is exact; or it stands in the question, in a quote that its
line cites, in a name, or is structure. Quotes stand word by word in a source, citation marks have their citation, a number stands
beside the crowd or metric of its fact, and no personal datum is told.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from bot import numeral_words
from bot import numerals as reader
from bot.answer import Answer
from bot.evidence import Evidence, evidence, is_change
from bot.named import Clauses, misnamed
from bot.numerals import Number
from bot.plain_text import Plain, plain, worded
from bot.quoted import quotes
from bot.seen_text import blanked, idiom_file, seen
from knowledge import catalog
from knowledge.masking import personal
from tools.facts import Fact

_MARK = re.compile(r"[\[【]\s*\^?(\d{1,3}(?:\s*[,、–-]\s*\d{1,3})*)\s*[\]】](?!\()")
_FACT = re.compile(r"(?<![\w.#])f(\d{1,3})(?![\w.-])")
_NUMERAL = re.compile(
    rf"\d|[{numeral_words.CHINESE}半翻几数]|\b(?:{numeral_words.ENGLISH}|{'|'.join(numeral_words.PARTS)}|dozens|hundreds|thousands|twice|"
    r"doubled?|triple)",
    re.IGNORECASE,
)
# Behind a number, what makes it a quantity.
_NO_COUNT = r"(?!\s*(?:[人个名位元块件天条单次笔款倍成%％]|小时|分钟|people|persons?|members|hours?|days?|minutes?))"
_CODE = re.compile(r"[A-Za-z]+-?\d+\w*")
_BULLET = re.compile(r"^[ \t]*(?:[·•*-]|\d{1,2}[.)、]|[①-⑳]) ?\S", re.MULTILINE)
_LAW = re.compile(r"[》法例定则] ?第 ?\Z")
_NTH, _ON_THE = (
    re.compile(r"\d+(?:st|nd|rd|th)"),
    re.compile(r"\b(?:on|by|until|till|before|after|from|since) the \Z", re.IGNORECASE),
)
_CHECKED = re.compile(r"[「\"](?P<said>[^「」\"\n]+)[」\"]")
_ASK_NEXT = re.compile(r"^\W*(?:可以接着问|你可以接着问|接着问|Ask next|You can ask|Try)", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """`span` in line `line` (from 0) of the text has no source. A sign turned round (涨 where it fell) is a numeral's problem."""

    line: int
    span: str
    kind: Literal["numeral", "quote", "mark", "name", "personal"] = "numeral"


def problems(answer: Answer, question: str) -> list[Problem]:
    """What nothing stands behind in `answer.text`, in the order of its lines."""
    return sorted(_Check(answer, question).run(), key=lambda p: p.line)


def traced(answer: Answer, question: str) -> list[tuple[str, Fact]]:
    """(number as it stands in the text, the fact behind it), in the text's order; what is no fact's is left out."""
    check = _Check(answer, question)
    out: list[tuple[str, Fact]] = []
    for n in reader.read(worded(check.shown, check.body())):
        facts = check.evidence.behind(n)
        if facts:
            # Of several with that value, the one that is written so.
            out.append((n.span.strip(), next((f for f in facts if n.span.strip() in f.display), facts[0])))
    return list({(span, fact.id): (span, fact) for span, fact in out}.values())


def numerals(text: str) -> set[str]:
    """The numerals of a text, in digits and without separators."""
    return {n.replace(",", "") for n in re.findall(r"\d[\d,]*(?:\.\d+)?", plain(text).text)}


class _Check:
    """One text against what stands behind it."""

    def __init__(self, answer: Answer, question: str) -> None:
        self.answer, self.question = answer, question
        self.shown = seen(answer.text)
        self.starts = [0, *(i + 1 for i, c in enumerate(self.shown) if c == "\n")]
        self.found: list[Problem] = []
        self.cites: dict[int, set[int]] = {}
        self.evidence: Evidence = evidence(answer, question)

    def run(self) -> list[Problem]:
        self._numbers(worded(self.shown, self.body()), self.cites)
        # The check of the copy has judged a draft's lines (tools/compliance.py); half a draft would be worse than any.
        own = {seen(line).strip() for d in self.answer.drafts for line in d.text.split("\n")}
        lines = self.shown.split("\n")
        return [p for p in self.found if lines[p.line].strip() not in own]

    def body(self) -> str:
        """The text with everything blanked out whose numerals are not the text's own."""
        body = self._without_personal(self.shown)
        if self.answer.interpretation.intent == "check":
            body = _without_checked(body, self.question)
        body = self._without_quotes(body)
        for phrase in _phrases(self.answer, self.question):
            body = _without(phrase, body)
        self.cites = self._cites(body)
        body = _MARK.sub(lambda m: " " * len(m[0]), body)
        return self._without_fact_ids(body)

    def _line(self, at: int) -> int:
        return bisect_right(self.starts, at) - 1

    def _problem(self, at: int, span: str, kind: Literal["numeral", "quote", "mark", "name", "personal"]) -> None:
        self.found.append(Problem(self._line(at), span.strip(), kind))

    def _without_personal(self, body: str) -> str:
        for start, end in personal(body):
            self._problem(start, body[start:end], "personal")
            body = blanked(body, start, end)
        return body

    def _without_quotes(self, body: str) -> str:
        """Invented quotes are problems, true ones are blanked: their numerals are their source's."""
        for q in quotes(body, self.answer, self.question):
            line = self.shown[self.starts[self._line(q.start)] :].partition("\n")[0]
            if q.true:
                body = blanked(body, q.start, q.end)
            elif not (_ASK_NEXT.match(line) and q.text.rstrip().endswith("?")):
                self._problem(q.start, q.text, "quote")
        return body

    def _cites(self, body: str) -> dict[int, set[int]]:
        """Line → the citations that it marks; a mark without its citation is a problem."""
        known = {c.id for c in self.answer.citations}
        cites: dict[int, set[int]] = {}
        for m in _MARK.finditer(body):
            marks = set(_marked(m[1]))
            cites.setdefault(self._line(m.start()), set()).update(marks & known)
            if not marks <= known:
                self._problem(m.start(), m[0], "mark")
        return cites

    def _without_fact_ids(self, body: str) -> str:
        ids = {f.id for f in self.answer.facts}
        for m in _FACT.finditer(body):
            if m[0] in ids:
                self._problem(m.start(), m[0], "mark")
                body = blanked(body, m.start(), m.end())
        return body

    def _numbers(self, text: Plain, cites: dict[int, set[int]]) -> None:
        clauses = Clauses(self.shown)
        for n in reader.read(text):
            start = text.origin[n.start] if n.start < len(text.origin) else len(text.seen)
            end = text.origin[n.end - 1] + 1
            marks = cites.get(self._line(start), set())
            if not self.evidence.holds(n, marks) and not self._is_structure(n, text):
                self._untraced(n, start, end)
            elif self._turned(n):
                self._problem(start, n.span, "numeral")
            elif misnamed(n, said := clauses.around(start, end), self.evidence):
                self._problem(start, said, "name")

    def _untraced(self, n: Number, start: int, end: int) -> None:
        self._problem(start, n.span, "numeral")
        if self._line(end - 1) != self._line(start):  # 1,⏎832: both lines go
            self._problem(end - 1, n.span, "numeral")

    def _turned(self, n: Number) -> bool:
        """Whether the text says up where every fact with that number says down, or the other way round."""
        if not n.sign:
            return False
        facts = self.evidence.behind(n)
        return bool(facts) and all(is_change(f) and float(f.value or 0) * n.sign < 0 for f in facts)

    def _is_structure(self, n: Number, text: Plain) -> bool:
        """An order (第三步), what speech announces (两步), and a count of what the text itself lists."""
        before = text.text[max(0, n.start - 12) : n.start]
        for r in n.readings:
            value = round((r.low + r.high) / 2)
            if r.kind == "order":
                if re.match(r" ?波", n.noun) or re.search(r"wave ?\Z", before, re.IGNORECASE):
                    return value in _waves()
                return value <= 10 and not _LAW.search(before) and not (_NTH.match(n.span) and _ON_THE.search(before))
            if r.high - r.low <= 1 and r.kind in ("count", "thing", "number", "days") and 2 <= value <= 12:
                noun = n.noun if n.noun else text.text[n.end : n.end + 40]
                if value <= 5 and _speech().match(noun):
                    return True
                if r.kind != "days" and _listed().match(noun) and value in self._countable(n, text):
                    return True
        return False

    def _countable(self, n: Number, text: Plain) -> set[int]:
        """How many things the answer holds and the text lists."""
        a = self.answer
        what = a.interpretation
        counts = {len(x) for x in (a.actions, a.drafts, a.citations, a.charts, what.metrics, what.crowds)}
        counts.add(len(_BULLET.findall(self.shown)))
        line = text.text[n.end :].partition("\n")[0]
        _, colon, tail = line.partition(":")
        if colon:
            counts.add(
                len([p for p in re.split(r"[、;；]|,(?!\d)| and | / ", re.split(r"[。!?]", tail)[0]) if p.strip()])
            )
        return counts


def _marked(inside: str) -> Iterable[int]:
    """1,3-5 → 1 3 4 5."""
    for piece in re.split(r"[,、]", inside):
        ends = [int(n) for n in re.findall(r"\d+", piece)]
        yield from range(ends[0], ends[-1] + 1) if ends[-1] - ends[0] < 50 else ends


def _phrases(answer: Answer, question: str) -> list[str]:
    """What may stand as it is, numerals and all, longest first: lines of quotes, titles of what is cited, texts of facts, options
    asked back, and names. Their numerals are allowed nowhere else."""
    texts = [line for c in answer.citations for line in c.quote.split("\n")]
    texts += [part for c in answer.citations for part in (c.source, c.section, *c.section.split(" › "))]
    texts += [f.label for f in answer.facts]
    texts += [line for f in answer.facts if f.unit == "text" for line in f.display.split("\n")]
    texts += [part for a in answer.actions for part in (*a.title.split(" — "), a.stop_rule or "")]
    texts += _CODE.findall(question)
    if answer.clarify:
        texts += [answer.clarify.question, *answer.clarify.options]
    found = {p for t in texts for p in _phrase(t)} | _names()
    return sorted(found, key=len, reverse=True)


@lru_cache(4096)
def _phrase(text: str) -> tuple[str, ...]:
    """The text, and its sentences, as they are seen; nothing where there is no numeral to let pass or nothing but numerals."""
    if not _NUMERAL.search(text):
        return ()
    shown = seen(text).strip()
    pieces = {shown, *(s.strip() for s in re.split(r"(?<=[。!?;])", shown))}
    return tuple(
        p
        for p in pieces
        if _NUMERAL.search(p) and (len(re.sub(r"[\d\W_年月日号人元个%天]", "", p)) >= 2 or _CODE.fullmatch(p))
    )


def _without_checked(body: str, question: str) -> str:
    """The text with the words of the copy that was given blanked out where they are quoted, however short; *** stands for what
    was hidden in them."""
    given = re.sub(r"\s", "", seen(question))

    def blank(m: re.Match[str]) -> str:
        parts = re.split(r"\*+", re.sub(r"\s", "", m["said"]))
        pattern = ".*".join(map(re.escape, parts))
        return m[0] if not any(parts) or not re.search(pattern, given) else " " * len(m[0])

    return _CHECKED.sub(blank, body)


def _without(phrase: str, body: str) -> str:
    """The text with the phrase blanked out; the 618 of ¥496,618, of ¥618 and of 618 人 is not the campaign."""
    if phrase not in body:
        return body
    before = r"(?<![\d¥$€£])(?<!\d[,.])" if phrase[0].isdigit() else ""
    after = r"(?![,.]?\d)" if phrase[-1].isdigit() else ""
    if phrase[-1].isdigit():
        after += _NO_COUNT
    return re.sub(before + re.escape(phrase) + after, lambda m: "\ue020" * len(m[0]), body)


@cache
def _names() -> frozenset[str]:
    """The catalogue's names and definitions that hold a numeral: 618, 双11, 第一波预售, 近 3 天有加购…"""
    entries: list[catalog.Named] = [*catalog.crowds().values(), *catalog.metrics().values()]
    texts = [t for e in entries for t in (e.name.zh, e.name.en, e.meaning.zh, e.meaning.en)]
    for template in catalog.campaign_templates().values():
        for name in (template.name, *(p.name for p in template.phases)):
            texts += [name] if isinstance(name, str) else [name.zh, name.en]
        # June 18 is a day; who means the campaign is understood, but a text does not say a day by it.
        texts += [
            template.key,
            *(a for a in template.aliases if not re.fullmatch(r"[A-Z][a-z]+ \d+", a) or a[0] == "D"),
        ]
    return frozenset(seen(t).strip() for t in texts if _NUMERAL.search(t))


@cache
def _waves() -> frozenset[int]:
    """The waves that campaigns have."""
    found = re.findall(r"第 ?(\d) ?波|wave (\d)", "\n".join(plain(t).text for t in _names()), re.IGNORECASE)
    return frozenset(int(a or b) for a, b in found)


@cache
def _speech() -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{'|'.join(idiom_file().speech)})", re.IGNORECASE)


@cache
def _listed() -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{'|'.join(idiom_file().listed)})", re.IGNORECASE)
