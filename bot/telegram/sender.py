"""The one way out to Telegram: bounded retries, fallbacks, and nothing sent twice where it can be known.

429                        waited for and tried again (limiter.py)
not sent at all            (no connection, pool full) tried again
5xx, connection cut        a person waits for the answer: tried again; a push (`once`) is left alone as Unknown
no answer in time          most likely it arrived: never tried again, Unknown
HTML refused               the same piece as plain text
thread gone                the same piece without the thread
group became a supergroup  the state moves, the same piece goes to the new id
blocked, removed, muted    Gone: the chat is set aside quietly
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from telegram import Bot, InlineKeyboardMarkup, Message, ReplyParameters
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from bot import render
from bot.state import State
from bot.telegram.inbox import about_to_send

T = TypeVar("T")
log = logging.getLogger(__name__)
TRIES = 4
_PAUSE = 0.5  # seconds before the second try; doubles
_NOT_SENT = ("ConnectError", "ConnectTimeout", "Pool timeout", "ProxyError")
_GONE = (
    "chat not found",
    "not enough rights",
    "have no rights",
    "chat_write_forbidden",
    "user is deactivated",
    "need administrator",
)
_HTML = ("can't parse entities", "unsupported start tag", "can't find end")


class Gone(Exception):
    """Nothing can be written in this chat any more; the reason is Telegram's."""


class Unknown(Exception):
    """A message may or may not have arrived; it was not sent again."""


class Sender:
    """Sends as `bot`; remembers in `state` that a chat is gone or has moved."""

    def __init__(self, bot: Bot, state: State) -> None:
        self.bot = bot
        self.state = state

    async def typing(self, chat: int, thread: int | None) -> None:
        """A sign of life; whether it arrives does not matter."""
        try:
            await self.bot.send_chat_action(chat, ChatAction.TYPING, message_thread_id=thread)
        except TelegramError as e:
            log.debug("typing in %s: %s", chat, e)

    async def text(
        self,
        chat: int,
        text: str,
        *,
        thread: int | None = None,
        reply_to: int | None = None,
        keyboard: InlineKeyboardMarkup | None = None,
        into: Message | None = None,
        once: bool = False,
    ) -> list[Message]:
        """`text` (with **bold**) in as many messages as it needs, the first in place of `into`; the keyboard stands under the
        last."""
        marked, bare = render.telegram(text), render.plain_parts(text)
        sent: list[Message] = []
        for i, (piece, simple) in enumerate(zip(marked, bare, strict=True)):
            under = keyboard if i == len(marked) - 1 else None
            reply = reply_to if i == 0 else None
            if i == 0 and into is not None:
                await self._replace(into, piece, simple, under)
                sent.append(into)
                continue

            async def send(
                to: int, html: bool, thread: int | None, p: str = piece, s: str = simple, k: Any = under, r: Any = reply
            ) -> Message:
                return await self.bot.send_message(
                    to,
                    p if html else s,
                    parse_mode=ParseMode.HTML if html else None,
                    message_thread_id=thread,
                    reply_parameters=_reply(r),
                    reply_markup=k,
                )

            sent.append(await self._delivered(chat, send, thread=thread, once=once))
            chat = sent[-1].chat_id
        return sent

    async def photo(
        self,
        chat: int,
        path: Path,
        caption: str,
        *,
        thread: int | None = None,
        reply_to: int | None = None,
        once: bool = False,
    ) -> Message:
        """A picture; what the caption cannot hold is cut at a sentence (the text itself stands elsewhere)."""
        data = await asyncio.to_thread(path.read_bytes)
        html, bare = (parts[0] if parts else "" for parts in _caption(caption))

        async def send(to: int, marked: bool, thread: int | None) -> Message:
            return await self.bot.send_photo(
                to,
                data,
                caption=html if marked else bare,
                parse_mode=ParseMode.HTML if marked else None,
                filename=path.name,
                message_thread_id=thread,
                reply_parameters=_reply(reply_to),
            )

        return await self._delivered(chat, send, thread=thread, once=once)

    async def document(
        self, chat: int, name: str, data: bytes, caption: str, *, thread: int | None = None, reply_to: int | None = None
    ) -> Message:
        html, bare = (parts[0] if parts else "" for parts in _caption(caption))

        async def send(to: int, marked: bool, thread: int | None) -> Message:
            return await self.bot.send_document(
                to,
                data,
                caption=html if marked else bare,
                parse_mode=ParseMode.HTML if marked else None,
                filename=name,
                message_thread_id=thread,
                reply_parameters=_reply(reply_to),
            )

        return await self._delivered(chat, send, thread=thread, once=False)

    async def edit(self, message: Message, text: str, keyboard: InlineKeyboardMarkup | None = None) -> None:
        """Put `text` in place of a message of ours; editing twice does no harm, so it is tried again after any failure."""
        await self._replace(message, render.telegram(text)[0], render.plain_parts(text)[0], keyboard)

    async def _replace(self, message: Message, piece: str, simple: str, keyboard: InlineKeyboardMarkup | None) -> None:
        await about_to_send(self.state)

        async def change(html: bool) -> None:
            await self.bot.edit_message_text(
                piece if html else simple,
                chat_id=message.chat_id,
                message_id=message.message_id,
                parse_mode=ParseMode.HTML if html else None,
                reply_markup=keyboard,
            )

        try:
            await self._again(lambda: change(True), harmless=True)
        except BadRequest as e:
            if _says(e, *_HTML):
                await self._again(lambda: change(False), harmless=True)
            elif not _says(e, "not modified"):
                raise

    async def unbutton(self, chat: int, message: int) -> None:
        """Take the buttons from under a message; that they are gone already is fine."""
        try:
            await self._again(
                lambda: self.bot.edit_message_reply_markup(chat_id=chat, message_id=message), harmless=True
            )
        except (BadRequest, Forbidden) as e:
            log.info("buttons under %s/%s: %s", chat, message, e)

    async def tapped(self, query: str, text: str | None = None, *, alert: bool = False) -> None:
        """Answer a tap. A tap too old to be answered is only logged."""
        try:
            await self._again(
                lambda: self.bot.answer_callback_query(query, text=text[:200] if text else None, show_alert=alert),
                harmless=True,
            )
        except BadRequest as e:
            log.info("tap %s: %s", query, e)

    async def _delivered(
        self, chat: int, send: Callable[[int, bool, int | None], Awaitable[Message]], *, thread: int | None, once: bool
    ) -> Message:
        """One message out, by the table at the head of this file."""
        await about_to_send(self.state)
        html = True
        for _ in range(4):  # each fallback is taken once
            try:
                return await self._again(lambda: send(chat, html, thread), repeat=not once)  # noqa: B023
            except ChatMigrated as e:
                await asyncio.to_thread(self.state.move, chat, e.new_chat_id)
                chat = e.new_chat_id
            except Forbidden as e:
                await asyncio.to_thread(self.state.set_active, chat, False)
                raise Gone(str(e)) from e
            except BadRequest as e:
                if html and _says(e, *_HTML):
                    log.error("Telegram refused our HTML (%s); sent as plain text", e)
                    html = False
                elif thread is not None and _says(e, "thread not found"):
                    thread = None
                elif _says(e, *_GONE):
                    raise Gone(str(e)) from e
                else:
                    raise
        raise Gone("no fallback is left")

    async def _again(self, call: Callable[[], Awaitable[T]], *, repeat: bool = True, harmless: bool = False) -> T:
        """Call until it works, at most TRIES times. `repeat` False: only what surely was not sent is tried again;
        `harmless`: doing it twice changes nothing, so it is tried again whatever happened."""
        pause = _PAUSE
        for tried in range(1, TRIES + 1):
            try:
                return await call()
            except RetryAfter:
                raise  # the limiter has waited and tried already
            except TimedOut as e:
                if not harmless and not _not_sent(e):
                    raise Unknown(str(e)) from e
                if tried == TRIES:
                    raise
            except (BadRequest, Forbidden, ChatMigrated):
                raise
            except NetworkError as e:
                if not repeat and not _not_sent(e):
                    raise Unknown(str(e)) from e
                if tried == TRIES:
                    raise
                log.info("try %s: %s", tried, e)
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable")


def _reply(message: int | None) -> ReplyParameters | None:
    """A reply that is sent all the same when the message replied to is gone."""
    return ReplyParameters(message, allow_sending_without_reply=True) if message else None


def _caption(text: str) -> tuple[list[str], list[str]]:
    return render.telegram(text, render.CAPTION), render.plain_parts(text, render.CAPTION)


def _says(error: TelegramError, *parts: str) -> bool:
    return any(part in str(error).lower() for part in parts)


def _not_sent(error: NetworkError) -> bool:
    return any(part in str(error) or part in repr(error.__cause__) for part in _NOT_SENT)
