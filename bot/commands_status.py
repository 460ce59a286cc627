"""`warroom status`: what data there is, how fresh, what is missing, and what cannot be answered for want of it."""

from __future__ import annotations

import argparse

import prompts
from bot.commands import as_json, at_of, open_room, print_json


def status(args: argparse.Namespace) -> None:
    from bot import status_writer
    from bot.console import table
    from tools.own_tasks import FILE, own_tasks
    from tools.status import status as look

    with open_room(args) as room:
        found = look(room.engine, at_of(args) or room.shop.now(), room.shop.data_file)
        name = room.shop.name
        own = own_tasks(room.shop)
    wrong = [e.as_json(args.ui_lang)["error"] for e in own.problems]
    if as_json(args):
        print_json({"shop": name, **found.as_json(), "tasks": {"own": own.changed, "problems": wrong}})
        return
    print(prompts.text("status.head", args.ui_lang, shop=name, now=found.now.strftime("%Y-%m-%d %H:%M")))
    head, *rows = status_writer.table_rows(found, args.ui_lang)
    table(head, rows)
    print("\n".join(status_writer.problems(found, args.ui_lang)))
    if own.changed or wrong:
        lines = [prompts.text("tasks.status", args.ui_lang, file=FILE, n=own.changed)]
        lines += [
            "· " + prompts.text("tasks.problem", args.ui_lang, problem=w["message"], hint=w["hint"]) for w in wrong
        ]
        print("\n".join(["", *lines]))
