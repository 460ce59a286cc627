"""Files and pictures out of an answer, to the chat or, where they hold people, to one person."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from telegram.error import TelegramError

from bot import exports
from bot.answer import Answer
from bot.telegram.access import Asker
from bot.telegram.sender import Gone, Unknown
from bot.telegram.war import War, say, sorry
from bot.wiring import WarRoom
from tools.errors import WarRoomError

T = TypeVar("T")
log = logging.getLogger(__name__)


async def send_chart(w: War, who: Asker, found: Answer, *, reply_to: int) -> None:
    chart = await _made(w, who, lambda room: exports.chart_of(room, found), reply_to)
    if chart is None:
        return
    await w.sender.photo(who.chat, Path(chart.path), chart.title, thread=who.thread, reply_to=reply_to)


async def send_table(w: War, who: Asker, found: Answer, *, reply_to: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.csv"
        rows = await _made(w, who, lambda room: exports.table_of(room, found, path), reply_to)
        if rows is None:
            return
        await w.db(w.state.audit, who.person, who.shop, "export", {"what": "metrics", "rows": rows, "chat": who.chat})
        caption = say("telegram.table", who.lang, rows=f"{rows:,}")
        await w.sender.document(who.chat, path.name, path.read_bytes(), caption, thread=who.thread, reply_to=reply_to)


async def send_people(w: War, who: Asker, found: Answer, *, reply_to: int) -> None:
    """The answer's people to the operator alone; noted before the file leaves."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "crowd.csv"
        people = await _made(w, who, lambda room: exports.people_of(room, found, path), reply_to)
        if people is None:
            return
        detail = {"what": "crowd", "crowds": found.interpretation.crowds, "people": people, "chat": who.chat}
        await w.db(w.state.audit, who.person, who.shop, "export", detail)
        caption = say("telegram.people_file", who.lang, people=f"{people:,}", shop=w.rooms.name(who.shop))
        try:
            await w.sender.document(who.person, path.name, path.read_bytes(), caption)
        except Unknown:
            log.warning("the file for %s may not have arrived", who.person)
        except (Gone, TelegramError) as e:
            log.info("file for %s: %s", who.person, e)
            await _tell(w, who, "telegram.write_me_first", reply_to)
            return
    if who.chat != who.person:
        await _tell(w, who, "telegram.sent_privately", reply_to)


async def _tell(w: War, who: Asker, key: str, reply_to: int) -> None:
    await w.sender.text(who.chat, say(key, who.lang), thread=who.thread, reply_to=reply_to)


async def _made(w: War, who: Asker, make: Callable[[WarRoom], T], reply_to: int) -> T | None:
    """What `make` gives; None once the chat has been told why there is nothing."""
    try:
        return await w.rooms.run(who.shop, make)
    except WarRoomError as e:
        text = sorry(e, who.lang)
        await w.sender.text(who.chat, text, thread=who.thread, reply_to=reply_to)
        return None
