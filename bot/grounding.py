"""No untraced numeral gets out: every numeral of a text is a fact's display, stands in the question or in a citation, or is
structure (rule 1 of contracts.md), and every citation mark has its citation (rule 2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.answer import Answer
from knowledge.textnorm import simplified

_CN = "零〇一二两三四五六七八九十百千万亿"
# 1,832 · 18.3% · 06-17 · 10:00 · 1.8万 · 三成 · 十二人
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?(?:[:\-/]\d+)*")
# Chinese numerals count things only when a unit or another numeral follows; 一对一, 第一波 and 唯一 do not.
_CHINESE = re.compile(
    rf"[{_CN}]*[{_CN[2:]}][{_CN}]*(?:点[{_CN}]+)?(?=[人个名位元块天日号小时分钟%％倍成件笔单条款月年])|"
    rf"百分之[{_CN}]+(?:点[{_CN}]+)?|[{_CN}]{{2,}}"
)
_ENGLISH = re.compile(
    r"\b(?:(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|"
    r"nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|dozen|dozens|half|"
    r"twice|double|triple|quarter)\b[ -]?)+",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"^\s*\d{1,2}[.)、]\s")
_MARK = re.compile(r"\[(\d{1,2})\]")


@dataclass(frozen=True)
class Problem:
    """`span` in line `line` (from 0) of the text has no source."""

    line: int
    span: str


def problems(answer: Answer, question: str) -> list[Problem]:
    """The numerals and citation marks of `answer.text` that nothing stands behind."""
    sources = [
        *(f.display for f in answer.facts),
        question,
        *(part for c in answer.citations for part in (c.quote, c.source, c.section)),
        *_structure(answer),
        *(_clarify(answer)),
    ]
    allowed = {n for s in sources for n in numerals(s)}
    marks = {str(c.id) for c in answer.citations}
    out = []
    for i, line in enumerate(answer.text.split("\n")):
        out += [Problem(i, f"[{m}]") for m in _MARK.findall(line) if m not in marks]
        body = _LIST_NUMBER.sub("", _MARK.sub(" ", line))
        out += [Problem(i, n) for n in numerals(body) if n not in allowed]
    return out


def numerals(text: str) -> set[str]:
    """The numerals of a text, in a form in which the same number written the same way compares equal."""
    plain = simplified(text)
    found: Iterable[str] = [*_DIGITS.findall(plain), *_CHINESE.findall(plain)]
    words = (m.group().strip(" -").lower() for m in _ENGLISH.finditer(plain))
    return {_normal(n) for n in [*found, *words] if n}


def _normal(numeral: str) -> str:
    return numeral.rstrip(",").replace(",", "")


def _structure(answer: Answer) -> list[str]:
    """Names that the interpretation shows and fixed texts carry: campaign, phase, period, crowds, metrics."""
    from knowledge import catalog

    what = answer.interpretation
    out = [what.campaign or "", *(what.period or {}).values(), *what.assumed, *what.unused]
    templates = catalog.campaign_templates()
    for template in templates.values():
        out += [str(template.name), template.key, *(str(p.name) for p in template.phases)]
    crowds, metrics = catalog.crowds(), catalog.metrics()
    out += [f"{c.meaning} {c.name}" for c in crowds.values()]
    out += [f"{m.meaning} {m.name}" for m in metrics.values()]
    return out


def _clarify(answer: Answer) -> list[str]:
    return [answer.clarify.question, *answer.clarify.options] if answer.clarify else []
