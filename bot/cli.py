"""The `warroom` command (contracts.md): its arguments, its exit status, its errors. What commands do is in commands.py."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bot import (
    commands_bot,
    commands_copy,
    commands_crowd,
    commands_import,
    commands_knowledge,
    commands_publish,
    commands_review,
    commands_status,
)
from bot.commands import COMMANDS, fail
from bot.settings import Settings
from knowledge.catalog import CatalogError
from tools.errors import Broken, NeedsPerson, WarRoomError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. 0 done, 1 the request could not be met, 2 wrong usage."""
    settings = Settings.from_environment()
    args = _parser().parse_args(argv)
    args.ui_lang = args.lang if getattr(args, "lang", "auto") in ("zh", "en") else settings.lang
    args.shop = Path(args.shop) if getattr(args, "shop", None) else settings.shop
    collected = gc.isenabled()
    # A command is over in seconds: collecting cycles while hundreds of modules load would cost a tenth of that. The chat
    # lives longer and switches the collector on again.
    gc.disable()
    try:
        return int(_COMMANDS[args.command](args) or 0)
    except WarRoomError as e:
        return fail(e, args)
    except CatalogError as e:
        return fail(NeedsPerson("bad_file", detail=str(e), file=str(e).split(":")[0]), args)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as e:
        if os.environ.get("WARROOM_DEBUG"):
            raise
        return fail(Broken("internal", detail=f"{type(e).__name__}: {e}"[:300]), args)
    finally:
        if collected:
            gc.enable()


_COMMANDS = {
    **COMMANDS,
    "import": commands_import.import_files,
    "knowledge": commands_knowledge.knowledge,
    "publish": commands_publish.publish,
    "status": commands_status.status,
    "crowd": commands_crowd.crowd,
    "draft": commands_copy.draft,
    "check": commands_copy.check,
    "brief": commands_bot.brief,
    "target": commands_review.target,
    "review": commands_review.review,
    "bot": commands_bot.bot,
    "doctor": commands_bot.doctor,
}


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
    load.add_argument("files", nargs="+", type=Path, metavar="PATH", help="files, folders of files, .zip archives")
    load.add_argument("--format", default="auto", help="auto, csv, xlsx, parquet or taobao-userbehavior")
    load.add_argument("--mapping", type=Path, metavar="M.yaml", help="which header is which column")
    load.add_argument("--dry-run", action="store_true", help="read and judge everything, store nothing")

    command("publish", "bring the engine named in shop.yaml up to date (an import does it by itself)")
    command("status", "what data there is, how fresh, what is missing, what cannot be answered")

    ask = command("ask", "ask one question, or a file of questions")
    ask.add_argument("question", nargs="?")
    ask.add_argument("--session", help="a conversation that is remembered")
    ask.add_argument("--why", action="store_true", help="for each number its fact, query and data time")
    ask.add_argument("--batch", type=Path, metavar="FILE.jsonl", help='{"id","question","as_of"?,"session"?} a line')

    command("chat", "the conversation in the terminal")
    command("phase", "where we are: campaign, phase, gates")
    plan = command("plan", "today's actions")
    plan.add_argument("--crowd", help="a crowd or an expression of crowds")

    command("brief", "the daily briefing")

    target = command("target", "how far the target is: share reached, gap, what each day left must bring, the levers")
    target.add_argument("-m", "--metric", metavar="KEY", help="default: paid_amount")
    target.add_argument("-c", "--crowd", metavar="C", help="default: the whole shop")
    target.add_argument("--on", metavar="DAY", help="a day instead of today")
    target.add_argument(
        "--from", dest="first", metavar="DAY", help="the first day of a wave or phase; with --on, one day"
    )

    review = command("review", "what a campaign came to, so far or when it is over")
    review.add_argument("--campaign", metavar="KEY[:YEAR]", help="default: the one we are in, else the last one")
    review.add_argument("--phase", metavar="P", help="a phase's key, or wave1, wave2 …")

    draft = command("draft", "write a touch message for a crowd, checked")
    channels = "sms, card_sms, ai_call, exclusive_service, group, push, live"
    draft.add_argument("--channel", default="sms", metavar="CH", help=channels)
    draft.add_argument("--crowd", metavar="C", help="a crowd or an expression of crowds (default: cart_unpaid)")
    draft.add_argument("--benefit", metavar="TEXT", help="a benefit that the shop gives")
    draft.add_argument("--variants", type=int, default=2, metavar="N")
    draft.add_argument("--purpose", metavar="P")

    check = command("check", "check a touch message for law and truth")
    check.add_argument("--channel", default="sms", metavar="CH")
    check.add_argument("text", nargs="?")
    check.add_argument("--file", type=Path, metavar="F")
    check.add_argument("--batch", type=Path, metavar="F.jsonl", help='{"id","text","channel"?} a line')

    command("bot", "the Telegram bot (TELEGRAM_BOT_TOKEN, WARROOM_OWNER; webhook with WARROOM_WEBHOOK_URL)")
    command("doctor", "check settings, data, index, model and Telegram, one line each")

    metrics = command("metrics", "metrics of crowds over whole days")
    metrics.add_argument("-m", "--metric", action="extend", nargs="+", default=[], metavar="KEY")
    metrics.add_argument("-c", "--crowd", action="extend", nargs="+", default=[], metavar="CROWD")
    metrics.add_argument("--from", dest="first", metavar="DAY")
    metrics.add_argument("--to", dest="last", metavar="DAY")
    metrics.add_argument("--by")
    metrics.add_argument("--compare")
    metrics.add_argument("--explain", action="store_true", help="what each number means, as of when, and its statement")

    crowd = command("crowd", "crowds: size, share, money at stake, top items, overlap, trend")
    crowd.add_argument("crowds", nargs="+", metavar="KEY|EXPR", help='such as "cart_unpaid and not (fan or city:上海)"')
    conditions = (
        "member_level=… city=… item=… category=… min_amount=… max_amount=… last_paid_within=DAYS last_paid_before=DAYS "
        "last_seen_within=DAYS; all must hold"
    )
    crowd.add_argument("--filter", action="extend", nargs="+", default=[], metavar="COLUMN=VALUE", help=conditions)
    what = crowd.add_mutually_exclusive_group()
    what.add_argument("--overlap", action="store_true", help="how many people the crowds share, pair by pair")
    what.add_argument(
        "--trend", action="store_true", help="the size at the end of each day (default: this wave so far)"
    )
    what.add_argument("--export", type=Path, metavar="FILE")
    crowd.add_argument("--from", dest="first", metavar="DAY", help="the trend's first day")
    crowd.add_argument("--to", dest="last", metavar="DAY", help="the trend's last day")
    crowd.add_argument("--columns", default="", help="comma-separated columns of the export")
    crowd.add_argument("--with-phone", action="store_true", help="phone numbers in the export; logged")

    knowledge = command("knowledge", "the playbooks and your own documents: search, list, add, remove, rebuild")
    parts = knowledge.add_subparsers(dest="part", required=True, metavar="PART")
    search = parts.add_parser("search", help="find passages", parents=[common])
    search.add_argument("query")
    search.add_argument("-k", type=int, default=5)
    parts.add_parser("list", help="what is indexed", parents=[common])
    parts.add_parser("rebuild", help="build the index again", parents=[common])
    formats = "add documents of your own: .md .txt .html .docx .pdf .xlsx, or folders of them"
    add = parts.add_parser("add", help=formats, parents=[common])
    add.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    remove = parts.add_parser("remove", help="remove a document of your own", parents=[common])
    remove.add_argument("source")
    accept = parts.add_parser("accept", help="take over a draft made from a document", parents=[common])
    accept.add_argument("name", help="a draft in the workspace's folder drafts")
    accept.add_argument("--yes", action="store_true", help="without asking")
    return parser


if __name__ == "__main__":
    sys.exit(main())
