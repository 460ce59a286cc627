"""Faults on demand and calls held open, for the Telegram test server."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.records import Call, Json

CODES = {
    "400": "Bad Request: wrong request",
    "401": "Unauthorized",
    "403": "Forbidden: bot was blocked by the user",
    "404": "Not Found",
    "409": "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    "429": "Too Many Requests: retry after {retry_after}",
    "500": "Internal Server Error",
    "502": "Bad Gateway",
    "migrate": "Bad Request: group chat was upgraded to a supergroup chat",
}
ON_THE_WIRE = {"drop_before": (), "drop_after": (), "hang": ("seconds",), "hang_after": ("seconds",)}
OPTIONS = {"429": ("retry_after", "description"), "migrate": ("migrate_to_chat_id", "description")}
NEEDED = {"migrate": "migrate_to_chat_id", "hang": "seconds", "hang_after": "seconds"}


@dataclass
class Fault:
    """What shall go wrong: for calls of `method` ("*" is any but getUpdates, which never rests) to `chat`, after letting
    `after` of them pass, `times` times (None: until `clear`). `hits` counts."""

    method: str
    kind: str
    chat: int | None
    after: int
    times: int | None
    options: Json
    hits: int = 0

    def clear(self) -> None:
        self.times = self.hits

    @property
    def spent(self) -> bool:
        return self.times is not None and self.hits >= self.times

    def response(self) -> tuple[int, Json] | None:
        """Status and body, None for the faults that are not an answer."""
        if self.kind not in CODES:
            return None
        status = 400 if self.kind == "migrate" else int(self.kind)
        options = {"retry_after": 1, **self.options}
        description = options.get("description") or CODES[self.kind].format(**options)
        body: Json = {"ok": False, "error_code": status, "description": description}
        if self.kind == "429":
            body["parameters"] = {"retry_after": options["retry_after"]}
        if self.kind == "migrate":
            body["parameters"] = {"migrate_to_chat_id": options["migrate_to_chat_id"]}
        return status, body


@dataclass
class Hold:
    """The next matching call stands still until `release()`, before (processed=False) or after (True) it took effect.

    Only that one call is held. If its client is gone at release, a call held before processing never happens.
    """

    method: str
    chat: int | None
    processed: bool
    loop: asyncio.AbstractEventLoop
    call: Call | None = None
    arrived: threading.Event = field(default_factory=threading.Event)
    _free: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.loop.call_soon_threadsafe(self._free.set)

    async def stand(self) -> None:
        """Waits on the server's loop."""
        self.arrived.set()
        await self._free.wait()


def fault(method: str, kind: str, times: int | None, chat: int | None, after: int, options: dict[str, Any]) -> Fault:
    """A checked Fault; raises ValueError for an unknown kind or option, or one that lacks what it needs."""
    if kind not in CODES and kind not in ON_THE_WIRE:
        raise ValueError(f"unknown kind {kind!r}; one of {sorted([*CODES, *ON_THE_WIRE])}")
    allowed = ON_THE_WIRE.get(kind, OPTIONS.get(kind, ("description",)))
    if unknown := set(options) - set(allowed):
        raise ValueError(f"a fault {kind} takes {list(allowed)}, not {sorted(unknown)}")
    if (needed := NEEDED.get(kind)) and needed not in options:
        raise ValueError(f"a fault {kind} needs {needed}=")
    return Fault(method, kind, chat, after, times, options)


def matches(entry: Fault | Hold, call: Call) -> bool:
    named = entry.method == call.method or (entry.method == "*" and call.method != "getUpdates")
    return named and (entry.chat is None or entry.chat == call.chat_id)


def take_fault(faults: list[Fault], call: Call) -> Fault | None:
    """The first fault that is due for this call; the ones that are still letting calls pass count it."""
    for entry in faults:
        if entry.spent or not matches(entry, call):
            continue
        if entry.after > 0:
            entry.after -= 1
            continue
        entry.hits += 1
        return entry
    return None


def take_hold(holds: list[Hold], call: Call) -> Hold | None:
    for entry in holds:
        if entry.call is None and matches(entry, call):
            entry.call = call
            return entry
    return None
