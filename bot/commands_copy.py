"""`warroom draft` and `warroom check`: touch messages, written and checked."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from bot.commands import as_json, at_of, open_room, print_json
from tools.errors import AskAgain, NeedsPerson

if TYPE_CHECKING:
    from tools.offers import Offer

_CROWD = "cart_unpaid"


def draft(args: argparse.Namespace) -> int:
    """Variants of one message; 1 when the data or the rules allow none."""
    from bot import writer
    from bot.answer import Interpretation
    from tools.copy_brief import channel_key
    from tools.copywriting import draft as write

    channel = channel_key(args.channel)
    with open_room(args) as room:
        ctx = room.context(at_of(args), args.ui_lang)
        result = write(
            ctx, channel, args.crowd or _CROWD, purpose=args.purpose, benefit=args.benefit, variants=args.variants
        )
    if as_json(args):
        data = result.data
        keys = ("crowd", "channel", "purpose", "phase", "head", "removed", "notes")
        print_json({**{k: data[k] for k in keys if k in data}, **result.model_dump(include={"drafts", "facts"})})
    else:
        print(writer.write(result.model_dump(), Interpretation(intent="draft"), args.ui_lang).replace("**", ""))
    return 0 if result.drafts else 1


def check(args: argparse.Namespace) -> int:
    """What the rules say of a text, of a file's, or of each line of a batch, in that order."""
    from bot.draft_writer import verdict_lines
    from tools.compliance import check as judge
    from tools.copy_brief import channel_key

    if sum(given is not None for given in (args.text, args.file, args.batch)) != 1:
        print("usage: warroom check --channel CH (TEXT | --file F | --batch F.jsonl)", file=sys.stderr)
        return 2
    offer = _offer(args)
    if args.batch is not None:
        for entry in _entries(args):
            channel = channel_key(str(entry.get("channel") or args.channel))
            document = judge(channel, entry["text"], lang=args.ui_lang, offer=offer).model_dump()
            print(json.dumps({"id": entry.get("id"), **document}, ensure_ascii=False), flush=True)
        return 0
    text = _read(args.file) if args.file is not None else args.text
    verdict = judge(channel_key(args.channel), text, lang=args.ui_lang, offer=offer)
    if as_json(args):
        print_json(verdict.model_dump())
    else:
        print("\n".join(verdict_lines(verdict, args.ui_lang)).replace("**", ""))
    return 0


def _offer(args: argparse.Namespace) -> Offer | None:
    """What the shop's data allow to be stated; without a workspace only the rules judge."""
    from tools.offers import offer_of

    if not (args.shop / "shop.yaml").is_file():
        return None
    with open_room(args) as room:
        return offer_of(room.context(at_of(args), "zh"))


def _read(path: Any) -> str:
    if not path.is_file():
        raise NeedsPerson("file_missing", path=str(path))
    try:
        return str(path.read_text(encoding="utf-8-sig")).strip("\n")
    except UnicodeDecodeError as e:
        raise AskAgain("not_utf8", file=path.name) from e


def _entries(args: argparse.Namespace) -> list[dict[str, Any]]:
    out = []
    for number, line in enumerate(_read(args.batch).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as e:
            raise AskAgain("bad_check_line", file=args.batch.name, line=number, detail=str(e)) from e
        if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
            raise AskAgain("bad_check_line", file=args.batch.name, line=number, detail="text")
        out.append(entry)
    return out
