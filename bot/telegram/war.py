"""What every handler works with, and how it gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from telegram.ext import ContextTypes

import prompts
from bot.settings import BotSettings
from bot.state import State
from bot.telegram.rooms import Rooms
from tools.errors import WarRoomError

if TYPE_CHECKING:
    from bot.telegram.sender import Sender

T = TypeVar("T")
Context = ContextTypes.DEFAULT_TYPE


@dataclass(frozen=True)
class War:
    """One running bot: its settings, state, shops and the one way out. `worker` names this process in the state."""

    settings: BotSettings
    state: State
    rooms: Rooms
    sender: Sender
    worker: str

    async def db(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """A call of the state, off the event loop."""
        return await asyncio.to_thread(call, *args, **kwargs)


def war(context: Context) -> War:
    found = context.application.bot_data["war"]
    assert isinstance(found, War)
    return found


def say(key: str, lang: str, **variables: object) -> str:
    """A fixed text; what people call themselves and their files stands in it as they wrote it, never as markup."""
    return prompts.text(key, lang, **{k: bare(v) if isinstance(v, str) else v for k, v in variables.items()})


def bare(text: str) -> str:
    """`text` with a mark of no width between asterisks, so that they are shown and make nothing bold."""
    return text.replace("**", "*\u2060*")


def sorry(error: WarRoomError, lang: str) -> str:
    """What went wrong and what to do next, a line each."""
    return f"{error.message(lang)}\n{error.hint(lang)}"
