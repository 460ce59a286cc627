"""Telegram's flood limits, as python-telegram-bot keeps them; signs of life do not use up a group's messages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from telegram.ext import AIORateLimiter

_FREE = ("sendChatAction", "answerCallbackQuery")
_RETRIES = 3


def limiter(per_second: float) -> AIORateLimiter:
    """At most `per_second` messages in all (0: no limit) and Telegram's own 20 a minute in a group."""
    if per_second > 30:  # a Bot API server of one's own has no such limits
        return Limiter(overall_max_rate=per_second, group_max_rate=0, group_time_period=0, max_retries=_RETRIES)
    return Limiter(overall_max_rate=per_second, max_retries=_RETRIES)


class Limiter(AIORateLimiter):
    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        if endpoint in _FREE:
            return await callback(*args, **kwargs)
        return await super().process_request(callback, args, kwargs, endpoint, data, rate_limit_args)
