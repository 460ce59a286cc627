"""The daily push: each subscribed chat once a day, claimed in the send ledger before anything is sent.

Due from its time of day on, caught up for two hours, after that reported as missed. A send whose outcome nobody knows is
marked so, said to the chat, and not sent again on its own.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from telegram.error import TelegramError

from bot.conversation import Question, answer
from bot.state import LedgerKey, LedgerRow, Subscription
from bot.telegram import keyboards
from bot.telegram.kept import pack
from bot.telegram.sender import Gone, Unknown
from bot.telegram.war import War, say
from bot.wiring import WarRoom
from tools.errors import WarRoomError

log = logging.getLogger(__name__)
CATCH_UP = timedelta(hours=2)
KIND, CHART = "brief", "brief_chart"


@dataclass(frozen=True)
class Due:
    """One chat's briefing of one day."""

    to: Subscription
    key: LedgerKey
    at: datetime
    now: datetime

    @property
    def late(self) -> bool:
        return self.now - self.at > CATCH_UP


def due_now(to: Subscription, room: WarRoom) -> Due | None:
    """The chat's briefing of today once its time has come; the clock is the shop's."""
    now = room.shop.now()
    at = datetime.combine(now.date(), time.fromisoformat(to.at))
    if now < at:
        return None
    campaign = room.context(now, "zh").inside
    name = f"{campaign.key}:{campaign.year}" if campaign is not None else "-"
    return Due(to, LedgerKey(name, now.date().isoformat(), KIND, to.chat), at, now)


class Briefings:
    """What is being pushed right now, so that a slow chat is not started twice; everything else is in the ledger."""

    def __init__(self, w: War) -> None:
        self._w = w
        self._running: dict[LedgerKey, asyncio.Task[None]] = {}

    async def tick(self) -> None:
        """Start what is due. Returns at once; `settle` waits."""
        for to in await self._w.db(self._w.state.subscriptions):
            if not to.active or to.shop not in self._w.rooms.keys:
                continue
            due = due_now(to, self._w.rooms.room(to.shop))
            if due is not None and due.key not in self._running:
                self._running[due.key] = task = asyncio.create_task(self._quietly(due))
                task.add_done_callback(lambda _, key=due.key: self._running.pop(key, None))  # type: ignore[misc]

    async def settle(self) -> None:
        await asyncio.gather(*self._running.values())

    async def _quietly(self, due: Due) -> None:
        try:
            await self._one(due)
        except Exception:  # one chat's trouble must not stop the others' briefings
            log.exception("briefing for %s", due.key)

    async def _one(self, due: Due) -> None:
        w = self._w
        if not await self._ours(due):
            return
        lang = due.to.lang or "zh"
        if due.late:
            if await w.db(w.state.advance, due.key, "claimed", "missed"):
                log.warning("briefing missed: %s", due.key)
                await self._notice(due.to.chat, due.to.thread, say("telegram.brief_missed", lang, at=due.to.at))
            return
        question = Question(say("question.brief", lang), as_of=due.now.replace(second=0), lang=lang)
        keyboard = None
        charts = []
        try:
            found = await w.rooms.run(due.to.shop, lambda room: answer(room, question))
            text, charts = found.text, found.charts
            token = keyboards.token_for(due.key)
            await w.db(
                w.state.save_answer,
                token,
                due.to.shop,
                due.to.chat,
                due.to.thread,
                0,
                question.text,
                pack(found, None),
            )
            keyboard = keyboards.under(found, token)
        except WarRoomError as e:
            text = say("telegram.brief_failed", lang, reason=f"{e.message(lang)} {e.hint(lang)}")
        if not await w.db(w.state.advance, due.key, "claimed", "sending"):
            return
        await self._send(due, text, keyboard, lang)
        for chart in charts:
            await self._chart(due, Path(chart.path), chart.title)

    async def _ours(self, due: Due) -> bool:
        """Whether to send: nobody has claimed it, or we have and it certainly did not leave."""
        w = self._w
        key = due.key
        if await w.db(w.state.claim, due.to.shop, key.campaign, key.day, key.kind, key.chat, w.worker):
            return True
        rows = await w.db(w.state.ledger, due.to.shop, due.to.chat, 10)
        return any(r.key == key and r.status == "claimed" and r.worker == w.worker for r in rows)

    async def _send(self, due: Due, text: str, keyboard: object, lang: str) -> None:
        w = self._w
        try:
            sent = await w.sender.text(due.to.chat, text, thread=due.to.thread, keyboard=keyboard, once=True)  # type: ignore[arg-type]
        except Gone as e:
            log.info("briefing not sent: %s: %s", due.key, e)
            await w.db(w.state.advance, due.key, "sending", "failed", None, str(e))
        except Unknown as e:
            log.warning("briefing may not have arrived: %s: %s", due.key, e)
            await w.db(w.state.advance, due.key, "sending", "unknown", None, str(e))
            await self._notice(due.to.chat, due.to.thread, say("telegram.brief_unknown", lang))
        except TelegramError as e:
            log.warning("briefing did not leave, it will be tried again: %s: %s", due.key, e)
            await w.db(w.state.advance, due.key, "sending", "claimed", None, str(e))
        else:
            await w.db(w.state.advance, due.key, "sending", "sent", sent[-1].message_id if sent else None)

    async def _chart(self, due: Due, path: Path, title: str) -> None:
        """The picture under the text; that it is missing now and then is no loss worth a second message."""
        w = self._w
        key = LedgerKey(due.key.campaign, due.key.day, CHART, due.key.chat)
        if not await w.db(w.state.claim, due.to.shop, key.campaign, key.day, key.kind, key.chat, w.worker):
            return
        await w.db(w.state.advance, key, "claimed", "sending")
        try:
            sent = await w.sender.photo(due.to.chat, path, title, thread=due.to.thread, once=True)
        except (Gone, Unknown, TelegramError) as e:
            log.info("chart not sent: %s: %s", key, e)
            await w.db(w.state.advance, key, "sending", "unknown", None, str(e))
        else:
            await w.db(w.state.advance, key, "sending", "sent", sent.message_id)

    async def _notice(self, chat: int, thread: int | None, text: str) -> None:
        try:
            await self._w.sender.text(chat, text, thread=thread)
        except (Gone, Unknown, TelegramError) as e:
            log.warning("chat %s could not be told: %s", chat, e)

    async def take_up(self, alive_since: float) -> None:
        """What dead workers left: a claim is ours now and sent by `tick`; what was being sent is unknown, and said so."""
        w = self._w
        for row in await w.db(w.state.stuck, alive_since):
            if not await w.db(w.state.reclaim, row.key, row.worker, w.worker):
                continue
            if row.status == "sending" and await w.db(w.state.advance, row.key, "sending", "unknown", None, "restart"):
                log.warning("briefing may not have arrived: %s", row.key)
                if row.kind == KIND:
                    await self._tell_unknown(row)

    async def _tell_unknown(self, row: LedgerRow) -> None:
        to = await self._w.db(self._w.state.subscription, row.chat)
        lang = (to.lang if to is not None else None) or "zh"
        await self._notice(row.chat, to.thread if to is not None else None, say("telegram.brief_unknown", lang))


async def skip_today(w: War, to: Subscription) -> bool:
    """Whoever subscribes after today's time begins tomorrow: today is closed without a message."""
    due = due_now(to, w.rooms.room(to.shop))
    if due is None:
        return False
    key = due.key
    if await w.db(w.state.claim, to.shop, key.campaign, key.day, key.kind, key.chat, w.worker):
        await w.db(w.state.advance, key, "claimed", "missed", None, "subscribed later")
    return True
