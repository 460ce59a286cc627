"""The running bot: polling or webhook, commands, jobs; starts, stops gracefully, and takes up what a dead process left."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, NetworkError, TelegramError
from telegram.ext import Application, CallbackQueryHandler, ChatMemberHandler, MessageHandler, TypeHandler, filters

from bot.settings import BotSettings
from bot.state import State
from bot.telegram import buttons, commands, files, members, questions
from bot.telegram.access import lang_of, thread_of
from bot.telegram.briefings import Briefings
from bot.telegram.inbox import Inbox, Order, take_up
from bot.telegram.limiter import limiter
from bot.telegram.rooms import Rooms
from bot.telegram.sender import Gone, Sender, Unknown
from bot.telegram.war import Context, War, say, sorry, war
from bot.telegram.webhook import listen
from tools.errors import NeedsPerson, WarRoomError

log = logging.getLogger(__name__)
UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
_TICK = 1.0  # seconds between looks at what is due
_BEAT = 2.0  # seconds between signs that this process lives
_DEAD = 8.0  # seconds without a sign after which others take over
_NEWCOMER = 60.0  # seconds for which a poller that meets another is the one to give way
_LEASE = 10.0  # seconds for which polling is ours without a sign of life
_DAY = 86400.0
_KEPT = 30 * _DAY


def run(settings: BotSettings, lang: str, ready: Callable[[str], None]) -> int:
    """Serve until told to stop; the exit status. `ready` is told, in a sentence, when the bot works.

    NeedsPerson: the token is wrong, the state or a shop cannot be opened, the port is taken, another process polls.
    """
    # Answers are computed in threads; the loop, which wants the interpreter for a moment at every message, must not wait long.
    sys.setswitchinterval(0.001)
    for noisy in ("httpx", "httpcore", "apscheduler"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # httpx logs addresses, and those hold the token
    return asyncio.run(_serve(settings, lang, ready))


async def _serve(settings: BotSettings, lang: str, ready: Callable[[str], None]) -> int:
    url = settings.state_url or f"sqlite:///{settings.shops[0].resolve() / 'state.sqlite'}"
    state = State.open(url)
    worker = f"{socket.gethostname()}:{os.getpid()}:{time.time():.0f}"
    _bury(state)
    state.beat(worker, time.time())
    memory = url if url.startswith("postgres") else None
    rooms = Rooms(settings.shops, memory)
    stop = asyncio.Event()
    trouble: list[WarRoomError] = []

    async def seen(update: Update) -> None:
        await _sign_of_life(update, application)

    inbox = Inbox(state, worker, seen)
    application = _build(settings, state, inbox, Order(state, worker, several_workers=memory is not None))
    w = War(settings, state, rooms, Sender(application.bot, state), worker)
    application.bot_data["war"] = w
    briefings = Briefings(w)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    server = None
    try:
        await _connect(application, stop)
        if stop.is_set():
            return 0
        await commands.register_names(application)
        _jobs(application, w, inbox, briefings)
        await application.start()
        if settings.webhook_url:
            server = _listening(settings, application, inbox, state, worker)
            await application.bot.set_webhook(
                settings.webhook_url, secret_token=settings.secret, allowed_updates=UPDATES
            )
            ready(say("bot.webhook", lang, url=settings.webhook_url, name=application.bot.username))
        else:
            await _alone(state, application.bot.id, worker)
            await _poll(application, trouble, stop)
            ready(say("bot.polling", lang, name=application.bot.username))
        await stop.wait()
        if trouble:
            raise trouble[0]
        return 0
    finally:
        if server is not None:
            server.stop()
        if application.updater is not None and application.updater.running:
            await application.updater.stop()
        if application.running:
            await application.stop()
        await briefings.settle()
        with suppress(TelegramError):
            await application.shutdown()
        rooms.close()
        state.leave(worker)
        state.close()


async def who_am_i(settings: BotSettings) -> str:
    """The bot's name, from Telegram itself. NeedsPerson: the token is wrong or Telegram cannot be reached."""
    try:
        async with Bot(settings.token, base_url=f"{settings.api_url}/bot") as bot:
            return f"@{bot.username}"
    except InvalidToken as e:
        raise NeedsPerson("bad_token") from e
    except NetworkError as e:
        raise NeedsPerson("no_telegram", reason=str(e)) from e


def _build(
    settings: BotSettings, state: State, inbox: Inbox, order: Order
) -> Application[Any, Any, Any, Any, Any, Any]:
    application = (
        Application.builder()
        .token(settings.token)
        .base_url(f"{settings.api_url}/bot")
        .base_file_url(f"{settings.api_url}/file/bot")
        .update_queue(inbox)
        .concurrent_updates(order)
        .rate_limiter(limiter(settings.send_rate))
        .connection_pool_size(16)
        .pool_timeout(30)
        .connect_timeout(10)
        .read_timeout(20)
        .build()
    )
    for handler in commands.handlers():
        application.add_handler(handler)
    application.add_handler(CallbackQueryHandler(buttons.on_tap))
    application.add_handler(ChatMemberHandler(members.on_my_member, ChatMemberHandler.MY_CHAT_MEMBER))
    application.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, members.on_migrate))
    application.add_handler(MessageHandler(filters.Document.ALL, files.on_document))
    media = filters.PHOTO | filters.VIDEO | filters.VIDEO_NOTE | filters.VOICE | filters.AUDIO
    application.add_handler(MessageHandler(media, files.on_media))
    application.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, questions.on_message))
    application.add_handler(MessageHandler(filters.COMMAND & filters.ChatType.PRIVATE, commands.unknown))
    application.add_handler(TypeHandler(Update, _nothing))
    application.add_error_handler(_on_error)
    return application


async def _nothing(update: Update, context: Context) -> None:
    """Stickers, joins, what is not for us."""


async def _connect(application: Application[Any, Any, Any, Any, Any, Any], stop: asyncio.Event) -> None:
    """Wait for Telegram to be there, for as long as it takes; a wrong token is said at once."""
    pause = 1.0
    while not stop.is_set():
        try:
            await application.initialize()
            return
        except InvalidToken as e:
            raise NeedsPerson("bad_token") from e
        except NetworkError as e:
            log.warning("Telegram cannot be reached (%s); trying again in %.0f s", e, pause)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(30.0, pause * 2)


async def _alone(state: State, bot: int, worker: str) -> None:
    """Take the lease of the one poller; NeedsPerson while another process of this state renews it."""
    until = time.monotonic() + _LEASE + _BEAT
    while not await asyncio.to_thread(state.lock, f"poller:{bot}", worker, _LEASE):
        if time.monotonic() > until:
            raise NeedsPerson("second_poller")
        await asyncio.sleep(0.5)


async def _poll(
    application: Application[Any, Any, Any, Any, Any, Any], trouble: list[WarRoomError], stop: asyncio.Event
) -> None:
    began = time.monotonic()

    def on_error(e: TelegramError) -> None:
        if isinstance(e, Conflict) and time.monotonic() - began > _NEWCOMER:
            log.warning("%s", NeedsPerson("second_poller"))  # whoever came last gives way
        elif isinstance(e, Conflict):
            trouble.append(NeedsPerson("second_poller"))
            logging.getLogger("telegram.ext.Updater").setLevel(logging.CRITICAL)  # its last poll will fail too
            stop.set()
        else:
            log.warning("polling: %s", e)

    assert application.updater is not None
    await application.updater.start_polling(allowed_updates=UPDATES, error_callback=on_error, bootstrap_retries=-1)


def _listening(
    settings: BotSettings,
    application: Application[Any, Any, Any, Any, Any, Any],
    inbox: Inbox,
    state: State,
    worker: str,
) -> Any:
    try:
        return listen(settings, application.bot, inbox, state, worker)
    except OSError as e:
        host, port = settings.listen
        raise NeedsPerson("port_taken", where=f"{host}:{port}") from e


def _jobs(application: Application[Any, Any, Any, Any, Any, Any], w: War, inbox: Inbox, briefings: Briefings) -> None:
    queue = application.job_queue
    assert queue is not None

    async def tick(_: Context) -> None:
        await briefings.tick()
        await asyncio.to_thread(w.rooms.give_way)

    async def beat(_: Context) -> None:
        now = time.time()
        await w.db(w.state.beat, w.worker, now)
        if not w.settings.webhook_url:
            await w.db(w.state.lock, f"poller:{application.bot.id}", w.worker, _LEASE)

        async def lost(_: int, update: Update) -> None:
            await questions.lost(w, update)

        await take_up(inbox, w.state, application.bot, w.worker, now - _DEAD, lost)
        await briefings.take_up(now - _DEAD)

    async def prune(_: Context) -> None:
        before = time.time() - _KEPT
        await w.db(w.state.prune, before)
        await w.db(w.state.prune_inbox, time.time() - 3 * _DAY)
        for upload in await w.db(w.state.drop_uploads, time.time() - _DAY):
            await asyncio.to_thread(files.discard, upload.path)

    one_at_a_time = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    queue.run_repeating(tick, _TICK, first=0.1, job_kwargs=one_at_a_time)
    queue.run_repeating(beat, _BEAT, first=0.0, job_kwargs=one_at_a_time)
    queue.run_repeating(prune, 3600, first=60, job_kwargs=one_at_a_time)


def _bury(state: State) -> None:
    """Workers of this machine whose process is gone are dead, however lately they were seen."""
    host = socket.gethostname()
    for name in state.live(0):
        where, _, rest = name.partition(":")
        pid = rest.partition(":")[0]
        if where == host and pid.isdigit() and not _runs(int(pid)):
            state.leave(name)


def _runs(pid: int) -> bool:
    if pid == os.getpid():
        return False  # an earlier process had the number that is ours now
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _sign_of_life(update: Update, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
    """Typing, at once, for what will be answered."""
    message = update.message
    if message is None or message.from_user is None:
        return
    us = application.bot.id, application.bot.username
    if message.document is not None:
        wanted = files.for_us(message, *us)
    elif message.text and message.text.startswith("/"):
        wanted = commands.is_ours(message, us[1])
    else:
        wanted = message.text is not None and questions.meant(message, *us) is not None
    if not wanted:
        return
    w = application.bot_data["war"]
    await w.sender.typing(message.chat_id, thread_of(message))


async def _on_error(update: object, context: Context) -> None:
    """Log first; then say to the person, once, that it was our fault. A chat that is gone is only noted."""
    error = context.error
    if isinstance(error, Gone | Unknown):
        log.warning("not delivered: %s", error)
        return
    log.error("update failed", exc_info=error)
    if not isinstance(update, Update) or update.effective_chat is None:
        return
    w = war(context)
    lang = await lang_of(w, update.effective_chat, update.effective_user)
    said = sorry(error, lang) if isinstance(error, WarRoomError) else say("telegram.our_fault", lang)
    message = update.effective_message
    try:
        if update.callback_query is not None:
            await w.sender.tapped(update.callback_query.id)
        await w.sender.text(update.effective_chat.id, said, thread=thread_of(message))
    except (Gone, Unknown, TelegramError) as e:
        log.warning("the chat could not be told: %s", e)
