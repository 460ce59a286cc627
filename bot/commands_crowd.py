"""What `warroom crowd` does: sizes and profiles, files of people, the overlap of several crowds, a crowd day by day."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import prompts
from bot.commands import as_json, at_of, open_room, print_json

if TYPE_CHECKING:
    from bot.wiring import WarRoom
    from tools.audience import Profile
    from tools.context import Context
    from tools.overlap import Overlap
    from tools.periods import Window
    from tools.trend import Day

_BAR = 32  # columns of the widest bar
_TREND_ONLY = "usage: warroom crowd KEY|EXPR... --trend [--from DAY] [--to DAY]"


def crowd(args: argparse.Namespace) -> int:
    """`warroom crowd`: one of profiles, --export, --overlap, --trend."""
    if (args.first or args.last) and not args.trend:
        print(_TREND_ONLY, file=sys.stderr)
        return 2
    with open_room(args) as room:
        ctx = room.context(at_of(args), args.ui_lang)
        crowds = _narrowed(room, args.crowds, args.filter)
        if args.overlap:
            _overlap(args, ctx, crowds)
        elif args.trend:
            _trend(args, ctx, crowds)
        else:
            _profiles(args, room, ctx, crowds)
    return 0


def _narrowed(room: WarRoom, crowds: list[str], conditions: list[str]) -> list[str]:
    """The crowds as expressions of keys, each narrowed by every condition; AskAgain when something in them is unknown."""
    from tools import audience, filters

    wanted = [filters.condition(c) for c in conditions]
    return [audience.canonical(audience.read(room.engine, " and ".join([f"({c})", *wanted]))) for c in crowds]


def _profiles(args: argparse.Namespace, room: WarRoom, ctx: Context, crowds: list[str]) -> None:
    from bot import writer
    from bot.answer import Interpretation
    from tools import audience
    from tools.export import export_crowd
    from tools.reports import crowd as report

    if args.export is not None:
        columns = [c.strip() for c in args.columns.split(",") if c.strip()]
        text = " or ".join(f"({c})" for c in crowds)
        people = export_crowd(
            room.engine, text, ctx.scope, args.export, columns, with_phone=args.with_phone,
            log=room.shop.root / "audit.jsonl",
        )  # fmt: skip
        if not as_json(args):
            print(prompts.text("cli.exported", args.ui_lang, people=f"{people:,}", path=args.export))
    if as_json(args):
        _print_each([_profile_json(audience.profile(room.engine, c, ctx.scope), ctx) for c in crowds])
    elif args.export is None:
        result = report(ctx, crowds)
        print(writer.write(result.model_dump(), Interpretation(intent="crowd"), args.ui_lang).replace("**", ""))


def _print_each(documents: list[Any]) -> None:
    """One crowd gives its document, several a list of them, in order."""
    print_json(documents[0] if len(documents) == 1 else documents)


def _profile_json(p: Profile, ctx: Context) -> dict[str, Any]:
    return {
        "crowd": p.key,
        "as_of": ctx.at.strftime("%Y-%m-%d %H:%M"),
        "size": p.size,
        "share": p.share,
        "amount_at_stake": p.at_stake,
        "top_items": [{"item_id": i, "title": t, "people": n} for i, t, n in p.top_items],
        "by_level": p.by_level,
        "removed": {},
        "query": ctx.local(p.query("size")),
    }


# --- overlap -----------------------------------------------------------------------------------------------------


def _overlap(args: argparse.Namespace, ctx: Context, crowds: list[str]) -> None:
    from bot.console import table
    from tools import audience
    from tools.facts import display
    from tools.overlap import overlap

    found = overlap(ctx.engine, crowds, ctx.scope)
    if as_json(args):
        print_json(_overlap_json(found, ctx))
        return
    names = [audience.label(audience.parse(c), ctx.lang) for c in found.crowds]
    print(ctx.say("overlap.head", when=ctx.at.strftime("%Y-%m-%d %H:%M")))
    print(ctx.say("overlap.how"))
    rows = [
        [f"{i + 1} {name}", *(_cell(found, i, j, ctx.lang) for j in range(len(names)))] for i, name in enumerate(names)
    ]
    table(["", *(str(j + 1) for j in range(len(names)))], rows)
    counted = {"any": found.in_any, "all": found.in_all, "one": found.in_one}
    print(ctx.say("overlap.sums", **{k: display(n, "people", ctx.lang) for k, n in counted.items()}))


def _cell(found: Overlap, i: int, j: int, lang: str) -> str:
    from tools.facts import display

    people = f"{found.matrix[i][j]:,}"
    return people if i == j else f"{people} ({display(found.share(i, j), 'ratio', lang)})"


def _overlap_json(found: Overlap, ctx: Context) -> dict[str, Any]:
    numbers = range(len(found.crowds))
    return {
        "as_of": ctx.at.strftime("%Y-%m-%d %H:%M"),
        "crowds": list(found.crowds),
        "matrix": [list(row) for row in found.matrix],
        "share": [[found.share(i, j) for j in numbers] for i in numbers],
        "any": found.in_any,
        "all": found.in_all,
        "one": found.in_one,
        "query": ctx.local(found.query),
    }


# --- trend -------------------------------------------------------------------------------------------------------


def _trend(args: argparse.Namespace, ctx: Context, crowds: list[str]) -> None:
    from tools.periods import parse_day
    from tools.trend import span, trend

    first, last = (parse_day(day) if day else None for day in (args.first, args.last))
    over = span(ctx.scope, first, last)
    found = [trend(ctx.engine, c, over, ctx.shop.campaigns, ctx.shop.settings) for c in crowds]
    if as_json(args):
        _print_each(
            [[{"day": d.day.isoformat(), "size": d.size, "query": ctx.local(d.query)} for d in days] for days in found]
        )
        return
    for crowd, days in zip(crowds, found, strict=True):
        print("\n".join(_trend_lines(ctx, crowd, days, over)))


def _trend_lines(ctx: Context, crowd: str, days: list[Day], over: Window) -> list[str]:
    from tools import audience, wording
    from tools.trend import sparkline

    name = audience.label(audience.parse(crowd), ctx.lang)
    span = wording.span(over.first, over.last, ctx.lang) if over.days > 1 else wording.day(over.first, ctx.lang)
    lines = [ctx.say("trend.head", crowd=name, span=span) + "  " + sparkline([d.size for d in days])]
    most = max(d.size for d in days)
    width = len(f"{most:,}")
    for d in days:
        bar = "█" * round(d.size / most * _BAR) if most else ""
        lines.append(f"{d.day:%m-%d}  {d.size:>{width},}  {bar}".rstrip())
    if over.partial:
        lines[-1] += ctx.say("trend.until", clock=over.until.strftime("%H:%M"))
    return lines
