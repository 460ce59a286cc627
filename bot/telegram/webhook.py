"""The webhook: Telegram posts updates here. Only what carries the secret is read; /healthz says whether we work."""

from __future__ import annotations

import hmac
import json
import logging
from typing import Any

from telegram import Bot, Update
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from bot.settings import BotSettings
from bot.state import State
from bot.telegram.inbox import Inbox
from tools.errors import WarRoomError

log = logging.getLogger(__name__)
_LARGEST = 1024 * 1024  # bytes; Telegram's updates are far smaller
SECRET = "X-Telegram-Bot-Api-Secret-Token"


def listen(settings: BotSettings, bot: Bot, inbox: Inbox, state: State, worker: str) -> HTTPServer:
    """A server on `settings.listen`. An update is answered 200 only once it is stored; OSError when the port is taken."""
    shared = {"settings": settings, "bot": bot, "inbox": inbox, "state": state, "worker": worker}
    routes = [(r"/healthz", _Health, shared), (settings.webhook_path, _Updates, shared)]
    server = HTTPServer(Application(routes, log_function=_quiet), max_body_size=_LARGEST)
    host, port = settings.listen
    server.listen(port, host)
    return server


def _quiet(handler: RequestHandler) -> None:
    """Nothing of a request goes to the log: it holds what people wrote."""


class _Base(RequestHandler):
    def initialize(self, settings: BotSettings, bot: Bot, inbox: Inbox, state: State, worker: str) -> None:
        self.shared_settings, self.bot, self.inbox, self.state, self.worker = settings, bot, inbox, state, worker

    def write_error(self, status_code: int, **_: Any) -> None:
        self.finish({"ok": False})


class _Updates(_Base):
    async def post(self) -> None:
        given = self.request.headers.get(SECRET, "")
        if not hmac.compare_digest(given.encode(), self.shared_settings.secret.encode()):
            log.warning("a webhook call without the right secret was refused")
            self.send_error(403)
            return
        try:
            data = json.loads(self.request.body)
            update = Update.de_json(data, self.bot)
        except (ValueError, TypeError, KeyError, AttributeError) as e:
            log.warning("a webhook call was no update: %s", type(e).__name__)
            self.send_error(400)
            return
        await self.inbox.put(update)
        self.finish({"ok": True})


class _Health(_Base):
    async def get(self) -> None:
        try:
            self.state.live(0)
            well = True
        except WarRoomError as e:
            log.error("the state cannot be reached: %s", e)
            well = False
        self.set_status(200 if well else 503)
        self.finish({"ok": well, "worker": self.worker, "waiting": self.inbox.qsize()})
