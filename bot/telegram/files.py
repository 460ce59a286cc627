"""Files dropped into the chat: a table is previewed and imported on confirmation, a document joins the knowledge."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from telegram import CallbackQuery, Chat, Document, Message, MessageEntity, Update
from telegram.error import BadRequest, TelegramError

from bot.state import Upload
from bot.telegram import keyboards
from bot.telegram.access import Asker, asker, missing_role, needs, role_in, topic_of
from bot.telegram.live import live
from bot.telegram.sender import Gone, Unknown
from bot.telegram.war import Context, War, say, sorry, war
from bot.wiring import WarRoom
from knowledge import catalog
from tools.errors import WarRoomError
from tools.preview import Preview, preview

log = logging.getLogger(__name__)
LIMIT = 20 * 1024 * 1024  # what Telegram lets a bot download
_CHOICES = 3
_MEDIA = ("image", "audio", "video")


async def on_document(update: Update, context: Context) -> None:
    """In private every file, in a group one whose caption means the bot or that replies to it."""
    message = update.message  # not an edited one: a mended caption is no new file
    document = message.document if message is not None else None
    if message is None or document is None or not for_us(message, context.bot.id, context.bot.username):
        return
    w, who = war(context), await asker(update, context)
    if who is None or not await needs(w, who, "operator", message):
        return
    if (document.mime_type or "").partition("/")[0] in _MEDIA:
        await _tell(w, who, say("file.media", who.lang), message.message_id)
        return
    if (document.file_size or 0) > LIMIT:
        await _tell(w, who, say("file.too_big", who.lang, name=document.file_name or ""), message.message_id)
        return
    token = secrets.token_hex(8)
    folder = w.rooms.root(who.shop) / "uploads" / token
    async with live(w.sender, who.chat, who.thread, message.message_id) as shown:
        shown.show(say("file.looking", who.lang))
        try:
            path = await _download(document, folder)
            found = await asyncio.to_thread(preview, path, who.lang)
        except WarRoomError as e:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await _tell(w, who, sorry(e, who.lang), message.message_id)
            return
        except TelegramError as e:
            log.warning("download failed: %s", e)
            key = "file.too_big" if isinstance(e, BadRequest) and "too big" in str(e).lower() else "file.no_download"
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await _tell(w, who, say(key, who.lang, name=document.file_name or ""), message.message_id)
            return
    tables = [found.table, *(t for t, _ in found.alternatives)][:_CHOICES] if found.table and not found.missing else []
    detail = {"name": document.file_name, "format": found.format, "tables": tables}
    await w.db(w.state.stage, token, who.shop, who.chat, who.person, found.kind, str(path), detail)
    keyboard = None
    if tables:
        named = [(key, catalog.tables()[key].name.get(who.lang)) for key in tables if key]
        keyboard = keyboards.import_choice(token, named, who.lang)
    elif found.kind == "document":
        keyboard = keyboards.add_choice(token, who.lang)
    await w.sender.text(
        who.chat, preview_text(found, document.file_name or "", who.lang), thread=who.thread,
        reply_to=message.message_id, keyboard=keyboard,
    )  # fmt: skip


async def on_media(update: Update, context: Context) -> None:
    """Pictures and recordings: said to be unreadable where they are meant for us, passed over elsewhere."""
    message = update.message
    if message is None or not for_us(message, context.bot.id, context.bot.username):
        return
    w, who = war(context), await asker(update, context)
    if who is not None:
        await _tell(w, who, say("file.media", who.lang), message.message_id)


def for_us(message: Message, bot_id: int, username: str) -> bool:
    """Whether a file is meant for the bot: in private always, in a group by its caption or as a reply."""
    if message.chat.type == Chat.PRIVATE:
        return True
    named = message.parse_caption_entities([MessageEntity.MENTION]).values()
    replied = message.reply_to_message
    to_us = replied is not None and replied.from_user is not None and replied.from_user.id == bot_id
    return to_us or f"@{username}".lower() in (n.lower() for n in named)


async def _download(document: Document, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _plain_name(document.file_name or "")
    file = await document.get_file()
    await file.download_to_drive(path)
    return path


def _plain_name(name: str) -> str:
    """A name that stays in its folder, whatever the sender called the file."""
    bare = re.sub(r"[\x00-\x1f\x7f/\\\\:]", "_", name).strip(". ")
    return bare[-80:] or "file"


def preview_text(found: Preview, name: str, lang: str) -> str:
    """What the file seems to be, and what would happen to it."""
    if found.kind == "document":
        return "\n".join([say("file.document", lang, name=name, sections=found.sections), *found.warnings])
    if found.table is None:
        return say("file.unknown", lang, name=name)
    table = catalog.tables()[found.table].name.get(lang)
    rows = f"{'' if found.counted else '≈ '}{found.rows:,}"
    lines = [f"**{say('file.table', lang, name=name, table=table, rows=rows)}**", say("file.mapping", lang)]
    lines += [f"· {header} → {column}" for header, column in (found.columns or {}).items()]
    if found.ignored:
        lines.append(say("file.ignored", lang, columns=say("join.list", lang).join(found.ignored)))
    if found.sample:
        lines += [say("file.sample", lang), *("· " + " | ".join(row.values()) for row in found.sample)]
    return "\n".join([*lines, *found.warnings])


def discard(path: str) -> None:
    """A staged file that nobody wanted, with the folder it lies in."""
    shutil.rmtree(Path(path).parent, ignore_errors=True)


async def _tell(w: War, who: Asker, text: str, reply_to: int | None = None) -> None:
    await w.sender.text(who.chat, text, thread=who.thread, reply_to=reply_to)


async def _upload(
    w: War, query: CallbackQuery, token: str, lang: str, table: str | None = None
) -> tuple[Upload, Asker] | None:
    """The staged file of a button and who tapped, when they may; every refusal is told over the chat. `table` must be one that
    was offered: what a tap carries need not come from a button of ours."""
    staged = await w.db(w.state.staged, token)
    if staged is None or query.message is None or staged.chat != query.message.chat.id:
        await w.sender.tapped(query.id, say("tap.expired", lang), alert=True)
        return None
    if table is not None and table not in staged.detail["tables"]:
        await w.sender.tapped(query.id, say("tap.expired", lang), alert=True)
        return None
    role = await role_in(w, query.from_user.id, staged.shop)
    if role is None or staged.shop not in w.rooms.keys:
        await w.sender.tapped(query.id, say("tap.stranger", lang), alert=True)
        return None
    who = Asker(query.from_user.id, query.from_user.full_name, staged.shop, role, staged.chat, topic_of(query), lang)
    if not who.may("operator"):
        await w.sender.tapped(query.id, missing_role(who, "operator"), alert=True)
        return None
    if not await w.db(w.state.take, token, query.id):
        await w.sender.tapped(query.id, say("tap.taken", lang), alert=True)
        return None
    await w.sender.tapped(query.id)
    return staged, who


async def on_import(w: War, query: CallbackQuery, rest: str, lang: str) -> None:
    """Import the staged file into the table of the button: once, by whoever taps first."""
    token, _, table = rest.partition(":")
    found = await _upload(w, query, token, lang, table)
    if found is None:
        return
    staged, who = found
    message = query.message.message_id if query.message is not None else None
    async with live(w.sender, who.chat, who.thread, message) as shown:
        shown.show(say("cli.importing", lang, file=staged.detail["name"]))
        try:
            reports = await w.rooms.run(
                staged.shop, lambda room: _import(room, Path(staged.path), table, staged.detail["format"], lang)
            )
        except WarRoomError as e:
            await w.db(w.state.put_back, token)
            await _tell(w, who, sorry(e, lang), message)
            return
    counts = ("read", "accepted", "rejected", "duplicates")
    detail = {"table": reports[0]["table"], **{k: sum(r[k] for r in reports) for k in counts}}
    await w.db(w.state.audit, who.person, who.shop, "import", {"file": staged.detail["name"], **detail})
    await w.sender.unbutton(who.chat, message or 0)
    await asyncio.to_thread(discard, staged.path)
    lines = [_imported(r, staged.detail["name"], lang) for r in reports]
    if reports[-1]["span"]["from"]:
        lines.append(say("cli.span", lang, first=reports[-1]["span"]["from"], last=reports[-1]["span"]["to"]))
    await _tell(w, who, "\n".join(lines), message)
    for rejects in (r["rejects_file"] for r in reports if r["rejects_file"]):
        data = await asyncio.to_thread(Path(rejects).read_bytes)
        try:
            await w.sender.document(who.person, Path(rejects).name, data, say("file.rejects", lang))
        except (Gone, Unknown, TelegramError) as e:
            log.info("rejects for %s: %s", who.person, e)  # they hold customers' data: never into the group instead
            await _tell(w, who, say("file.rejects_wait", lang), message)


def _imported(report: dict[str, Any], file: str, lang: str) -> str:
    """What became of one table of the file, which a workbook may have several of."""
    name = f"{file} · {report['sheet']}" if "sheet" in report else file
    counts = {k: f"{report[k]:,}" for k in ("read", "accepted", "rejected", "duplicates")}
    return say("cli.imported", lang, file=name, **counts)


def _import(room: WarRoom, path: Path, table: str, fmt: str, lang: str) -> list[dict[str, Any]]:
    from tools import ingest
    from tools.engine import Engine
    from tools.publish import publish_shop

    room.release()
    shop = room.shop
    engine = Engine(shop.data_file, read_only=False)
    try:
        engine.create_tables()
        reports = ingest.import_file(
            engine, table, path, fmt, shop.rejects_dir, shop.now(), lang=lang, zone=shop.timezone
        )
    finally:
        engine.close()
    if shop.warehouse is not None:
        publish_shop(shop)
    room.forget_values()
    return [r.as_json() for r in reports]


async def on_learn(w: War, query: CallbackQuery, rest: str, lang: str) -> None:
    """Add the staged document to the shop's knowledge."""
    found = await _upload(w, query, rest, lang)
    if found is None:
        return
    staged, who = found
    message = query.message.message_id if query.message is not None else None
    async with live(w.sender, who.chat, who.thread, message) as shown:
        shown.show(say("cli.index_building", lang))
        try:
            added = await w.rooms.run(staged.shop, lambda room: room.learn(Path(staged.path)))
        except WarRoomError as e:
            await w.db(w.state.put_back, rest)
            await _tell(w, who, sorry(e, lang), message)
            return
    await w.db(w.state.audit, who.person, who.shop, "learn", {"file": staged.detail["name"]})
    await w.sender.unbutton(who.chat, message or 0)
    await asyncio.to_thread(discard, staged.path)
    await _tell(w, who, say("file.learned", lang, name=added), message)


async def on_drop(w: War, query: CallbackQuery, rest: str, lang: str) -> None:
    """Forget the staged file."""
    found = await _upload(w, query, rest, lang)
    if found is None:
        return
    staged, who = found
    await asyncio.to_thread(discard, staged.path)
    if query.message is not None:
        await w.sender.unbutton(who.chat, query.message.message_id)
    await _tell(w, who, say("file.dropped", lang))
