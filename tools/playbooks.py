"""Search in the playbooks as a tool: passages with verbatim quotes to cite."""

from __future__ import annotations

import re
from collections.abc import Iterable

from knowledge import catalog
from knowledge.chunks import sections
from knowledge.hints import Hints
from knowledge.noise import sentences
from knowledge.passages import Passage
from knowledge.words import words_of
from tools import phases
from tools.context import Context
from tools.errors import NeedsPerson
from tools.facts import ToolResult
from tools.lines import literal

_SHOWN = 3
_KEY = re.compile(r"[a-z_]+")
_DEFINED = ("metric", "crowd", "rule")


def search_playbooks(
    ctx: Context,
    query: str,
    crowds: list[str] | None = None,
    campaign: str | None = None,
    phase: str | None = None,
    channel: str | None = None,
    metrics: list[str] | None = None,
) -> ToolResult:
    """Passages of the playbooks, the shop's own documents and the definitions that answer a question, to cite; none when nothing
    does.

    query: the question in its own words. What else is known, in catalogue keys: crowds, campaign, phase (default today's),
    channel, metrics.
    """
    found = ctx.open_search().find(
        query, k=8, hints=hints_at(ctx, crowds or (), campaign, phase, channel, metrics or ())
    )
    assumed = []
    if found.trouble is not None:
        assumed.append(NeedsPerson(found.trouble.code, **found.trouble.details).message(ctx.lang))
    if found.read_as and found.hits:
        ctx.sheet.text(ctx.say("label.read_as"), found.read_as, literal(found.read_as))
        assumed.append(ctx.say("knowledge.read_as", text=found.read_as))
    shown = list(dict.fromkeys(_read_where(h.passage) for h in found.hits))[:_SHOWN]
    if not shown:
        near = list(dict.fromkeys(_title(_read_where(h.passage), ctx.lang) for h in found.near))[:_SHOWN]
        for title in near:
            ctx.sheet.text(ctx.say("label.section"), title, literal(title))
        data = {"passages": [], "also": [], "near": near, "assumed": assumed}
        return ToolResult(kind="knowledge", facts=ctx.sheet.facts, data=data)
    best, *others = shown
    number = ctx.sheet.cite(best.source.get(ctx.lang), best.section.get(ctx.lang), best.text)
    if best.shown:
        ctx.sheet.text(ctx.say("label.section"), best.shown, literal(best.shown))
    passages = [{"title": _title(best, ctx.lang), "lines": _lines(best, ctx.lang), "cite": number}]
    also = []
    for p in others:
        number = ctx.sheet.cite(p.source.get(ctx.lang), p.section.get(ctx.lang), _telling(query, p.text))
        also.append(f"{_title(p, ctx.lang)} [{number}]")
    return ToolResult(
        kind="knowledge",
        facts=ctx.sheet.facts,
        citations=ctx.sheet.citations,
        data={"passages": passages, "also": also, "near": [], "assumed": assumed},
    )


def hints_at(
    ctx: Context,
    crowds: Iterable[str],
    campaign: str | None = None,
    phase: str | None = None,
    channel: str | None = None,
    metrics: Iterable[str] = (),
) -> Hints:
    """What is known about a question asked now; where it names no campaign or phase, those of the moment."""
    here = phases.position(ctx)
    named = frozenset(word for crowd in crowds for word in _KEY.findall(crowd) if word in catalog.crowds())
    return Hints(
        campaign=campaign or (here[0].key if here else None),
        phase=phase or (here[1].key if here else None),
        crowds=named,
        metrics=frozenset(kin for metric in metrics for kin in catalog.metrics_akin(metric)),
        channel=channel,
    )


def _read_where(p: Passage) -> Passage:
    """A task is read in the section that it was written from."""
    section = sections().get(p.stands_for.removeprefix("playbook:")) if p.kind == "strategy" else None
    if section is None:
        return p
    return Passage(f"playbook:{section.key}", "playbook", section.title, section.path, section.text)


def _telling(question: str, text: str) -> str:
    """The sentence of a passage that has most of the question's words, verbatim; the first of those that have as many."""
    asked = words_of(question)
    wanted = {*asked.terms, *asked.words}
    found = [s.strip() for line in text.splitlines() for s in sentences(line) if s.strip()]

    def shared(sentence: str) -> int:
        said = words_of(sentence)
        return len(wanted & {*said.terms, *said.words})

    return max(found, key=shared)


def _title(p: Passage, lang: str) -> str:
    return p.section.get(lang).split(" › ")[-1]


def _lines(p: Passage, lang: str) -> list[str]:
    """The passage as it stands; what is written in both languages, in the answer's."""
    if p.kind in (*_DEFINED, "strategy"):
        zh, _, en = p.text.partition("\n")
        return [en if lang == "en" and en else zh]
    return [line for line in (p.shown or p.text).splitlines() if line.strip()]
