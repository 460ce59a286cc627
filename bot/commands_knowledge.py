"""`warroom knowledge`: the playbooks and the shop's own documents, searched, listed, added, removed, indexed again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import prompts
from bot import commands_proposals
from bot.commands import as_json, at_of, open_room, print_json
from tools.errors import NeedsPerson

if TYPE_CHECKING:
    from bot.wiring import WarRoom
    from knowledge.hints import Hints
    from tools.documents import Added, Refused


_KINDS = {
    "playbook": "listed.playbook", "strategy": "listed.strategy", "metric": "listed.metric", "crowd": "listed.crowd",
    "rule": "listed.rule",
}  # fmt: skip
_SHOWN = 10  # file names in one line


def knowledge(args: argparse.Namespace) -> int:
    if args.part == "accept":
        return commands_proposals.accept(args)
    with open_room(args) as room:
        return _PARTS[args.part](args, room) or 0


def _rebuild(args: argparse.Namespace, room: WarRoom) -> None:
    n = _index(args, room, anew=True)
    print_json({"passages": n}) if as_json(args) else print(n)


def _list(args: argparse.Namespace, room: WarRoom) -> None:
    """What is indexed with the number of passages; first the shop's own documents, with their format and why one cannot be
    read."""
    from bot.console import table
    from tools import documents

    counted: dict[tuple[str, str], int] = {}
    for p in room.search.all:
        key = (p.source.get(args.ui_lang), p.kind)
        counted[key] = counted.get(key, 0) + 1
    rows: list[dict[str, Any]] = []
    for d in documents.listed(room.shop.root):
        why = {"problem": d.problem.message(args.ui_lang)} if d.problem else {}
        n = counted.pop((d.source, "playbook"), 0)
        rows.append({"source": d.source, "kind": "playbook", "passages": n, "format": d.format, **why})
    own = len(rows)
    rows += [{"source": source, "kind": kind, "passages": n} for (source, kind), n in counted.items()]
    if as_json(args):
        print_json(rows)
        return
    lang = args.ui_lang
    body = [
        [r["source"], prompts.text("listed.own" if i < own else _KINDS[r["kind"]], lang), str(r["passages"]),
         r.get("format", ""), r.get("problem", "")]
        for i, r in enumerate(rows)
    ]  # fmt: skip
    table(prompts.text("listed.columns", lang).split(" | "), body)


def _search(args: argparse.Namespace, room: WarRoom) -> None:
    found = room.search.find(args.query, args.k, hints=_hints(args, room))
    if found.trouble is not None:
        trouble = NeedsPerson(found.trouble.code, **found.trouble.details)
        print(f"{trouble.message(args.ui_lang)} {trouble.hint(args.ui_lang)}", file=sys.stderr)
    rows = [
        {
            "score": round(h.score, 4),
            "source": h.passage.source.get(args.ui_lang),
            "section": h.passage.section.get(args.ui_lang),
            "text": h.passage.text,
            "kind": h.passage.kind,
        }
        for h in found.hits
    ]
    if as_json(args):
        print_json({"query": args.query, "results": rows})
    elif not rows:
        near = [h.passage.section.get(args.ui_lang) for h in found.near[:3]]
        print("\n".join([prompts.text("knowledge.none", args.ui_lang), *(f"      {section}" for section in near)]))
    else:
        for r in rows:
            print(f"{r['score']:.2f}  {r['source']} · {r['section']}\n      {str(r['text']).splitlines()[0]}")


def _hints(args: argparse.Namespace, room: WarRoom) -> Hints:
    """What an answer to the same question would be searched with."""
    from bot.understanding.interpret import interpret, language
    from bot.understanding.lexicon import lexicon_for
    from tools.playbooks import hints_at

    ctx = room.context(at_of(args), args.ui_lang)
    campaigns = room.shop.campaigns
    lexicon, lang = lexicon_for(campaigns, {}), language(args.query)
    what = interpret(args.query, None, lexicon=lexicon, now=ctx.at, campaigns=campaigns, lang=lang).interpretation
    return hints_at(ctx, what.crowds, what.campaign, what.phase, what.channel, what.metrics)


def _add(args: argparse.Namespace, room: WarRoom) -> int:
    """Files and folders. 1 when nothing of it could be added."""
    from bot.console import progress
    from tools import documents, proposals

    lang = args.ui_lang
    with progress(prompts.text("added.reading", lang, file=", ".join(p.name for p in args.paths))) as show:
        outcome = documents.add_all(room.shop.root, args.paths, lambda name, part: show(part))
    added = [a for a in outcome if isinstance(a, documents.Added)]
    refused = [r for r in outcome if isinstance(r, documents.Refused)]
    skipped = documents.skipped(args.paths)
    if any(a.state != "same" for a in added):
        _index(args, room)
    drafts = {a.source: proposals.find(room.shop.root, a.source) for a in added}
    if as_json(args):
        told = [_added_json(a) | commands_proposals.as_document(drafts[a.source]) for a in added]
        left = ({"source": name, "sections": 0, "state": "skipped"} for name in skipped)
        print_json([*told, *(_refused_json(r, lang) for r in refused), *left])
    else:
        for a in added:
            print("\n".join([_said(a, lang), *commands_proposals.announced(drafts[a.source], lang)]))
        for r in refused:
            reason = f"{r.error.message(lang)} {r.error.hint(lang)}"
            print(prompts.text("added.refused", lang, source=r.source, reason=reason), file=sys.stderr)
        if skipped:
            files = ", ".join(skipped[:_SHOWN]) + (" …" if len(skipped) > _SHOWN else "")
            print(prompts.text("added.skipped", lang, n=len(skipped), files=files), file=sys.stderr)
        if not added:
            print(prompts.text("added.nothing", lang), file=sys.stderr)
    return 0 if added else 1


def _added_json(a: Added) -> dict[str, Any]:
    more: dict[str, Any] = {"pictures": a.pictures} if a.pictures else {}
    more |= {"other": a.other} if a.other else {}
    told = {"source": a.source, "sections": a.sections, "state": a.state}
    return {**told, "format": a.format, "tables": a.tables, "dropped": a.dropped, **more}


def _refused_json(r: Refused, lang: str) -> dict[str, Any]:
    return {"source": r.source, "sections": 0, "state": "refused", **r.error.as_json(lang)}


def _said(a: Added, lang: str) -> str:
    key = {"new": "document.new", "replaced": "document.replaced", "same": "document.same"}[a.state]
    said = prompts.text(key, lang, source=a.source, sections=a.sections)
    if a.state == "same":
        return said
    notes = (("added.tables", a.tables), ("added.dropped", a.dropped), ("added.pictures", a.pictures))
    apart = prompts.text("added.apart", lang, other=a.other) if a.other else ""
    return said + "".join(prompts.text(key, lang, n=n) for key, n in notes if n) + apart


def _remove(args: argparse.Namespace, room: WarRoom) -> None:
    from tools import documents

    gone = documents.remove_known(room.shop.root, args.source)
    room.search.build()
    if as_json(args):
        print_json({"source": args.source, "removed": True, "documents": gone})
        return
    for source in gone:
        print(prompts.text("document.removed", args.ui_lang, source=source))
        if stay := commands_proposals.left_behind(room.shop.root, source, args.ui_lang):
            print(stay)


def _index(args: argparse.Namespace, room: WarRoom, *, anew: bool = False) -> int:
    from bot.console import progress

    with progress(prompts.text("cli.index_building", args.ui_lang)) as show:
        return room.search.build(lambda done, total: show(done / total), anew=anew)


_PARTS: dict[str, Callable[[argparse.Namespace, WarRoom], int | None]] = {
    "rebuild": _rebuild,
    "list": _list,
    "search": _search,
    "add": _add,
    "remove": _remove,
}
