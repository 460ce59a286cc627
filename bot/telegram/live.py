"""Signs of life while something takes long: typing at once, then one message that is edited no faster than Telegram likes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telegram import Message
from telegram.error import TelegramError

from bot.telegram.sender import Gone, Sender, Unknown

log = logging.getLogger(__name__)
PATIENCE = 2.5  # seconds without an answer before a person is told what is being worked on
EVERY = 1.5  # seconds between edits of one message
_TYPING = 4.5  # Telegram shows "typing" for five


class Live:
    """The state of one long piece of work as its chat sees it. `show` may be called from any thread, as often as one likes."""

    def __init__(self, sender: Sender, chat: int, thread: int | None, reply_to: int | None) -> None:
        self.message: Message | None = None
        self._sender = sender
        self._where = (chat, thread, reply_to)
        self._began: float | None = None
        self._wanted = ""
        self._shown = ""

    def show(self, text: str) -> None:
        """What is being done now; only the newest counts. The first call is when the work has begun."""
        if self._began is None:
            self._began = time.monotonic()
        self._wanted = text

    async def _run(self) -> None:
        chat, thread, reply_to = self._where
        typed = time.monotonic()
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            if now - typed > _TYPING:
                typed = now
                await self._sender.typing(chat, thread)
            if self._began is None or now - self._began < PATIENCE or self._wanted == self._shown:
                continue
            text = self._wanted
            if self.message is None:
                self.message = (await self._sender.text(chat, text, thread=thread, reply_to=reply_to))[0]
            else:
                await self._sender.edit(self.message, text)
            self._shown = text
            await asyncio.sleep(EVERY)


@asynccontextmanager
async def live(sender: Sender, chat: int, thread: int | None, reply_to: int | None) -> AsyncIterator[Live]:
    """Signs of life for as long as the block runs. Afterwards `message` is what the answer may be put into, if anything."""
    shown = Live(sender, chat, thread, reply_to)
    task = asyncio.create_task(_quietly(shown))
    try:
        yield shown
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _quietly(shown: Live) -> None:
    """Signs of life are not worth failing for: the answer itself will say whether the chat can be reached."""
    try:
        await shown._run()
    except (TelegramError, Gone, Unknown) as e:
        log.info("no signs of life: %s", e)
