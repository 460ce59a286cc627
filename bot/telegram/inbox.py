"""No update is lost or answered twice: each is written down before Telegram is told that we have it.

python-telegram-bot puts what it receives into an update queue and only then confirms it; this queue stores it first. What an
ended process left undone is taken up by the next one: what had not begun to send is worked again, what may have been sent
is reported to the chat and not sent again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from telegram import Bot, Update
from telegram.ext import BaseUpdateProcessor

from bot.state import State

log = logging.getLogger(__name__)
PARALLEL = 4096  # waiting for a turn costs nothing, and an update must never wait behind one that waits for it
_RETRY = 2.0  # seconds between tries when the state cannot be written
_LOOK = 0.05
_OVERTAKING = 1.5  # seconds that an update may come in after a later one; waited only where a number is missing


class Taken(Exception):
    """Another worker, which took this one for dead, has the update: nothing may be sent."""


@dataclass
class Turn:
    """The update that is being worked on. `sending` is set, here and in the state, before the first message goes out."""

    bot: int
    update_id: int
    sending: bool = False


TURN: ContextVar[Turn | None] = ContextVar("turn", default=None)


async def about_to_send(state: State) -> None:
    """Write down, once for each update, that from here on a message may have arrived."""
    turn = TURN.get()
    if turn is not None and not turn.sending:
        turn.sending = True
        if not await asyncio.to_thread(state.sending, turn.bot, turn.update_id):
            raise Taken(turn.update_id)


class Inbox(asyncio.Queue[object]):
    """The update queue. `seen` is told of each new update at once, before it waits for its turn."""

    def __init__(self, state: State, worker: str, seen: Callable[[Update], Coroutine[Any, Any, None]]) -> None:
        super().__init__()
        self._state = state
        self._worker = worker
        self._seen = seen
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, item: object) -> None:
        """Store, then queue; a known update is dropped. Waits while the state is out of reach: nothing is confirmed then."""
        if not isinstance(item, Update):
            await super().put(item)
            return
        bot = item.get_bot().id
        chat = item.effective_chat.id if item.effective_chat else None
        while True:
            try:
                new = await asyncio.to_thread(
                    self._state.receive, bot, item.update_id, chat, item.to_json(), self._worker
                )
                break
            except Exception:
                log.exception("update %s cannot be stored; trying again", item.update_id)
                await asyncio.sleep(_RETRY)
        if not new:
            log.info("update %s is known already", item.update_id)
            return
        task = asyncio.create_task(self._seen(item))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await super().put(item)

    async def again(self, item: Update) -> None:
        """Queue an update that is stored already."""
        await super().put(item)


class Order(BaseUpdateProcessor):
    """Chats side by side, the updates of one chat one after the other, also across workers.

    An update is done when its handler is; a handler that could not finish has said so to the chat, and is not run again.
    """

    def __init__(self, state: State, worker: str, *, several_workers: bool) -> None:
        super().__init__(PARALLEL)
        self._state = state
        self._worker = worker
        self._several = several_workers
        self._locks: dict[int, tuple[asyncio.Lock, int]] = {}

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        if not isinstance(update, Update):
            await coroutine
            return
        chat = update.effective_chat.id if update.effective_chat else 0
        if self._several:
            await self._turn(update, chat)
            await self._one(update, coroutine)
            return
        lock, waiting = self._locks.get(chat, (asyncio.Lock(), 0))
        self._locks[chat] = (lock, waiting + 1)
        try:
            async with lock:
                await self._one(update, coroutine)
        finally:
            lock, waiting = self._locks[chat]
            if waiting == 1:
                del self._locks[chat]
            else:
                self._locks[chat] = (lock, waiting - 1)

    async def _turn(self, update: Update, chat: int) -> None:
        """Wait for the older updates of the chat. Webhook calls overtake each other and an older update may be another
        worker's: the state knows the order, and where a number just before is missing it may still be on its way."""
        bot, number = update.get_bot().id, update.update_id
        patience = time.monotonic() + _OVERTAKING

        def waits() -> bool:
            if self._state.older_open(bot, chat, number):
                return True
            return time.monotonic() < patience and self._state.gap_before(bot, number)

        while await asyncio.to_thread(waits):
            await asyncio.sleep(_LOOK)

    async def _one(self, update: Update, coroutine: Awaitable[Any]) -> None:
        bot = update.get_bot().id
        if not await asyncio.to_thread(self._state.begin, bot, update.update_id, self._worker):
            coroutine.close()  # type: ignore[attr-defined]  # another worker has it
            return
        TURN.set(Turn(bot, update.update_id))
        await coroutine
        await asyncio.to_thread(self._state.done, bot, update.update_id)


async def take_up(
    inbox: Inbox,
    state: State,
    bot: Bot,
    worker: str,
    alive_since: float,
    lost: Callable[[int, Update], Awaitable[None]],
) -> int:
    """Take over what dead workers left: queue what had not been sent, tell `lost` of what may have been. Returns how many."""
    taken = 0
    for row in await asyncio.to_thread(state.orphans, bot.id, alive_since):
        update = Update.de_json(json.loads(row.payload), bot)
        if row.status == "sending":
            if await asyncio.to_thread(state.done, bot.id, row.update_id, "unknown"):
                await lost(row.update_id, update)
        elif await asyncio.to_thread(state.adopt, bot.id, row.update_id, row.worker, worker):
            await inbox.again(update)
            taken += 1
    return taken
