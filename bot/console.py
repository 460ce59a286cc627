"""The terminal: chat, progress and tables. Everything that is not an answer goes to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import prompts
from bot import render
from bot.shortcuts import QUESTIONS, question_for
from bot.wiring import WarRoom
from tools.errors import WarRoomError

if TYPE_CHECKING:
    from bot.answer import Answer

SESSION = "terminal"


def chat(room: WarRoom, as_of: datetime | None, lang: str) -> None:
    """Questions and commands from standard input until /quit or its end."""
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401  # arrow keys and history in input()

        print(prompts.text("cli.chat_hello", lang, shop=room.shop.name))
    last: Answer | None = None
    while True:
        try:
            text = input("> " if interactive else "").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if text in ("/quit", "/exit"):
            return
        if not text:
            continue
        try:
            last = _said(room, text, as_of, lang, last) or last
        except WarRoomError as e:
            print(f"{e.message(lang)} {e.hint(lang)}", file=sys.stderr)


def _said(room: WarRoom, text: str, as_of: datetime | None, lang: str, last: Answer | None) -> Answer | None:
    """Do what one line says; the answer, when there is one. /sources, /export and /chart are about the `last` one."""
    from bot.conversation import Question, answer, forget
    from bot.understanding.interpret import language

    name, _, about = text.removeprefix("/").partition(" ") if text.startswith("/") else ("", "", "")
    if name == "new":
        forget(room, SESSION)
        print(prompts.text("cli.chat_new", lang))
    elif name == "help":
        print(prompts.text("answer.help", lang))
        print("\n".join(f"/{key} {prompts.text(f'command.{key}', lang)}" for key in (*QUESTIONS, "new")))
        print(prompts.text("cli.chat_more", lang))
    elif name in ("sources", "export", "chart"):
        if last is None:
            print(prompts.text("cli.chat_ask_first", lang))
        else:
            print(_about_last(room, name, about.strip(), last, lang))
    elif name and name not in QUESTIONS:
        print(prompts.text("telegram.no_such_command", lang, name=f"/{name}"))
    else:
        asked = question_for(name, about.strip(), language(about) if about.strip() else lang) if name else text
        reply = answer(room, Question(asked, as_of=as_of, session=SESSION))
        print(render.terminal(reply, colour=sys.stdout.isatty()))
        print("".join(f"{chart.title}: {chart.path}\n" for chart in reply.charts), flush=True)
        return reply
    return None


def _about_last(room: WarRoom, name: str, path: str, last: Answer, lang: str) -> str:
    from bot import exports

    if name == "sources":
        return render.unmarked(exports.sources_text(last, lang)) + "\n\n" + exports.queries_file(last).decode()
    if name == "chart":
        chart = exports.chart_of(room, last)
        return f"{chart.title}: {chart.path}"
    target = Path(path or "crowd.csv")
    people = exports.people_of(room, last, target)
    return prompts.text("cli.exported", lang, people=f"{people:,}", path=target)


@contextmanager
def progress(title: str) -> Iterator[Callable[[float], None]]:
    """A progress bar on standard error while something long runs; the callable takes the part done, 0 to 1."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        print(title, file=sys.stderr)
        yield lambda part: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda part: bar.update(task, completed=part)


def table(headers: list[str], rows: list[list[str]]) -> None:
    """A plain table on standard output, columns aligned also for Chinese."""
    from rich.cells import cell_len

    widths = [max(cell_len(r[i]) for r in [headers, *rows]) for i in range(len(headers))]
    for row in [headers, *rows]:
        print(
            "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
