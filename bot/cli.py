"""The `warroom` command (contracts.md). Imports stay inside the commands: each pays only for what it uses."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts
from bot.settings import Settings
from knowledge.catalog import CatalogError
from tools.errors import AskAgain, Broken, NeedsPerson, WarRoomError

if TYPE_CHECKING:
    from bot.wiring import WarRoom


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. 0 done, 1 the request could not be met, 2 wrong usage."""
    # A command is over in seconds: collecting cycles while hundreds of modules load would cost a tenth of that. The chat
    # lives longer and switches the collector on again.
    gc.disable()
    settings = Settings.from_environment()
    args = _parser().parse_args(argv)
    lang = args.lang if getattr(args, "lang", "auto") in ("zh", "en") else settings.lang
    args.shop = Path(args.shop) if getattr(args, "shop", None) else settings.shop
    args.ui_lang = lang
    try:
        return int(COMMANDS[args.command](args) or 0)
    except WarRoomError as e:
        return _fail(e, lang, as_json=getattr(args, "json", False))
    except CatalogError as e:
        return _fail(
            NeedsPerson("bad_file", detail=str(e), file=str(e).split(":")[0]),
            lang,
            as_json=getattr(args, "json", False),
        )
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as e:
        if os.environ.get("WARROOM_DEBUG"):
            raise
        return _fail(
            Broken("internal", detail=f"{type(e).__name__}: {e}"[:300]), lang, as_json=getattr(args, "json", False)
        )


def _fail(error: WarRoomError, lang: str, *, as_json: bool) -> int:
    if as_json:
        _print_json(error.as_json(lang))
    else:
        print(f"{error.message(lang)} {error.hint(lang)}".strip(), file=sys.stderr)
    return error.exit_status


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False))


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--shop", default=argparse.SUPPRESS, metavar="DIR", help="the workspace (default: WARROOM_SHOP or ./shop)"
    )
    common.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON document on standard output"
    )
    common.add_argument(
        "--as-of", default=argparse.SUPPRESS, metavar="TIME", help='now, for this command: "2026-06-17 10:00"'
    )
    common.add_argument(
        "--lang", choices=("auto", "zh", "en"), default=argparse.SUPPRESS, help="language of the answer"
    )
    parser = argparse.ArgumentParser(prog="warroom", description="Promo War Room · 大促作战室", parents=[common])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=help, parents=[common])

    init = command("init", "make a new workspace; --demo fills it with a realistic shop")
    init.add_argument("dir", type=Path)
    init.add_argument("--demo", action="store_true")
    init.add_argument("--name", default="")
    init.add_argument("--campaign", action="extend", nargs="+", default=[], metavar="KEY:YEAR")

    load = command("import", "import files into a table")
    load.add_argument("table")
    load.add_argument("files", nargs="+", type=Path)
    load.add_argument("--format", default="auto")

    command("status", "what data there is, up to when, what is missing, what is stale")

    ask = command("ask", "ask one question, or a file of questions")
    ask.add_argument("question", nargs="?")
    ask.add_argument("--session", help="a conversation that is remembered")
    ask.add_argument("--batch", type=Path, metavar="FILE.jsonl", help='{"id","question","as_of"?,"session"?} a line')

    command("chat", "the conversation in the terminal")
    command("phase", "where we are: campaign, phase, gates")
    plan = command("plan", "today's actions")
    plan.add_argument("--crowd", help="a crowd or an expression of crowds")

    metrics = command("metrics", "metrics of crowds over whole days")
    metrics.add_argument("-m", "--metric", action="extend", nargs="+", default=[], metavar="KEY")
    metrics.add_argument("-c", "--crowd", action="extend", nargs="+", default=[], metavar="CROWD")
    metrics.add_argument("--from", dest="first", metavar="DAY")
    metrics.add_argument("--to", dest="last", metavar="DAY")
    metrics.add_argument("--by")
    metrics.add_argument("--compare")

    crowd = command("crowd", "crowds: size, share, money at stake, top items")
    crowd.add_argument("crowds", nargs="+", metavar="KEY|EXPR")
    crowd.add_argument(
        "--filter", action="extend", nargs="+", default=[], metavar="COLUMN=VALUE", help="member_level=…, city=…"
    )
    crowd.add_argument("--export", type=Path, metavar="FILE")
    crowd.add_argument("--columns", default="", help="comma-separated columns of the export")
    crowd.add_argument("--with-phone", action="store_true", help="phone numbers in the export; logged")

    knowledge = command("knowledge", "the playbooks: search, list, rebuild")
    parts = knowledge.add_subparsers(dest="part", required=True, metavar="PART")
    search = parts.add_parser("search", help="find passages", parents=[common])
    search.add_argument("query")
    search.add_argument("-k", type=int, default=5)
    parts.add_parser("list", help="what is indexed", parents=[common])
    parts.add_parser("rebuild", help="build the index again", parents=[common])
    return parser


def _room(args: argparse.Namespace) -> WarRoom:
    from bot.wiring import WarRoom

    def building(done: int, total: int) -> None:
        if done == total:
            print(prompts.text("cli.index_building", args.ui_lang), file=sys.stderr)

    return WarRoom(args.shop, building)


def _as_of(args: argparse.Namespace) -> datetime | None:
    from tools.periods import parse_as_of

    return parse_as_of(args.as_of) if getattr(args, "as_of", None) else None


def _as_json(args: argparse.Namespace) -> bool:
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
    with progress(prompts.text("cli.index_building", args.ui_lang)) as show, _room(args) as room:
        room.search.build(lambda done, total: show(done / total))
        name = room.shop.name
        if args.demo:  # the first question finds its statements compiled
            from tools.plans import plan

            plan(room.context(None, "zh"), "cart_unpaid")
    if _as_json(args):
        _print_json({"path": str(args.dir), "name": name, "demo": args.demo})
        return
    print(prompts.text("cli.init_done", args.ui_lang, name=name, path=args.dir))
    print(prompts.text("cli.init_next", args.ui_lang, path=args.dir))


def _import(args: argparse.Namespace) -> int:
    from bot.console import progress
    from tools import ingest
    from tools.engine import Engine
    from tools.shop import load_shop

    shop = load_shop(args.shop)
    table = ingest.table_key(args.table)
    if args.format not in ingest.FORMATS:
        raise AskAgain("unknown_format", name=args.format, formats=", ".join(ingest.FORMATS))
    absent = next((f for f in args.files if not f.exists()), None)
    if absent is not None:
        raise NeedsPerson("file_missing", path=str(absent))
    engine = Engine(shop.data_file, read_only=False)
    reports: list[ingest.Report] = []
    failed: WarRoomError | None = None
    try:
        engine.create_tables()
        for file in args.files:
            with progress(prompts.text("cli.importing", args.ui_lang, file=file.name)) as show:
                reports.append(
                    ingest.import_file(
                        engine, table, file, args.format, shop.rejects_dir, shop.now(), lang=args.ui_lang, progress=show
                    )
                )
    except WarRoomError as e:
        # The files before the one refused are imported: say so before saying what is wrong.
        failed = e
    finally:
        engine.close()
    if _as_json(args):
        documents = [r.as_json() for r in reports]
        if failed is not None:
            _print_json({**failed.as_json(args.ui_lang), **({"imported": documents} if documents else {})})
            return failed.exit_status
        _print_json(documents[0] if len(documents) == 1 else documents)
        return 0
    for r in reports:
        print(
            prompts.text(
                "cli.imported", args.ui_lang, file=Path(r.file).name, read=f"{r.read:,}", accepted=f"{r.accepted:,}",
                rejected=f"{r.rejected:,}", duplicates=f"{r.duplicates:,}",
            )
        )  # fmt: skip
        if r.rejects_file:
            print("  " + prompts.text("cli.rejects", args.ui_lang, path=r.rejects_file))
        if r.ignored:
            print("  " + prompts.text("cli.ignored", args.ui_lang, columns=", ".join(r.ignored)))
        if r.span["from"]:
            print("  " + prompts.text("cli.span", args.ui_lang, first=r.span["from"], last=r.span["to"]))
    return _fail(failed, args.ui_lang, as_json=False) if failed is not None else 0


def _status(args: argparse.Namespace) -> None:
    from bot.console import table
    from knowledge import catalog
    from tools.status import status

    with _room(args) as room:
        now = _as_of(args) or room.shop.now()
        found = status(room.engine, now)
        name = room.shop.name
    if _as_json(args):
        _print_json({"shop": name, "now": now.strftime("%Y-%m-%d %H:%M:%S"), "tables": [s.as_json() for s in found]})
        return
    print(prompts.text("cli.status_head", args.ui_lang, shop=name, now=now.strftime("%Y-%m-%d %H:%M")))
    rows = [
        [
            catalog.tables()[s.table].name.get(args.ui_lang),
            s.table,
            prompts.text("cli.rows", args.ui_lang, n=f"{s.rows:,}"),
            f"{s.since or ''}",
            f"{s.until or ''}",
            prompts.text(f"cli.state_{s.state}", args.ui_lang),
        ]
        for s in found
    ]
    table(["", "", "", "", "", ""], rows) if not rows else table(rows[0], rows[1:])


# --- the conversation --------------------------------------------------------------------------------------------


def _ask(args: argparse.Namespace) -> int:
    from bot import render
    from bot.conversation import Question, answer

    if args.batch is None and args.question is None:
        print("usage: warroom ask QUESTION | --batch FILE.jsonl", file=sys.stderr)
        return 2
    with _room(args) as room:
        if args.batch is not None:
            gc.enable()
            return _batch(args, room)
        question = Question(args.question, _as_of(args), args.session, getattr(args, "lang", "auto"))
        reply = answer(room, question)
    if _as_json(args):
        print(reply.model_dump_json())
    else:
        print(render.terminal(reply, colour=sys.stdout.isatty()))
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
            at = parse_as_of(entry["as_of"]) if entry.get("as_of") else _as_of(args)
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
    with _room(args) as room:
        chat(room, _as_of(args), args.ui_lang)


# --- numbers and plans -------------------------------------------------------------------------------------------


def _phase(args: argparse.Namespace) -> None:
    from tools.phases import phase

    with _room(args) as room:
        ctx = room.context(_as_of(args), args.ui_lang)
        result = phase(ctx)
    data = result.data
    if _as_json(args):
        facts = [f.model_dump() for f in result.facts]
        keys = {"campaign": data.get("campaign"), "phase": data.get("phase"), "now": ctx.at.strftime("%Y-%m-%d %H:%M")}
        _print_json({**keys, "inside": data["inside"], "gates": data["gates"], "facts": facts})
        return
    print("\n".join([data["head"], *data["lines"], *(f"· {g}" for g in data["gates"])]))


def _plan(args: argparse.Namespace) -> None:
    from bot import writer
    from bot.answer import Interpretation
    from tools.plans import plan

    with _room(args) as room:
        result = plan(room.context(_as_of(args), args.ui_lang), args.crowd, limit=None)
    if _as_json(args):
        document = result.model_dump()
        data = document.pop("data")
        keys = ("mode", "campaign", "phase", "crowd", "head", "notes", "prepare", "watch", "donts", "assumed")
        _print_json({**{k: data[k] for k in keys if k in data}, **document})
        return
    print(writer.write(result.model_dump(), Interpretation(intent="plan"), args.ui_lang).replace("**", ""))


def _metrics(args: argparse.Namespace) -> None:
    from bot.console import table
    from knowledge import catalog
    from tools import audience, metrics, names
    from tools.compare import compare
    from tools.facts import display
    from tools.periods import parse_as_of, parse_day, window

    with _room(args) as room:
        keys = [names.metric_key(m) for m in args.metric] or list(catalog.metrics())
        crowds = [audience.canonical(audience.parse(c)) for c in args.crowd] or ["all", "old", "new", "member", "fan"]
        if args.by is not None and args.by not in metrics.BY:
            raise AskAgain("unknown_by", name=args.by, nearest=", ".join(metrics.BY))
        now = _as_of(args) or room.shop.now()
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
        currency = room.shop.currency
    if _as_json(args):
        rows = [
            {
                "crowd": c.crowd, "metric": c.metric, "by": c.by, "value": c.value,
                "compare": {"value": o.value, "diff": o.diff, "ratio": o.ratio} if o else None, "query": c.query,
            }
            for c, o in zip(cells, others, strict=True)
        ]  # fmt: skip
        _print_json({"from": over.first.isoformat(), "to": over.last.isoformat(), "rows": rows})
        return

    def shown(metric: str, value: Any) -> str:
        return display(value, catalog.metrics()[metric].unit, args.ui_lang, currency)

    body = [
        [
            audience.label(audience.parse(c.crowd), args.ui_lang),
            catalog.metrics()[c.metric].name.get(args.ui_lang),
            *([c.by or ""] if args.by else []),
            shown(c.metric, c.value),
            *([shown(c.metric, o.value) if o else "—"] if args.compare else []),
        ]
        for c, o in zip(cells, others, strict=True)
    ]
    if body:
        table(body[0], body[1:])


def _crowd(args: argparse.Namespace) -> None:
    from bot import writer
    from bot.answer import Interpretation
    from tools import audience
    from tools.export import export_crowd
    from tools.reports import crowd

    for condition in args.filter:
        column, _, value = condition.partition("=")
        if column not in audience.FILTERS or not value or '"' in value:
            raise AskAgain("unknown_filter", name=condition, nearest=", ".join(f"{c}=…" for c in audience.FILTERS))
        args.crowds = [f'({c}) and {column}:"{value}"' for c in args.crowds]
    with _room(args) as room:
        ctx = room.context(_as_of(args), args.ui_lang)
        if args.export is not None:
            columns = [c.strip() for c in args.columns.split(",") if c.strip()]
            text = " or ".join(f"({c})" for c in args.crowds) if len(args.crowds) > 1 else args.crowds[0]
            people = export_crowd(
                room.engine, text, ctx.scope, args.export, columns, with_phone=args.with_phone,
                log=room.shop.root / "audit.jsonl",
            )  # fmt: skip
            if not _as_json(args):
                print(prompts.text("cli.exported", args.ui_lang, people=f"{people:,}", path=args.export))
        if _as_json(args):
            documents = [_crowd_json(audience.profile(room.engine, c, ctx.scope), ctx.at) for c in args.crowds]
            _print_json(documents[0] if len(documents) == 1 else documents)
        elif args.export is None:
            result = crowd(ctx, args.crowds)
            print(writer.write(result.model_dump(), Interpretation(intent="crowd"), args.ui_lang).replace("**", ""))


def _crowd_json(p: Any, at: datetime) -> dict[str, Any]:
    return {
        "crowd": p.key,
        "as_of": at.strftime("%Y-%m-%d %H:%M"),
        "size": p.size,
        "share": p.share,
        "amount_at_stake": p.at_stake,
        "top_items": [{"item_id": i, "title": t, "people": n} for i, t, n in p.top_items],
        "by_level": p.by_level,
        "removed": {},
        "query": p.query("size"),
    }


def _knowledge(args: argparse.Namespace) -> None:
    from bot.console import progress, table

    with _room(args) as room:
        if args.part == "rebuild":
            with progress(prompts.text("cli.index_building", args.ui_lang)) as show:
                n = room.search.build(lambda done, total: show(done / total), anew=True)
            _print_json({"passages": n}) if _as_json(args) else print(n)
        elif args.part == "list":
            counted: dict[tuple[str, str], int] = {}
            for p in room.search.all:
                key = (p.source.get(args.ui_lang), p.kind)
                counted[key] = counted.get(key, 0) + 1
            if _as_json(args):
                _print_json([{"source": s, "kind": k, "passages": n} for (s, k), n in counted.items()])
            else:
                body = [[s, k, str(n)] for (s, k), n in counted.items()]
                table(body[0], body[1:])
        else:
            hits = room.search.search(args.query, args.k)
            rows = [
                {
                    "score": round(h.score, 4),
                    "source": h.passage.source.get(args.ui_lang),
                    "section": h.passage.section.get(args.ui_lang),
                    "text": h.passage.text,
                    "kind": h.passage.kind,
                }
                for h in hits
            ]
            if _as_json(args):
                _print_json({"query": args.query, "results": rows})
            elif not rows:
                print(prompts.text("knowledge.none", args.ui_lang))
            else:
                for r in rows:
                    print(f"{r['score']:.2f}  {r['source']} · {r['section']}\n      {str(r['text']).splitlines()[0]}")


COMMANDS = {
    "init": _init,
    "import": _import,
    "status": _status,
    "ask": _ask,
    "chat": _chat,
    "phase": _phase,
    "plan": _plan,
    "metrics": _metrics,
    "crowd": _crowd,
    "knowledge": _knowledge,
}

if __name__ == "__main__":
    sys.exit(main())
