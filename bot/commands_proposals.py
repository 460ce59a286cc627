"""`warroom knowledge accept`, and what `knowledge add` and `remove` say about drafts made from documents."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts
from bot.commands import as_json, print_json

if TYPE_CHECKING:
    from tools.proposals import Proposal
    from tools.proposals_accept import Change
    from tools.proposals_changes import Difference, Task


def accept(args: argparse.Namespace) -> int:
    """Show what a draft changes and, when that is confirmed, change it; 1 when it was not."""
    from tools import proposals_accept
    from tools.wording import span

    lang = args.ui_lang
    change = proposals_accept.preview(args.shop, args.name)
    agreed = bool(args.yes) or change.nothing
    if not as_json(args):
        print("\n".join(_lines(change, lang, span)))
        if not agreed and sys.stdin.isatty():
            agreed = input(prompts.text("proposal.ask", lang)).strip().lower() in ("y", "yes", "是", "好")
    if agreed:
        change = proposals_accept.accept(args.shop, args.name)
    if as_json(args):
        print_json(_document(change, agreed))
    elif not agreed:
        print(prompts.text("proposal.not_yet", lang))
    elif not change.nothing:
        print(prompts.text("proposal.done", lang, file=change.file))
    return 0 if agreed else 1


def announced(found: Sequence[Proposal], lang: str) -> list[str]:
    """What is said after a document was added: one line a draft; nothing for one that was accepted as it is."""
    new = {"tasks": "proposal.found_tasks", "campaign": "proposal.found_calendar"}
    later = {
        "renewed": "proposal.renewed",
        "kept": "proposal.kept",
        "gone": "proposal.gone",
        "same": "proposal.waiting",
    }
    out = []
    for p in found:
        if p.state == "accepted":
            continue
        key = new[p.kind] if p.state == "new" else later[p.state]
        said = prompts.text(key, lang, source=p.source, n=p.n, file=p.file, name=p.name)
        gaps = p.gaps if p.state in ("new", "renewed") else 0
        out.append(said + (prompts.text("proposal.gaps", lang, n=gaps) if gaps else ""))
    return out


def as_document(found: Sequence[Proposal]) -> dict[str, Any]:
    """The drafts of a document for `--json`; {} when it has none."""
    drafts = [
        {"name": p.name, "kind": p.kind, "file": p.file, "n": p.n, "gaps": p.gaps, "state": p.state} for p in found
    ]
    return {"drafts": drafts} if drafts else {}


def left_behind(root: Path, source: str, lang: str) -> str | None:
    """What is said when a document is removed whose drafts stay; None where there are none."""
    from tools import proposals

    stay = [f"{proposals.FOLDER}/{name}.yaml" for name in proposals.drafts_of(root, source)]
    return prompts.text("proposal.left_behind", lang, files=", ".join(stay)) if stay else None


def _lines(change: Change, lang: str, span: Any) -> list[str]:
    from tools.wording import day

    if change.nothing:
        return [prompts.text("proposal.nothing", lang)]
    out = []
    overridden = {t.id for t in change.overridden}
    for key, tasks in (
        ("proposal.will_add_tasks", [t for t in change.added if t.id not in overridden]),
        ("proposal.will_override", list(change.overridden)),
        ("proposal.will_replace", [t for t in change.replaced if t.id not in overridden]),
    ):
        if tasks:
            out += [prompts.text(key, lang, n=len(tasks)), *(x for t in tasks for x in _task(t, lang, span))]
    if change.unchanged:
        out.append(prompts.text("proposal.unchanged", lang, n=change.unchanged))
    for c in change.campaigns:
        ends = {"first": c.first.isoformat(), "last": c.last.isoformat()}
        said = {"name": c.name.get(lang), "code": c.key, "year": c.year, "n": len(c.phases)}
        out.append(prompts.text("proposal.will_add_campaign", lang, **said, **ends))
        out += [f"  {p.key}  {p.name.get(lang)}  {span(p.first, p.last, lang)}" for p in c.phases]
        out += [f"  {day(g.at.date(), lang)} {g.at:%H:%M}  {g.name.get(lang)}" for g in c.gates]
    for c, changes in change.renewed:
        ends = {"first": c.first.isoformat(), "last": c.last.isoformat()}
        said = {"name": c.name.get(lang), "code": c.key, "year": c.year}
        out.append(prompts.text("proposal.will_renew_campaign", lang, **said, **ends))
        out += _changed(changes, lang, 2)
    return out


def _task(task: Task, lang: str, span: Any) -> list[str]:
    """id  title · days or phases · crowd · channels; below it what it changes of the task in its place."""
    from datetime import date

    from tools import audience

    listed = prompts.text("join.list", lang)
    parts = [f"  {task.id}  {task.title}"]
    if task.days:
        parts.append(span(*(date.fromisoformat(f"2024-{d[-5:]}") for d in task.days), lang))
    elif task.phases:
        parts.append(listed.join(p.get(lang) for p in task.phases))
    if task.crowd:
        parts.append(audience.label(audience.parse(task.crowd), lang))
    if task.channels:
        parts.append(listed.join(prompts.text(f"channel.{c}", lang) for c in task.channels))
    return [" · ".join(parts), *_changed(task.differences, lang, 6)]


def _changed(changes: Sequence[Difference], lang: str, indent: int) -> list[str]:
    none = prompts.text("proposal.none", lang)
    return [
        " " * indent
        + prompts.text("proposal.changed", lang, place=d.place, before=d.before or none, after=d.after or none)
        for d in changes
    ]


def _document(change: Change, accepted: bool) -> dict[str, Any]:
    def ids(tasks: Sequence[Task]) -> list[str]:
        return [t.id for t in tasks]

    return {
        "name": change.name, "file": change.file, "accepted": accepted,
        "added": ids(change.added), "replaced": ids(change.replaced), "overridden": ids(change.overridden),
        "unchanged": change.unchanged,
        "campaigns": [
            {"key": c.key, "year": c.year, "from": c.first.isoformat(), "to": c.last.isoformat(), "phases": len(c.phases)}
            for c in change.campaigns
        ],
        "renewed": [
            {"key": c.key, "year": c.year, "changes": [{"place": d.place, "before": d.before, "after": d.after} for d in ds]}
            for c, ds in change.renewed
        ],
    }  # fmt: skip
