"""What each command does. Imports stay inside the commands: each pays only for what it uses."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import prompts
from tools.errors import AskAgain, NeedsPerson, WarRoomError

if TYPE_CHECKING:
    from bot.wiring import WarRoom


def fail(error: WarRoomError, args: argparse.Namespace) -> int:
    """Say what went wrong and what to do next, in the command's language; returns the exit status."""
    if as_json(args):
        print_json(error.as_json(args.ui_lang))
    else:
        print(f"{error.message(args.ui_lang)} {error.hint(args.ui_lang)}".strip(), file=sys.stderr)
    return error.exit_status


def print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False))


def open_room(args: argparse.Namespace) -> WarRoom:
    from bot.wiring import WarRoom

    def building(done: int, total: int) -> None:
        if done == total:
            print(prompts.text("cli.index_building", args.ui_lang), file=sys.stderr)

    return WarRoom(args.shop, building)


def at_of(args: argparse.Namespace) -> datetime | None:
    from tools.periods import parse_as_of

    return parse_as_of(args.as_of) if getattr(args, "as_of", None) else None


def as_json(args: argparse.Namespace) -> bool:
    return bool(getattr(args, "json", False))


# --- workspace and data ------------------------------------------------------------------------------------------


def _init(args: argparse.Namespace) -> None:
    from bot.console import progress
    from tools import workspace

    title = prompts.text("cli.demo_building", args.ui_lang) if args.demo else args.dir.name
    with progress(title) as show:
        workspace.create(
            args.dir,
            name=args.name,
            campaigns=args.campaign,
            demo=args.demo,
            progress=lambda stage, part: show(part),
        )
    args.shop = args.dir
    with progress(prompts.text("cli.index_building", args.ui_lang)) as show, open_room(args) as room:
        room.search.build(lambda done, total: show(done / total))
        name = room.shop.name
        if args.demo:  # the first question finds its statements compiled
            from tools.plans import plan

            plan(room.context(None, "zh"), "cart_unpaid")
    if as_json(args):
        print_json({"path": str(args.dir), "name": name, "demo": args.demo})
        return
    print(prompts.text("cli.init_done", args.ui_lang, name=name, path=args.dir))
    print(prompts.text("cli.init_next", args.ui_lang, path=args.dir))


def _ask(args: argparse.Namespace) -> int:
    from bot import render
    from bot.conversation import Question, answer

    if args.batch is None and args.question is None:
        print("usage: warroom ask QUESTION | --batch FILE.jsonl", file=sys.stderr)
        return 2
    with open_room(args) as room:
        if args.batch is not None:
            gc.enable()
            return _batch(args, room)
        question = Question(args.question, at_of(args), args.session, getattr(args, "lang", "auto"))
        reply = answer(room, question)
    if as_json(args):
        document = reply.model_dump()
        if args.why:
            from bot.grounding import traced

            found = traced(reply, args.question)
            document["why"] = [{"span": s, "fact": f.id, "query": f.query, "as_of": f.as_of} for s, f in found]
        print_json(document)
        return 0
    print(render.terminal(reply, colour=sys.stdout.isatty()))
    if args.why:
        from bot.exports import why_text

        print("\n" + (why_text(reply, args.question, reply.lang) or prompts.text("explain.no_number", reply.lang)))
    return 0


def _batch(args: argparse.Namespace, room: WarRoom) -> int:
    """One line out for each line in; a line that cannot be answered gives its error in its place and exit status 1."""
    from bot.conversation import Question, answer
    from tools.periods import parse_as_of

    if not args.batch.is_file():
        raise NeedsPerson("file_missing", path=str(args.batch))
    failed = 0
    for number, line in enumerate(args.batch.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        identity: Any = None
        try:
            entry = _batch_entry(line, args.batch.name, number)
            identity = entry.get("id")
            at = parse_as_of(entry["as_of"]) if entry.get("as_of") else at_of(args)
            question = Question(entry["question"], at, entry.get("session"), getattr(args, "lang", "auto"))
            document = answer(room, question).model_dump()
        except WarRoomError as e:
            failed = 1
            document = e.as_json(args.ui_lang)
        print(json.dumps({"id": identity, **document}, ensure_ascii=False), flush=True)
    return failed


def _batch_entry(line: str, file: str, number: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        problem = None if isinstance(entry, dict) and isinstance(entry.get("question"), str) else "question"
    except ValueError as e:
        problem = str(e)
    if problem is not None:
        raise AskAgain("bad_batch_line", file=file, line=number, detail=problem)
    return dict(entry)


def _chat(args: argparse.Namespace) -> None:
    from bot.console import chat

    gc.enable()
    with open_room(args) as room:
        chat(room, at_of(args), args.ui_lang)


# --- numbers and plans -------------------------------------------------------------------------------------------


def _phase(args: argparse.Namespace) -> None:
    from tools.phase_told import phase

    with open_room(args) as room:
        ctx = room.context(at_of(args), args.ui_lang)
        result = phase(ctx)
    data = result.data
    if as_json(args):
        facts = [f.model_dump() for f in result.facts]
        keys = {"campaign": data.get("campaign"), "phase": data.get("phase"), "now": ctx.at.strftime("%Y-%m-%d %H:%M")}
        print_json({**keys, "inside": data["inside"], "gates": data["gates"], "facts": facts})
        return
    print("\n".join([data["head"], *data["lines"], *(f"· {g}" for g in data["gates"])]))


def _plan(args: argparse.Namespace) -> None:
    from bot import writer
    from bot.answer import Interpretation
    from tools.plans import plan

    with open_room(args) as room:
        result = plan(room.context(at_of(args), args.ui_lang), args.crowd, limit=None)
    if as_json(args):
        document = result.model_dump()
        data = document.pop("data")
        keys = (
            "mode",
            "campaign",
            "phase",
            "crowd",
            "head",
            "notes",
            "prepare",
            "methods",
            "watch",
            "donts",
            "assumed",
        )
        print_json({**{k: data[k] for k in keys if k in data}, **document})
        return
    print(writer.write(result.model_dump(), Interpretation(intent="plan"), args.ui_lang).replace("**", ""))


_TITLES = {
    "crowd": "metrics_table.crowd",
    "metric": "metrics_table.metric",
    "value": "metrics_table.value",
    "other": "metrics_table.other",
}


def _metrics(args: argparse.Namespace) -> None:
    from bot import explain
    from bot.console import table
    from knowledge import catalog
    from tools import audience, metrics, names, splits
    from tools.compare import compare
    from tools.facts import display
    from tools.measures import NO_VALUE
    from tools.periods import parse_as_of, parse_day, window

    with open_room(args) as room:
        keys = [names.metric_key(m) for m in args.metric] or [
            m for m in catalog.metrics() if args.by not in metrics.BY or metrics.splittable(m, args.by)
        ]
        crowds = [audience.canonical(audience.read(room.engine, c)) for c in args.crowd] or [
            "all", "old", "new", "member", "fan",
        ]  # fmt: skip
        if args.by is not None and args.by not in metrics.BY:
            raise AskAgain("unknown_by", name=args.by, nearest=", ".join(metrics.BY))
        now = at_of(args) or room.shop.now()
        # A time of day behind --to is the moment up to which is looked.
        if args.last and ":" in args.last:
            now = min(now, parse_as_of(args.last))
        last = parse_day(args.last) if args.last else now.date()
        over = window(parse_day(args.first) if args.first else last, last, now)
        scope = metrics.scope_of(over, room.shop.campaigns, room.shop.settings)
        cells = metrics.compute(room.engine, keys, crowds, over, scope, args.by)
        others = (
            compare(room.engine, cells, args.compare, over, room.shop, args.by) if args.compare else [None] * len(cells)
        )
        values = (
            splits.called(room.context(now, args.ui_lang), args.by, (c.by for c in cells))
            if args.by not in (None, "day")
            else {}
        )
        cells = [replace(c, query=room.local(c.query)) for c in cells]
        others = [replace(o, query=room.local(o.query)) if o else None for o in others]
        currency = room.shop.currency
    if args.explain and not as_json(args):
        for c, o in zip(cells, others, strict=True):
            print("\n".join(explain.lines(c, o, args.by, over, scope, args.ui_lang, currency)))
        return
    if as_json(args):
        rows = [
            {
                "crowd": c.crowd, "metric": c.metric, "by": c.by, "value": c.value,
                "compare": {"value": o.value, "diff": o.diff, "ratio": o.ratio} if o else None, "query": c.query,
                **({"reading": explain.reading(c, args.by, over, scope, args.ui_lang)} if args.explain else {}),
            }
            for c, o in zip(cells, others, strict=True)
        ]  # fmt: skip
        until = over.until.strftime("%Y-%m-%d %H:%M:%S")
        print_json({"from": over.first.isoformat(), "to": over.last.isoformat(), "until": until, "rows": rows})
        return

    def shown(metric: str, value: Any) -> str:
        m = catalog.metrics()[metric]
        return display(value, m.unit, args.ui_lang, currency, multiple=m.multiple)

    body = [
        [
            audience.label(audience.parse(c.crowd), args.ui_lang),
            catalog.metrics()[c.metric].name.get(args.ui_lang),
            *([values.get(c.by or NO_VALUE, c.by or "")] if args.by else []),
            shown(c.metric, c.value),
            *([shown(c.metric, o.value) if o else "—"] if args.compare else []),
        ]
        for c, o in zip(cells, others, strict=True)
    ]
    span = {
        "first": over.first.isoformat(),
        "last": over.last.isoformat(),
        "until": over.until.strftime("%Y-%m-%d %H:%M"),
    }
    print(prompts.text("metrics_table.until" if over.partial else "metrics_table.span", args.ui_lang, **span))
    if args.compare in ("previous_day", "previous_window") and over.partial:
        print(prompts.text("metrics_table.whole", args.ui_lang))
    titles = ["crowd", "metric", *(["by"] if args.by else []), "value", *(["other"] if args.compare else [])]
    shown_by = prompts.text(f"by.{args.by}", args.ui_lang) if args.by else ""
    words = {t: prompts.text(key, args.ui_lang) for t, key in _TITLES.items()} | {"by": shown_by}
    header = [words[t] for t in titles]
    if args.compare:
        header[-1] = f"{header[-1]} {args.compare}"
    table(header, body)


COMMANDS = {
    "init": _init,
    "ask": _ask,
    "chat": _chat,
    "phase": _phase,
    "plan": _plan,
    "metrics": _metrics,
}
