"""No untraced numeral gets out: every numeral of a text is a fact's display, stands in the question or in a citation, or is
structure (rule 1 of contracts.md), and every citation mark has its citation (rule 2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from bot.answer import Answer
from knowledge import catalog

_TRADITIONAL = str.maketrans("萬億兩", "万亿两")
_CN = "零〇一二两三四五六七八九十百千万亿"
# 1,832 · 18.3% · 06-17 · 10:00 · 1.8万 · 三成 · 十二人
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?(?:[:\-/]\d+)*")
# Chinese numerals count things only when a unit or another numeral follows; 一对一, 第一波 and 唯一 do not, and a lone 一 is
# idiom (最后一天, 同一件).
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
# Behind a number, what makes it a quantity.
_NO_COUNT = r"(?!\s*(?:[人个名位元块件天条单次笔款倍成%％]|小时|分钟|people|persons?|hours?|days?|minutes?))"
_LIST_NUMBER = re.compile(r"^\s*\d{1,2}[.)、]\s")
_MARK = re.compile(r"\[(\d{1,2})\]")


@dataclass(frozen=True)
class Problem:
    """`span` in line `line` (from 0) of the text has no source."""

    line: int
    span: str


def problems(answer: Answer, question: str) -> list[Problem]:
    """The numerals and citation marks of `answer.text` that nothing stands behind."""
    sources = [*(f.display for f in answer.facts), question, *_structure(answer)]
    allowed = {n for s in sources for n in numerals(s)}
    verbatim = _verbatim(answer)
    marks = {str(c.id) for c in answer.citations}
    out = []
    for i, line in enumerate(answer.text.split("\n")):
        body = line
        for phrase in verbatim:
            body = _without(phrase, body)
        # Marks inside a quoted line are the document's own.
        out += [Problem(i, f"[{m}]") for m in _MARK.findall(body) if m not in marks]
        body = _LIST_NUMBER.sub("", _MARK.sub(" ", body))
        out += [Problem(i, n) for n in sorted(numerals(body)) if n not in allowed]
    return out


def _verbatim(answer: Answer) -> list[str]:
    """Phrases that may stand as they are, numerals and all, longest first: lines of quotes, titles of what is cited, options
    asked back, and the catalogue's names and definitions. Their numerals are allowed nowhere else."""
    phrases = [line for c in answer.citations for line in c.quote.splitlines()]
    phrases += [part for c in answer.citations for part in (c.source, c.section, c.section.split(" › ")[-1])]
    if answer.clarify:
        phrases += [answer.clarify.question, *answer.clarify.options]
    found = {p.strip() for p in phrases if p.strip()} | _names()
    return sorted(found, key=len, reverse=True)


def _without(phrase: str, line: str) -> str:
    """The line with the phrase blanked out; the 618 of ¥496,618, of ¥618 and of 618 人 is not the campaign."""
    if phrase not in line:
        return line
    before = r"(?<![\d¥$€£])(?<!\d[,.])" if phrase[0].isdigit() else ""
    after = r"(?![,.]?\d)" if phrase[-1].isdigit() else ""
    if phrase.isdigit():
        after += _NO_COUNT
    return re.sub(before + re.escape(phrase) + after, " ", line)


def numerals(text: str) -> set[str]:
    """The numerals of a text, in a form in which the same number written the same way compares equal."""
    # A full-width comma stands between numbers, never inside one: ¥37,085，6 月 holds two.
    plain = unicodedata.normalize("NFKC", text.replace("，", " ， ")).translate(_TRADITIONAL)
    found: Iterable[str] = [*_DIGITS.findall(plain), *_CHINESE.findall(plain)]
    words = (m.group().strip(" -").lower() for m in _ENGLISH.finditer(plain))
    return {_normal(n) for n in [*found, *words] if n and n != "一"}


def _normal(numeral: str) -> str:
    return numeral.rstrip(",").replace(",", "")


def _structure(answer: Answer) -> list[str]:
    """What the interpretation shows: campaign, period, what was assumed, what was not used."""
    what = answer.interpretation
    return [what.campaign or "", *(what.period or {}).values(), *what.assumed, *what.unused]


@cache
def _names() -> frozenset[str]:
    """The catalogue's names and definitions that hold a numeral: 618, 双11, 第一波预售, 近 3 天有加购…"""
    entries: list[catalog.Named] = [*catalog.crowds().values(), *catalog.metrics().values()]
    texts = [t for e in entries for t in (e.name.zh, e.name.en, e.meaning.zh, e.meaning.en)]
    for template in catalog.campaign_templates().values():
        for name in (template.name, *(p.name for p in template.phases)):
            texts += [name] if isinstance(name, str) else [name.zh, name.en]
        texts.append(template.key)
    return frozenset(t for t in texts if numerals(t))
