"""The Telegram test server, asked by python-telegram-bot: what it breaks on demand, how tests wait, how fast it is."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import pytest
from pytest_socket import SocketConnectBlockedError
from telegram import Bot, Message
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, NetworkError, RetryAfter, TimedOut
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from tests.e2e.calls import ANN, GROUP, SMALL, say, talk
from tests.e2e.server import Chat, Sent, TelegramServer

# -- faults


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"kind": "429", "retry_after": 7}, RetryAfter, "Retry in 7"),
        ({"kind": "500"}, NetworkError, "Internal Server Error"),
        ({"kind": "502"}, NetworkError, "Bad Gateway"),
        ({"kind": "400", "description": "Bad Request: chat not found"}, BadRequest, "Chat not found"),
        ({"kind": "403"}, Forbidden, "blocked by the user"),
        ({"kind": "409"}, Conflict, "terminated by other"),
        ({"kind": "migrate", "migrate_to_chat_id": -1007}, ChatMigrated, "-1007"),
        ({"kind": "drop_before"}, NetworkError, "disconnected"),
    ],
)
def test_answers_that_deliver_nothing(
    telegram: TelegramServer, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    fault = telegram.fail("sendMessage", **options)
    with pytest.raises(error, match=says):
        say(telegram, "x")
    assert telegram.messages == {}
    assert say(telegram, "x").text == "x"
    assert fault.hits == 1


def test_dropped_after_delivery(telegram: TelegramServer) -> None:
    telegram.fail("*", kind="drop_after", after=1)  # getMe passes
    with pytest.raises(NetworkError):
        say(telegram, "x")
    assert [s.text for s in telegram.in_chat(GROUP.id)] == ["x"]
    (call,) = telegram.called("sendMessage")
    assert (call.status, call.dropped) == (200, True)


def test_faults_by_chat_and_count(telegram: TelegramServer) -> None:
    telegram.fail("sendMessage", kind="500", times=2, chat=-5, after=1)
    assert say(telegram, "passes", -5).text
    for _ in range(2):
        assert say(telegram, "other chat", -6).text
        with pytest.raises(NetworkError):
            say(telegram, "x", -5)
    assert say(telegram, "again", -5).text
    endless = telegram.fail("sendMessage", kind="500", times=None)
    for _ in range(3):
        with pytest.raises(NetworkError):
            say(telegram, "x", -5)
    endless.clear()
    assert say(telegram, "x", -5).text


def test_mistaken_faults_are_refused(telegram: TelegramServer) -> None:
    for wrong in ({"kind": "418"}, {"kind": "hang"}, {"kind": "500", "seconds": 1}, {"kind": "migrate"}):
        with pytest.raises(ValueError, match=r"unknown kind|needs|takes"):
            telegram.fail(**wrong)


@pytest.mark.parametrize("kind", ["hang", "hang_after"])
def test_a_hanging_call_takes_effect(telegram: TelegramServer, kind: str) -> None:
    telegram.fail("sendMessage", kind=kind, seconds=0.6)
    with pytest.raises(TimedOut):
        talk(telegram, lambda bot: bot.send_message(-5, "x", read_timeout=0.3))
    assert len(telegram.in_chat(-5)) == (kind == "hang_after")
    telegram.quiet(0.1)
    assert len(telegram.in_chat(-5)) == 1


@pytest.mark.parametrize("processed", [False, True])
def test_a_held_call_stands_until_released(telegram: TelegramServer, processed: bool) -> None:
    hold = telegram.hold("sendMessage", -5, processed=processed)
    got: list[Message] = []
    thread = threading.Thread(target=lambda: got.append(say(telegram, "x", -5)))
    thread.start()
    assert hold.arrived.wait(5)
    assert len(telegram.in_chat(-5)) == processed
    assert say(telegram, "elsewhere", -6).text
    assert got == []
    hold.release()
    thread.join(5)
    assert [m.text for m in got] == ["x"]
    assert len(telegram.in_chat(-5)) == 1


@pytest.mark.parametrize("processed", [False, True])
def test_a_client_that_dies_in_a_held_call(telegram: TelegramServer, processed: bool) -> None:
    hold = telegram.hold("sendMessage", processed=processed)
    raw = socket.create_connection(("127.0.0.1", telegram.port))
    body = b"chat_id=-5&text=x"
    head = f"POST /bot{telegram.token}/sendMessage HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    raw.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body)
    assert hold.arrived.wait(5)
    raw.close()
    time.sleep(0.1)
    hold.release()
    telegram.quiet(0.1)
    assert len(telegram.in_chat(-5)) == processed
    assert telegram.called("sendMessage")[0].dropped


def test_down_and_up(telegram: TelegramServer) -> None:
    async def work(bot: Bot) -> None:
        waiting = asyncio.create_task(bot.get_updates(timeout=20))
        await asyncio.sleep(0.1)
        telegram.down()
        with pytest.raises(NetworkError):
            await waiting
        with pytest.raises(NetworkError, match="ConnectError"):
            await bot.send_message(-5, "x")
        telegram.message(SMALL, ANN, "kept")
        port = telegram.port
        telegram.up()
        assert telegram.port == port
        assert (await bot.send_message(-5, "y")).text == "y"
        assert len(await bot.get_updates()) == 1

    talk(telegram, work)
    assert [s.text for s in telegram.in_chat(-5)] == ["y"]


# -- waiting


def test_waiting_tells_what_happened(telegram: TelegramServer) -> None:
    say(telegram, "first")
    with pytest.raises(AssertionError, match="sendMessage 200"):
        telegram.wait_message(GROUP.id, "second", timeout=0.1)
    threading.Timer(0.1, lambda: say(telegram, "the second")).start()
    first = telegram.wait_message(GROUP.id)
    second: Sent = telegram.wait_message(GROUP.id, "second", after=first)
    assert second.message_id > first.message_id
    assert telegram.wait(2)
    telegram.quiet(0.1)


def test_quiet_waits_for_a_busy_bot(telegram: TelegramServer) -> None:
    telegram.fail("sendMessage", kind="hang", seconds=0.4)
    thread = threading.Thread(target=lambda: say(telegram, "late"))
    thread.start()
    telegram.wait(lambda: telegram.called("sendMessage"))
    telegram.quiet(0.05)
    assert [s.text for s in telegram.in_chat(GROUP.id)] == ["late"]
    thread.join()


# -- a whole application, and how fast


def echo_application(server: TelegramServer) -> Application[Any, Any, Any, Any, Any, Any]:
    async def echo(update: Any, context: ContextTypes.DEFAULT_TYPE) -> None:
        await update.effective_message.reply_text(update.effective_message.text)

    app = Application.builder().token(server.token).base_url(server.url + "/bot").concurrent_updates(32)
    app.connection_pool_size(64)
    built = app.build()
    built.add_handler(MessageHandler(filters.TEXT, echo))
    return built


def test_a_polling_application_echoes_a_thousand_updates_in_seconds(telegram: TelegramServer) -> None:
    count = 1000
    for n in range(count):
        telegram.message(Chat(-(n % 20) - 1, "group", "g"), ANN, f"t{n}")

    async def run() -> float:
        app = echo_application(telegram)
        async with app:
            assert app.updater is not None
            start = time.monotonic()
            await app.updater.start_polling(timeout=2)
            await app.start()
            await asyncio.to_thread(telegram.wait, count, 60)
            took = time.monotonic() - start
            await app.updater.stop()
            await app.stop()
        return took

    took = asyncio.run(run())
    assert sorted(s.text for s in telegram.messages.values()) == sorted(f"t{n}" for n in range(count))
    assert telegram.pending == 0
    assert took < 20


def test_only_this_machine_is_reached(telegram: TelegramServer) -> None:
    with pytest.raises(SocketConnectBlockedError), pytest.warns(UserWarning, match="tried to use"):
        socket.create_connection(("10.255.255.1", 80), 1)
    with pytest.raises(SocketConnectBlockedError), pytest.warns(UserWarning, match="tried to use"):
        socket.create_connection(("example.org", 80), 1)
    socket.create_connection(("127.0.0.1", telegram.port), 1).close()
