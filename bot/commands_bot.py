"""`warroom bot`, `warroom brief`, `warroom doctor`."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from datetime import timedelta

import prompts
from bot.commands import as_json, at_of, open_room, print_json
from tools.errors import NeedsPerson, WarRoomError

_DAYS = 7  # of spending on language models that the doctor shows


def brief(args: argparse.Namespace) -> None:
    """The daily briefing, through the same door as every answer."""
    from bot import render
    from bot.conversation import Question, answer

    with open_room(args) as room:
        question = Question(prompts.text("question.brief", args.ui_lang), at_of(args), lang=args.ui_lang)
        found = answer(room, question)
    if as_json(args):
        print(found.model_dump_json())
        return
    print(render.terminal(found, colour=sys.stdout.isatty()))
    for chart in found.charts:
        print(chart.path)


def bot(args: argparse.Namespace) -> int:
    """Serve in Telegram until stopped."""
    from bot.settings import bot_settings
    from bot.telegram.app import run

    gc.enable()
    settings = bot_settings(os.environ, args.shop)
    logging.basicConfig(
        level=logging.DEBUG if os.environ.get("WARROOM_DEBUG") else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    return run(settings, args.ui_lang, lambda line: print(line, flush=True))


def doctor(args: argparse.Namespace) -> int:
    """One line a part: what works and, where something does not, what to do. 1 when something does not."""
    results = []
    for name, look in (
        ("settings", _settings),
        ("tasks", _tasks),
        ("data", _data),
        ("index", _index),
        ("model", _model),
        ("telegram", _telegram),
    ):
        try:
            results.append({"part": name, "ok": True, "said": look(args)})
        except WarRoomError as e:
            results.append({"part": name, "ok": False, "said": f"{e.message(args.ui_lang)} {e.hint(args.ui_lang)}"})
    if as_json(args):
        print_json(results)
    else:
        for r in results:
            part = prompts.text(f"doctor.{r['part']}", args.ui_lang)
            print(f"{'✓' if r['ok'] else '✗'} {part}: {r['said']}")
    return 0 if all(r["ok"] for r in results) else 1


def _settings(args: argparse.Namespace) -> str:
    from tools.shop import load_shop

    shop = load_shop(args.shop)
    campaigns = ", ".join(f"{c.key}:{c.year}" for c in shop.campaigns) or "—"
    return f"{shop.name} · {shop.timezone.key} · {shop.now():%Y-%m-%d %H:%M} · {campaigns}"


def _tasks(args: argparse.Namespace) -> str:
    """How many entries of tasks.yaml hold; the first mistake where one does not."""
    from tools.own_tasks import FILE, own_tasks, tasks_file
    from tools.shop import load_shop

    own = own_tasks(load_shop(args.shop))
    if own.problems:
        raise own.problems[0]
    if not tasks_file(args.shop).exists():
        return prompts.text("doctor.no_tasks", args.ui_lang, file=FILE)
    return prompts.text("doctor.tasks_hold", args.ui_lang, file=FILE, n=own.changed)


def _data(args: argparse.Namespace) -> str:
    from bot import status_writer
    from tools.status import status

    with open_room(args) as room:
        found = status(room.engine, room.shop.now(), room.shop.data_file)
    full = [t for t in found.tables if t.rows]
    stale = [t.table for t in found.tables if t.state == "stale"]
    said = prompts.text("doctor.tables", args.ui_lang, full=len(full), all=len(found.tables))
    said += prompts.text("doctor.stale", args.ui_lang, tables=", ".join(stale)) if stale else ""
    return prompts.text("join.semicolon", args.ui_lang).join([said, *status_writer.short(found, args.ui_lang)])


def _index(args: argparse.Namespace) -> str:
    """A section's own title must find something: then index and embeddings work."""
    with open_room(args) as room:
        passages = room.search.all
        hits = room.search.search(passages[0].section.zh, 1)
    if not hits:
        raise NeedsPerson("index_empty")
    return prompts.text("doctor.found", args.ui_lang, passages=f"{len(passages):,}")


def _model(args: argparse.Namespace) -> str:
    """Who answers; each language model is asked for a word, and what was spent on them lately is added up."""
    with open_room(args) as room:
        if room.model is None:
            return prompts.text("doctor.embedded", args.ui_lang)
        from bot.agent import probe

        said = [
            prompts.text("doctor.answers", args.ui_lang, model=e.name, seconds=f"{probe(e):.1f}")
            for e in room.model.endpoints
        ]
        since = (room.shop.now() - timedelta(days=_DAYS)).date().isoformat()
        for s in room.state.spent(room.shop.root.resolve().name, since):
            cost = f"{s.cost:.2f}" if room.model.price else "—"
            used = {"sent": f"{s.input_tokens:,}", "made": f"{s.output_tokens:,}", "cost": cost}
            said.append(prompts.text("doctor.spent", args.ui_lang, day=s.day, model=s.model, answers=s.answers, **used))
    return prompts.text("join.semicolon", args.ui_lang).join(said)


def _telegram(args: argparse.Namespace) -> str:
    import asyncio

    from bot.settings import bot_settings

    if not os.environ.get("TELEGRAM_BOT_TOKEN"):
        return prompts.text("doctor.no_token", args.ui_lang)
    from bot.telegram.app import who_am_i

    return asyncio.run(who_am_i(bot_settings(os.environ, args.shop)))
