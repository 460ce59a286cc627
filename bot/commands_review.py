"""`warroom target` and `warroom review`: how far the target is, and what a campaign came to."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bot.commands import as_json, at_of, open_room, print_json

if TYPE_CHECKING:
    from tools.facts import ToolResult


def target(args: argparse.Namespace) -> None:
    """The target of the campaign, of the wave or phase that begins with --from, or of the day --on."""
    from tools.target_report import target as report

    with open_room(args) as room:
        _print(args, report(room.context(at_of(args), args.ui_lang), args.metric, args.crowd, args.on, args.first))


def review(args: argparse.Namespace) -> None:
    """The review of a campaign or of a phase of it."""
    from tools.review import review as report

    with open_room(args) as room:
        _print(args, report(room.context(at_of(args), args.ui_lang), args.campaign, args.phase))


def _print(args: argparse.Namespace, result: ToolResult) -> None:
    """The result as lines; as JSON the sentences by section beside the facts that they are made of."""
    from bot import writer
    from bot.answer import Interpretation

    if as_json(args):
        document = result.model_dump()
        print_json({**document["data"], "facts": document["facts"]})
        return
    print(writer.write(result.model_dump(), Interpretation(intent="unsupported"), args.ui_lang).replace("**", ""))
