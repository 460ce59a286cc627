"""A Telegram server for tests: the Bot API over HTTP on 127.0.0.1, people who write to the bot, faults on demand.

    with TelegramServer() as server:
        bot = Bot(server.token, base_url=server.url + "/bot", base_file_url=server.url + "/file/bot")
        server.message(group, ann, "今天怎么样", mention=True)
        reply = server.wait_message(group.id)
        server.press(ann, reply, "依据")

It runs in a thread with its own loop; every public method is called from the test's thread. `lo_bot_api_emulator` checks
the requests; tests/e2e/methods.py adds what a chat remembers, tests/e2e/inbox.py the updates.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from aiohttp import web
from lo_bot_api_emulator import ApiRefusal  # type: ignore[import-untyped]
from lo_bot_api_emulator.updates import UpdateError  # type: ignore[import-untyped]

from tests.e2e import faults, people
from tests.e2e.faults import Fault, Hold
from tests.e2e.inbox import Inbox
from tests.e2e.methods import BotApi
from tests.e2e.records import Call, Chat, Json, Posted, Sent, User, private

__all__ = ["Call", "Chat", "Posted", "Sent", "TelegramServer", "User", "private"]

HOST = "127.0.0.1"
JSON_FIELDS = {
    "reply_markup", "reply_parameters", "entities", "caption_entities", "commands", "scope", "allowed_updates", "media",
    "link_preview_options",
}  # fmt: skip


class TelegramServer(people.People):
    """The server; `url` is its address, `token` the only one it knows (others are answered 401).

    calls: every request of the bot, file downloads as method "download". messages: what the bot sent, by (chat id, message id).
    members: (chat id, user id) → status, "member" unless the test says otherwise. commands: (scope, language) → commands.
    """

    def __init__(self, *, token: str = "7000:test", username: str = "warroom_bot", callback_ttl: float = 60.0) -> None:
        self.token = token
        self.bot: Json = {
            "id": int(token.split(":")[0]),
            "is_bot": True,
            "first_name": "War Room",
            "username": username,
            "can_join_groups": True,
            "can_read_all_group_messages": True,
            "supports_inline_queries": False,
        }
        self.calls: list[Call] = []
        self._api = BotApi(self.bot, callback_ttl)
        self._faults: list[Fault] = []
        self._holds: list[Hold] = []
        self._changed = threading.Condition(threading.RLock())
        self._inbox = Inbox(token, self._changed)
        self._busy = 0  # calls under way, polls not counted
        self._last = time.monotonic()  # of the latest call, polls not counted
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True)
        self._site: web.SockSite | None = None
        self._runner: web.AppRunner | None = None
        self.port = 0

    # -- life

    def __enter__(self) -> TelegramServer:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def messages(self) -> dict[tuple[int, int], Sent]:
        return self._api.messages

    @property
    def members(self) -> dict[tuple[int, int], str]:
        return self._api.members

    @property
    def commands(self) -> dict[tuple[str, str], list[Json]]:
        return self._api.commands

    @property
    def profile(self) -> dict[tuple[str, str], str]:
        """("name" | "description" | "short_description", language or "") → text."""
        return self._api.profile

    @property
    def pending(self) -> int:
        """Updates that the bot has not acknowledged."""
        with self._changed:
            return len(self._inbox.pending)

    def down(self) -> None:
        """Refuses connections and cuts the open ones, until `up`."""
        self._run(self._close_port())

    def up(self) -> None:
        """Listens again on the same port."""
        self._run(self._open_port())

    def deliver(self) -> int:
        """Offers the webhook all updates that it has not taken; how many it took."""
        return int(self._run(self._inbox.deliver()))

    # -- faults

    def fail(
        self,
        method: str = "*",
        *,
        kind: str,
        times: int | None = 1,
        chat: int | None = None,
        after: int = 0,
        **options: Any,
    ) -> Fault:
        """Lets the next `times` matching calls go wrong (None: all until `.clear()`), after `after` that pass.

        kind: "429" (retry_after), "400", "401", "403", "404", "409", "500", "502" (each: description), "migrate"
        (migrate_to_chat_id), "drop_before" and "drop_after" (the connection is cut, the call has not / has taken effect),
        "hang" and "hang_after" (seconds; stands still before / after taking effect). "*" is every method but getUpdates.
        """
        entry = faults.fault(method, kind, times, chat, after, options)
        with self._changed:
            self._faults.append(entry)
        return entry

    def hold(self, method: str, chat: int | None = None, *, processed: bool = False) -> Hold:
        """Stops the next matching call until `.release()`, before or (processed=True) after it took effect.

        `.arrived` is set when it stands. If its client is gone by then, a call not yet processed never happens.
        """
        entry = Hold(method, chat, processed, self._loop)
        with self._changed:
            self._holds.append(entry)
        return entry

    # -- looking

    def in_chat(self, chat_id: int) -> list[Sent]:
        """What the bot sent there and did not delete, in order."""
        with self._changed:
            return [s for (chat, _), s in sorted(self.messages.items()) if chat == chat_id and not s.deleted]

    def called(self, method: str, chat_id: int | None = None) -> list[Call]:
        """The calls of that method, of that chat if given, in order."""
        with self._changed:
            return [c for c in self.calls if c.method == method and chat_id in (None, c.chat_id)]

    def wait(self, wanted: Callable[[], Any] | int, timeout: float = 10) -> Any:
        """Waits until `wanted()` is true, or until the bot has sent that many messages; what `wanted()` returned.

        Raises AssertionError after `timeout` seconds, with the last calls.
        """
        check = wanted if callable(wanted) else lambda: len(self.messages) >= wanted
        end = time.monotonic() + timeout
        with self._changed:
            while not (got := check()):
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"waited {timeout} s in vain; the last calls were\n{self._tail()}")
                self._changed.wait(min(left, 0.2))
            return got

    def wait_message(
        self,
        chat_id: int,
        containing: str | None = None,
        after: int | Posted | Sent | None = None,
        timeout: float = 10,
    ) -> Sent:
        """The first message of the bot in that chat, later than `after`, whose present text has `containing` in it."""
        first = after if isinstance(after, int) else after.message_id if after else 0

        def found() -> Sent | None:
            later = (s for s in self.in_chat(chat_id) if s.message_id > first)
            return next((s for s in later if containing is None or containing in s.text), None)

        sent: Sent = self.wait(found, timeout)
        return sent

    def quiet(self, seconds: float = 0.3, timeout: float = 30) -> None:
        """Waits until the bot has called nothing (polls aside) for that long; AssertionError if it never rests."""
        end = time.monotonic() + timeout
        with self._changed:
            while self._busy or time.monotonic() - self._last < seconds:
                if time.monotonic() > end:
                    raise AssertionError(f"no rest within {timeout} s; the last calls were\n{self._tail()}")
                self._changed.wait(0.05 if self._busy else max(seconds - (time.monotonic() - self._last), 0.001))

    def _tail(self) -> str:
        return "\n".join(f"  {c.method} {c.status} {c.description} {str(c.fields)[:200]}" for c in self.calls[-12:])

    # -- updates (the rest is in people.py)

    def _enqueue(self, update: Json, message_id: int, chat_id: int, query_id: str = "") -> Posted:
        posted = Posted(self._inbox.put(update), message_id, chat_id, time.monotonic(), query_id)
        self._loop.call_soon_threadsafe(self._inbox.wake)
        return posted

    # -- the server's thread

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        app = web.Application(client_max_size=self._api.emulator.request_bytes)
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        app.router.add_get("/file/bot{token}/{path:.*}", self._download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._open_port()

    async def _open_port(self) -> None:
        assert self._runner is not None
        if self._site is not None:
            return
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, self.port))
        self.port = sock.getsockname()[1]
        self._site = web.SockSite(self._runner, sock, backlog=1024)
        await self._site.start()

    async def _close_port(self) -> None:
        if self._site is None or self._runner is None:
            return
        await self._site.stop()
        self._site = None
        for connection in list(self._runner.server.connections if self._runner.server else ()):
            connection.force_close()
            if connection.transport is not None:
                connection.transport.abort()
        self._inbox.interrupt()

    async def _stop(self) -> None:
        await self._close_port()
        for hold in self._holds:
            hold.release()
        await self._inbox.close()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        method = request.match_info["method"]
        try:
            fields, uploads = await self._api.emulator.read_request(request)
        except ApiRefusal as e:
            return web.json_response(
                {"ok": False, "error_code": e.status, "description": e.description}, status=e.status
            )
        if request.method == "GET":
            fields = dict(request.query)
        files = {name: part["data"] for name, part in uploads.items()}
        call = Call(method, {key: _listed(key, value) for key, value in fields.items()}, files, at)

        async def answer() -> tuple[int, Any]:
            if request.match_info["token"] != self.token:
                return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
            return await self._answer(call, fields, uploads)

        return await self._serve(request, call, answer)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        asset = self._api.emulator.assets.get(path)

        async def answer() -> tuple[int, Any]:
            known = asset is not None and request.match_info["token"] == self.token
            return (
                (200, asset["data"]) if known else (404, {"ok": False, "error_code": 404, "description": "Not Found"})
            )

        return await self._serve(request, Call("download", {"path": path}, {}, time.monotonic()), answer)

    async def _serve(self, request: web.Request, call: Call, answer: Callable[[], Any]) -> web.StreamResponse:
        """Records the call and takes it through holds and faults to its answer."""
        resting = call.method == "getUpdates"
        with self._changed:
            self.calls.append(call)
            self._busy += not resting
            hold, fault = faults.take_hold(self._holds, call), faults.take_fault(self._faults, call)
            self._changed.notify_all()
        kind = fault.kind if fault else ""
        try:
            if hold and not hold.processed:
                await hold.stand()
                if _gone(request):
                    return self._cut(request, call)
            if kind == "hang" and fault:
                await asyncio.sleep(fault.options["seconds"])
            if kind == "drop_before":
                return self._cut(request, call)
            status, body = (fault and fault.response()) or await answer()
            call.status = status
            if isinstance(body, dict):
                call.description = body.get("description", "")
            with self._changed:
                self._changed.notify_all()
            if hold and hold.processed:
                await hold.stand()
            if kind == "hang_after" and fault:
                await asyncio.sleep(fault.options["seconds"])
            if kind == "drop_after" or _gone(request):
                return self._cut(request, call)
            if isinstance(body, bytes):
                return web.Response(body=body)
            return web.Response(text=json.dumps(body), content_type="application/json", status=status)
        finally:
            with self._changed:
                call.done_at = time.monotonic()
                if not resting:
                    self._busy -= 1
                    self._last = call.done_at
                self._changed.notify_all()

    def _cut(self, request: web.Request, call: Call) -> web.StreamResponse:
        call.dropped = True
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _answer(self, call: Call, fields: Json, uploads: dict[str, Json]) -> tuple[int, Any]:
        """Status and body of a call without faults."""
        try:
            if call.method == "getUpdates":
                result: Any = await self._inbox.poll(fields)
            elif call.method in ("setWebhook", "deleteWebhook"):
                url = {} if call.method == "setWebhook" else {"url": ""}
                result = await self._inbox.set_webhook({**fields, **url})
            elif call.method == "getWebhookInfo":
                result = self._inbox.webhook_info()
            else:
                with self._changed:
                    result = self._api.run(call.method, fields, uploads)
            return 200, {"ok": True, "result": result}
        except ApiRefusal as e:
            extra = {"parameters": e.parameters} if e.parameters else {}
            return e.status, {"ok": False, "error_code": e.status, "description": e.description, **extra}
        except UpdateError as e:
            return e.status, {"ok": False, "error_code": e.status, "description": f"Bad Request: {e}"}
        except (ValueError, TypeError, KeyError) as e:
            return 400, {"ok": False, "error_code": 400, "description": f"Bad Request: malformed request ({e!r})"}


def _listed(key: str, value: Any) -> Any:
    """A request field as tests like to see it: JSON decoded where the Bot API has JSON."""
    if key not in JSON_FIELDS or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
