"""`warroom publish`: bring the engine that shop.yaml names up to date. An import does it by itself."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import prompts
from bot.commands import as_json, print_json
from tools.errors import WarRoomError
from tools.shop import Shop, load_shop

if TYPE_CHECKING:
    from tools.publish import Published


def publish(args: argparse.Namespace) -> None:
    """Copy what changed; --json gives {"place", "tables": {table: rows}, "days"}."""
    shop = load_shop(args.shop)
    done = _published(shop, args.ui_lang)
    if as_json(args):
        print_json({"place": done.place, "tables": done.rows, "days": done.days})
        return
    print(_said(done, args.ui_lang))


def after_import(shop: Shop, args: argparse.Namespace) -> WarRoomError | None:
    """Publish what was imported, where questions are answered by another engine; what went wrong, if it did."""
    if shop.warehouse is None:
        return None
    try:
        done = _published(shop, args.ui_lang)
    except WarRoomError as e:
        return e
    print(_said(done, args.ui_lang), file=sys.stderr)
    return None


def _published(shop: Shop, lang: str) -> Published:
    from bot.console import progress
    from tools.publish import publish_shop

    with progress(prompts.text("publish.under_way", lang)) as show:
        return publish_shop(shop, lambda _table, part: show(part))


def _said(done: Published, lang: str) -> str:
    if not done.rows:
        return prompts.text("publish.nothing", lang, place=done.place)
    variables: dict[str, Any] = {"place": done.place, "rows": f"{sum(done.rows.values()):,}", "days": f"{done.days:,}"}
    return prompts.text("publish.done", lang, **variables)
