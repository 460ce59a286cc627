"""The terminal: chat, progress and tables. Everything that is not an answer goes to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import prompts
from bot import render
from bot.wiring import WarRoom
from tools.errors import WarRoomError

SESSION = "terminal"


def chat(room: WarRoom, as_of: datetime | None, lang: str) -> None:
    """Questions from standard input until /quit or its end; /new forgets the conversation."""
    from bot.conversation import Question, answer, forget

    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401  # arrow keys and history in input()

        print(prompts.text("cli.chat_hello", lang, shop=room.shop.name))
    while True:
        try:
            text = input("> " if interactive else "").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if text in ("/quit", "/exit"):
            return
        if text == "/new":
            forget(room, SESSION)
            print(prompts.text("cli.chat_new", lang))
            continue
        if not text:
            continue
        try:
            reply = answer(room, Question(text, as_of=as_of, session=SESSION))
            print(render.terminal(reply, colour=sys.stdout.isatty()) + "\n", flush=True)
        except WarRoomError as e:
            print(f"{e.message(lang)} {e.hint(lang)}", file=sys.stderr)


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
