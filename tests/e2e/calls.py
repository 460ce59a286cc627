"""Calls to the Telegram test server by python-telegram-bot, and the people and groups that they are about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)
from telegram.error import (
    BadRequest,
)
from telegram.request import HTTPXRequest

from tests.e2e.server import Chat, TelegramServer, User

T = TypeVar("T")
ANN, BO = User(11, "Ann"), User(12, "阿宝", "zh-hans")
GROUP = Chat(-1001, "supergroup", "618 作战室", is_forum=True)
SMALL = Chat(-5, "group", "Ops")
WHY, UP = InlineKeyboardButton("依据", callback_data="why:1"), InlineKeyboardButton("👍", callback_data="up:1")
KEYS = InlineKeyboardMarkup([[WHY, UP]])


def ptb(server: TelegramServer, **options: Any) -> Bot:
    return Bot(
        server.token,
        base_url=server.url + "/bot",
        base_file_url=server.url + "/file/bot",
        request=HTTPXRequest(**options),
    )


def talk(server: TelegramServer, work: Callable[[Bot], Awaitable[T]], **options: Any) -> T:
    """What `work` makes of an initialised Bot."""

    async def run() -> T:
        async with ptb(server, **options) as bot:
            return await work(bot)

    return asyncio.run(run())


def say(server: TelegramServer, text: str, chat: int = -1001, **fields: Any) -> Message:
    return talk(server, lambda bot: bot.send_message(chat, text, **fields))


def refused(server: TelegramServer, text: str, **fields: Any) -> str:
    with pytest.raises(BadRequest) as error:
        say(server, text, **fields)
    return str(error.value)
