"""The bot's updates: queued, fetched by long polling or delivered to a webhook. Lives on the server's loop; only `put` and
`pending` are called from other threads, under the server's lock."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from lo_bot_api_emulator import ApiRefusal  # type: ignore[import-untyped]
from lo_bot_api_emulator.updates import UpdateQueues, allowed_updates, integer  # type: ignore[import-untyped]

from tests.e2e.records import Json

ON_REQUEST_ONLY = {"chat_member", "message_reaction", "message_reaction_count"}
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
OTHER_POLLER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_SECONDS = 10  # how long a webhook may take to answer


class Inbox:
    """Updates stay until an offset acknowledges them, or the webhook answered 2xx."""

    def __init__(self, token: str, lock: AbstractContextManager[Any]) -> None:
        self._lock = lock
        self.pending: dict[int, Json] = {}
        self.next_id = 1
        self.token = token
        self.allowed: list[str] = []
        self.url = ""
        self.secret: str | None = None
        self.max_connections = 40
        self.last_error = ""
        self._checker = UpdateQueues(record=lambda item: None, insecure_webhooks=True)
        self._poller: asyncio.Future[bool] | None = None
        self._out: set[int] = set()
        self._failed: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: Any = None
        self._taken = 0

    def put(self, update: Json) -> int:
        """Queues it under the next id (or its own, if newer); an update of a kind the bot did not ask for is dropped."""
        identity = int(max(update.get("update_id", 0), self.next_id))
        self.next_id = identity + 1
        kind = next(key for key in update if key != "update_id")
        if kind in self.allowed or (not self.allowed and kind not in ON_REQUEST_ONLY):
            self.pending[identity] = {"update_id": identity, kind: update[kind]}
        return identity

    def wake(self) -> None:
        """Lets a waiting poll or the webhook see what `put` left."""
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(True)
        self.pump()

    async def poll(self, fields: Json) -> list[Json]:
        """getUpdates. As on the live server, a newer poll ends the older one, which is answered 409."""
        limit = integer(fields.get("limit", 100), 1, 100)
        timeout = min(integer(fields.get("timeout", 0), 0, 3600), 50)
        offset = integer(fields.get("offset", 0), -(2**63) + 1, 2**63 - 1)
        if self.url:
            raise ApiRefusal(WEBHOOK_ACTIVE, 409)
        self.interrupt()
        if "allowed_updates" in fields:
            self.allowed = allowed_updates(fields["allowed_updates"])
        with self._lock:
            if offset < 0:
                offset = min(islice(reversed(self.pending), -offset), default=self.next_id)
            while self.pending and (first := next(iter(self.pending))) < offset:
                del self.pending[first]
        if not self.pending and timeout:
            waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._poller = waiting
            await asyncio.wait([waiting], timeout=timeout)
            if self._poller is waiting:
                self._poller = None
            if waiting.done() and not waiting.result():
                raise ApiRefusal(WEBHOOK_ACTIVE if self.url else OTHER_POLLER, 409)
        with self._lock:
            return list(islice(self.pending.values(), limit))

    def interrupt(self) -> None:
        """Ends the waiting poll with a 409."""
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(False)
        self._poller = None

    async def set_webhook(self, fields: Json) -> bool:
        """setWebhook and deleteWebhook (url ""); http is allowed to this machine. The emulator checks what is asked."""
        await self._checker.set_webhook(self.token, fields)
        self.url, self.secret = fields.get("url", ""), fields.get("secret_token")
        self.max_connections = int(fields.get("max_connections", 40))
        if "allowed_updates" in fields:
            self.allowed = allowed_updates(fields["allowed_updates"])
        if fields.get("drop_pending_updates") in (True, "true"):
            self.pending.clear()
        if self.url:
            self.interrupt()
        self._failed.clear()
        self.pump()
        return True

    def webhook_info(self) -> Json:
        info: Json = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
            "max_connections": self.max_connections,
        }
        if self.allowed:
            info["allowed_updates"] = self.allowed
        if self.last_error:
            info["last_error_message"] = self.last_error
        return info

    def pump(self) -> None:
        """Starts deliveries up to `max_connections`; what was refused waits for `deliver`."""
        if not self.url:
            return
        for identity in list(self.pending):
            if len(self._out) >= self.max_connections:
                return
            if identity not in self._out and identity not in self._failed:
                self._out.add(identity)
                task = asyncio.get_running_loop().create_task(self._post(identity))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def deliver(self) -> int:
        """Offers all that is queued again; how many the webhook has taken by the time nothing is under way."""
        before = self._taken
        self._failed.clear()
        self.pump()
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        return self._taken - before

    async def _post(self, identity: int) -> None:
        import aiohttp

        if self._client is None:
            timeout = aiohttp.ClientTimeout(total=WEBHOOK_SECONDS)
            self._client = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=100))
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret
        try:
            body = json.dumps(self.pending[identity])
            async with self._client.post(self.url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            status, self.last_error = 0, f"Connection failed: {type(e).__name__}"
        self._out.discard(identity)
        if 200 <= status < 300:
            self._taken += 1
            with self._lock:
                self.pending.pop(identity, None)
        else:
            self._failed.add(identity)
            if status:
                self.last_error = f"Wrong response from the webhook: {status}"
        self.pump()

    async def close(self) -> None:
        self.interrupt()
        for task in self._tasks:
            task.cancel()
        if self._client is not None:
            await self._client.close()
