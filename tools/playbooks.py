"""Search in the playbooks as a tool: passages with verbatim quotes to cite."""

from __future__ import annotations

from knowledge.chunks import first_sentence
from knowledge.passages import Passage
from knowledge.textnorm import simplified
from tools.context import Context
from tools.facts import ToolResult

_SHOWN = 3
# Room for "怎么算" or "how is … defined" beside a name.
_SPARE_CHARACTERS, _SPARE_LETTERS = 7, 18


def search_playbooks(ctx: Context, query: str) -> ToolResult:
    """Find what the strategy playbooks and definitions say about a question: passages to cite, none when nothing answers."""
    hits = ctx.open_search().search(query, k=8)
    asked = simplified(query).casefold()
    # A definition answers only when hardly more than its name is asked about; a strategy is read in its playbook's section.
    shown = [
        h.passage
        for h in hits
        if h.passage.kind == "playbook" or (h.passage.kind != "strategy" and _asks_for(asked, h.passage))
    ][:_SHOWN]
    if not shown:
        return ToolResult(kind="knowledge", data={"passages": [], "also": []})
    best = shown[0]
    passages = []
    for p in [best] if best.kind == "playbook" else shown[:1]:
        number = ctx.sheet.cite(p.source.get(ctx.lang), p.section.get(ctx.lang), p.text)
        passages.append({"title": _title(p, ctx.lang), "lines": _lines(p, ctx.lang), "cite": number})
    also = []
    for p in shown[1:]:
        number = ctx.sheet.cite(p.source.get(ctx.lang), p.section.get(ctx.lang), _first_sentence(p))
        also.append(f"{_title(p, ctx.lang)} [{number}]")
    return ToolResult(
        kind="knowledge",
        facts=ctx.sheet.facts,
        citations=ctx.sheet.citations,
        data={"passages": passages, "also": also},
    )


def _asks_for(asked: str, p: Passage) -> bool:
    spare = _SPARE_LETTERS if asked.isascii() else _SPARE_CHARACTERS
    names = (simplified(n).casefold() for n in p.names)
    return any(n in asked and len(asked) - len(n) <= spare for n in names)


def _title(p: Passage, lang: str) -> str:
    return p.section.get(lang).split(" › ")[-1]


def _lines(p: Passage, lang: str) -> list[str]:
    """The passage as it stands; a definition in the answer's language."""
    if p.kind in ("metric", "crowd"):
        zh, en = p.text.split("\n", 1)
        return [en if lang == "en" else zh]
    return [line for line in p.text.splitlines() if line.strip()]


def _first_sentence(p: Passage) -> str:
    return first_sentence(p.text)
