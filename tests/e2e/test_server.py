"""The Telegram test server, asked by python-telegram-bot: what it checks, remembers, delivers and breaks on demand."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from aiohttp import web
from pytest_socket import SocketConnectBlockedError
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)
from telegram.ext import Application, ContextTypes, MessageHandler, filters
from telegram.request import HTTPXRequest

from tests.e2e.server import Chat, Sent, TelegramServer, User, private

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


# -- who and where


def test_get_me_has_the_username(telegram: TelegramServer) -> None:
    async def work(bot: Bot) -> tuple[str, int, bool | None]:
        return bot.username, bot.id, bot.bot.can_read_all_group_messages

    assert talk(telegram, work) == ("warroom_bot", 7000, True)


def test_a_wrong_token_is_unknown(telegram: TelegramServer) -> None:
    async def work() -> None:
        async with Bot("1:other", base_url=telegram.url + "/bot"):
            pytest.fail("accepted")

    with pytest.raises(InvalidToken):
        asyncio.run(work())


def test_a_sent_message_is_a_whole_message(telegram: TelegramServer) -> None:
    asked = telegram.message(GROUP, ANN, "今天怎么样", thread=3)
    before = int(time.time())
    got = say(
        telegram,
        "<b>好</b> &amp; <i>𝄞更好</i>",
        parse_mode="HTML",
        message_thread_id=3,
        reply_markup=KEYS,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        reply_parameters=ReplyParameters(asked.message_id, allow_sending_without_reply=True),
    )
    assert (got.chat.type, got.chat.title, got.message_thread_id) == ("supergroup", "618 作战室", 3)
    assert got.text == "好 & 𝄞更好"
    assert got.date.timestamp() >= before
    assert got.from_user is not None
    assert got.from_user.username == "warroom_bot"
    assert got.reply_to_message is not None
    assert got.reply_to_message.text == "今天怎么样"
    assert [(e.type, e.offset, e.length) for e in got.entities] == [("bold", 0, 1), ("italic", 4, 4)]
    assert got.reply_markup == KEYS
    (sent,) = telegram.in_chat(GROUP.id)
    assert (sent.text, sent.html, sent.parse_mode) == ("好 & 𝄞更好", "<b>好</b> &amp; <i>𝄞更好</i>", "HTML")
    assert sent.buttons == [[("依据", "why:1"), ("👍", "up:1")]]
    assert (sent.thread_id, sent.reply_to) == (3, asked.message_id)
    assert telegram.messages[GROUP.id, got.message_id] is sent


def test_chat_types_and_increasing_ids(telegram: TelegramServer) -> None:
    telegram.message(SMALL, ANN, "hi")
    got = [say(telegram, "x", chat) for chat in (11, -5, -1001)]
    assert [m.chat.type for m in got] == ["private", "group", "supergroup"]
    assert got[1].chat.title == "Ops"
    assert [m.message_id for m in got] == [2, 3, 4]


def test_a_reply_to_nothing(telegram: TelegramServer) -> None:
    assert refused(telegram, "x", reply_parameters=ReplyParameters(99)) == "Message to be replied not found"
    lenient = ReplyParameters(99, allow_sending_without_reply=True)
    assert say(telegram, "x", reply_parameters=lenient).reply_to_message is None


def test_pictures_and_files(telegram: TelegramServer) -> None:
    async def work(bot: Bot) -> Message:
        await bot.send_photo(-5, b"\x89PNG", caption="<b>Fig</b>", parse_mode="HTML", message_thread_id=None)
        sent = await bot.send_document(
            -5, b"a,b\n1,2\n", filename="人群.csv", caption="x", disable_content_type_detection=True
        )
        assert sent.document is not None
        return await bot.send_document(-5, sent.document.file_id)

    again = talk(telegram, work)
    photo, document, repeated = telegram.in_chat(-5)
    assert (photo.kind, photo.photo, photo.text) == ("photo", b"\x89PNG", "Fig")
    assert (document.document, document.file_name, document.text) == (b"a,b\n1,2\n", "人群.csv", "x")
    assert repeated.document == document.document
    assert again.document is not None
    assert again.document.file_name == "人群.csv"
    assert telegram.called("sendPhoto")[0].files == {"photo": b"\x89PNG"}


def test_an_album_is_one_message_each(telegram: TelegramServer) -> None:
    first = InputMediaDocument(b"1", caption="<b>a</b>", parse_mode="HTML", filename="1.csv")
    media = [first, InputMediaDocument(b"2", filename="2.csv")]
    got = talk(telegram, lambda bot: bot.send_media_group(-5, media))
    assert len({m.message_id for m in got}) == 2
    assert [(s.file_name, s.document, s.text) for s in telegram.in_chat(-5)] == [
        ("1.csv", b"1", "a"),
        ("2.csv", b"2", ""),
    ]


# -- limits and markup


def test_text_limits_count_utf16_after_parsing(telegram: TelegramServer) -> None:
    assert say(telegram, "<b>" + "字" * 4096 + "</b>", parse_mode="HTML").text == "字" * 4096
    assert refused(telegram, "字" * 4097) == "Message is too long"
    assert refused(telegram, "😀" * 2049) == "Message is too long"
    assert refused(telegram, " \n ") == "Message text is empty"
    assert refused(telegram, "<b> </b>", parse_mode="HTML") == "Message text is empty"
    assert talk(telegram, lambda bot: bot.send_photo(-5, b"x", caption="字" * 1024)).caption == "字" * 1024
    with pytest.raises(BadRequest, match="Message caption is too long"):
        talk(telegram, lambda bot: bot.send_photo(-5, b"x", caption="字" * 1025))


def test_refused_markup_reaches_nobody(telegram: TelegramServer) -> None:
    assert refused(telegram, "好<br>", parse_mode="HTML").startswith("Can't parse entities: unsupported start tag")
    with pytest.raises(BadRequest, match="Can't parse entities"):
        talk(telegram, lambda bot: bot.send_document(-5, b"x", caption="<b>", parse_mode="HTML"))
    assert telegram.messages == {}
    assert [c.status for c in telegram.called("sendMessage")] == [400]
    why = telegram.called("sendMessage")[0].description
    assert why == 'Bad Request: can\'t parse entities: Unsupported start tag "br" at byte offset 3'


def test_callback_data_holds_64_bytes(telegram: TelegramServer) -> None:
    def keys(data: str) -> InlineKeyboardMarkup:
        return InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data=data)]])

    assert say(telegram, "x", reply_markup=keys("短" * 21 + "a")).reply_markup is not None
    assert refused(telegram, "x", reply_markup=keys("短" * 22)).lower() == "button_data_invalid"


def test_unknown_fields_are_refused(telegram: TelegramServer) -> None:
    assert "not supported" in refused(telegram, "x", api_kwargs={"message_tread_id": 3})


# -- edits and deletions


def test_edits(telegram: TelegramServer) -> None:
    async def work(bot: Bot) -> list[str]:
        first = await bot.send_message(-5, "one", reply_markup=KEYS)
        errors = []

        async def edit(text: str, **fields: Any) -> None:
            try:
                await bot.edit_message_text(text, -5, fields.pop("message_id", first.message_id), **fields)
            except BadRequest as e:
                errors.append(e.message)

        await edit("one", reply_markup=KEYS)
        await edit("<b>two</b>", parse_mode="HTML", reply_markup=KEYS)
        await edit("two ", entities=first.entities, reply_markup=KEYS)  # bold is gone: a change
        await edit(" two", reply_markup=KEYS)
        await edit("two")  # the keys go
        await edit("x", message_id=999)
        await bot.edit_message_reply_markup(-5, first.message_id, reply_markup=KEYS)
        await bot.delete_message(-5, first.message_id)
        await edit("three")
        return errors

    errors = talk(telegram, work)
    assert ["not modified" in e for e in errors] == [True, True, False, False]
    assert errors[2:] == ["Message to edit not found"] * 2
    ((_, sent),) = telegram.messages.items()
    assert sent.deleted
    assert telegram.in_chat(-5) == []
    assert sent.first_text == "one"
    assert [(e.text, bool(e.buttons)) for e in sent.edits] == [
        ("two", True),
        ("two", True),
        ("two", False),
        ("two", True),
    ]


def test_what_cannot_be_edited_or_deleted(telegram: TelegramServer) -> None:
    theirs = telegram.message(SMALL, ANN, "hi")

    async def work(bot: Bot) -> None:
        photo = await bot.send_photo(-5, b"x", caption="a")
        assert isinstance(changed := await bot.edit_message_caption(-5, photo.message_id, caption="b"), Message)
        assert changed.caption == "b"
        with pytest.raises(BadRequest, match="There is no text"):
            await bot.edit_message_text("b", -5, photo.message_id)
        with pytest.raises(BadRequest, match="can't be edited"):
            await bot.edit_message_text("b", -5, theirs.message_id)
        with pytest.raises(BadRequest, match="to delete not found"):
            await bot.delete_message(-5, 99)

    talk(telegram, work)


# -- buttons


def test_a_press_carries_the_message_and_is_answered_once_issued(telegram: TelegramServer) -> None:
    say(telegram, "x", reply_markup=KEYS)
    sent = telegram.wait_message(GROUP.id)
    posted = telegram.press(BO, sent, "依据")

    async def work(bot: Bot) -> None:
        (update,) = await bot.get_updates()
        query = update.callback_query
        assert query is not None
        assert isinstance(query.message, Message)
        assert (query.data, query.id, query.from_user.id) == ("why:1", posted.query_id, BO.id)
        assert (query.message.message_id, query.message.reply_markup) == (sent.message_id, KEYS)
        assert await query.answer("ok")
        with pytest.raises(BadRequest, match="Query is too old"):
            await bot.answer_callback_query("123")

    talk(telegram, work)
    with pytest.raises(AssertionError):
        telegram.press(BO, sent, "no such button")


def test_old_presses() -> None:
    with TelegramServer(callback_ttl=0.05) as server:
        posted = server.callback(ANN, (GROUP.id, 77), "gone:1")
        time.sleep(0.1)

        async def work(bot: Bot) -> None:
            (update,) = await bot.get_updates()
            assert update.callback_query is not None
            assert update.callback_query.message is not None
            assert not update.callback_query.message.is_accessible
            with pytest.raises(BadRequest, match="Query is too old"):
                await bot.answer_callback_query(posted.query_id)

        talk(server, work)


# -- updates


def test_what_people_write(telegram: TelegramServer) -> None:
    first = telegram.message(GROUP, ANN, "/brief@warroom_bot 今天 @bob_smith", thread=8, lang="zh-hans")
    telegram.message(GROUP, BO, "𝄞 今天怎么样", mention=True, reply_to=first)
    telegram.message(GROUP, ANN, "/brief 明天", edited=True)
    telegram.message(private(BO), BO, "找@warroom_bot吧", entities=None, via_bot=None)

    async def work(bot: Bot) -> None:
        one, two, three, four = await bot.get_updates()
        assert one.message is not None
        assert one.message.from_user is not None
        assert one.message.from_user.language_code == "zh-hans"
        assert one.message.message_thread_id == 8
        assert [one.message.parse_entity(e) for e in one.message.entities] == ["/brief@warroom_bot", "@bob_smith"]
        assert two.message is not None
        assert two.message.parse_entities() == {two.message.entities[0]: "@warroom_bot"}
        assert two.message.reply_to_message is not None
        assert two.message.reply_to_message.message_id == first.message_id
        assert three.edited_message is not None
        assert (three.edited_message.message_id, three.edited_message.text) == (first.message_id, "/brief 明天")
        assert three.edited_message.message_thread_id == 8
        assert four.message is not None
        assert four.message.chat.first_name == "阿宝"
        assert four.message.entities == ()  # inside a Chinese sentence it is no mention to Telegram either

    talk(telegram, work)


def test_replies_in_a_supergroup_without_topics_have_a_thread_that_is_no_topic(telegram: TelegramServer) -> None:
    plain = Chat(-1002, "supergroup", "Ops")
    first = telegram.message(plain, ANN, "a")
    second = telegram.message(plain, BO, "b", reply_to=first)
    telegram.message(plain, BO, "c", reply_to=second)

    async def work(bot: Bot) -> list[tuple[int | None, bool | None]]:
        got = [u.message for u in await bot.get_updates() if u.message]
        return [(m.message_thread_id, m.is_topic_message) for m in got]

    assert talk(telegram, work) == [(None, None), (first.message_id, None), (first.message_id, None)]


def test_raw_updates_and_foreign_chats(telegram: TelegramServer) -> None:
    body = {"message_id": 500, "date": 1, "chat": GROUP.json(), "from": ANN.json(), "text": "old"}
    posted = telegram.raw({"message": body})
    later = telegram.raw({"update_id": 900, "message": body | {"message_id": 501}})
    assert (posted.update_id, posted.message_id, later.update_id) == (1, 500, 900)
    assert telegram.message(GROUP, ANN, "next").update_id == 901
    assert say(telegram, "x", reply_parameters=ReplyParameters(500)).reply_to_message is not None
    with pytest.raises(BadRequest, match="Chat not found"):
        talk(telegram, lambda bot: bot.send_message("@somebody", "x"))


def test_uploads_and_downloads(telegram: TelegramServer) -> None:
    telegram.document(private(ANN), ANN, "orders.csv", b"a,b\n", caption="/import")
    telegram.photo(private(ANN), ANN, b"jpeg")
    telegram.document(private(ANN), ANN, "big.xlsx", bytes(20 * 1024 * 1024 + 1))

    async def work(bot: Bot) -> None:
        csv, photo, big = [u.message for u in await bot.get_updates() if u.message]
        assert csv.document is not None
        assert (csv.document.file_name, csv.document.mime_type, csv.document.file_size) == ("orders.csv", "text/csv", 4)
        assert csv.caption_entities[0].type == "bot_command"
        assert await (await csv.document.get_file()).download_as_bytearray() == b"a,b\n"
        assert await (await photo.photo[-1].get_file()).download_as_bytearray() == b"jpeg"
        assert big.document is not None
        with pytest.raises(BadRequest, match="File is too big"):
            await big.document.get_file()
        with pytest.raises(BadRequest, match=r"(?i)wrong file_id"):
            await bot.get_file("nonsense")

    talk(telegram, work)
    assert len(telegram.called("download")) == 2


@pytest.mark.parametrize(
    ("chat", "status", "message"),
    [
        (SMALL, "kicked", "Forbidden: bot was kicked from the group chat"),
        (GROUP, "left", "Forbidden: bot is not a member of the supergroup chat"),
        (private(ANN), "kicked", "Forbidden: bot was blocked by the user"),
    ],
)
def test_where_the_bot_is_out_it_cannot_write(telegram: TelegramServer, chat: Chat, status: str, message: str) -> None:
    telegram.member(chat, ANN, status)

    async def work(bot: Bot) -> None:
        (update,) = await bot.get_updates()
        assert update.my_chat_member is not None
        assert update.my_chat_member.new_chat_member.status in ("kicked", "left")
        with pytest.raises(Forbidden) as error:
            await bot.send_message(chat.id, "x")
        assert error.value.message == message

    talk(telegram, work)


def test_muted_promoted_and_back(telegram: TelegramServer) -> None:
    telegram.member(GROUP, ANN, "muted")
    assert refused(telegram, "x").startswith("Not enough rights to send")
    telegram.member(GROUP, ANN, "administrator", old="restricted")
    assert say(telegram, "x").text == "x"

    async def work(bot: Bot) -> list[str]:
        return [u.my_chat_member.new_chat_member.status for u in await bot.get_updates() if u.my_chat_member]

    assert talk(telegram, work) == ["restricted", "administrator"]


def test_a_group_that_becomes_a_supergroup(telegram: TelegramServer) -> None:
    telegram.migrate(SMALL, -1009)

    async def work(bot: Bot) -> None:
        old, new = [u.message for u in await bot.get_updates() if u.message]
        assert (old.migrate_to_chat_id, new.migrate_from_chat_id) == (-1009, -5)
        with pytest.raises(ChatMigrated) as error:
            await bot.send_message(-5, "x")
        assert error.value.new_chat_id == -1009
        assert (await bot.send_message(-1009, "x")).chat.title == "Ops"

    talk(telegram, work)


def test_members_come_from_a_table(telegram: TelegramServer) -> None:
    telegram.members[GROUP.id, 12] = "administrator"
    telegram.members[GROUP.id, 13] = "left"
    telegram.message(GROUP, ANN, "hi")

    async def work(bot: Bot) -> None:
        assert [(await bot.get_chat_member(GROUP.id, n)).status for n in (11, 12, 13)] == [
            "member",
            "administrator",
            "left",
        ]
        assert [m.user.id for m in await bot.get_chat_administrators(GROUP.id)] == [12]
        assert (await bot.get_chat(GROUP.id)).title == "618 作战室"
        await bot.leave_chat(GROUP.id)
        with pytest.raises(Forbidden):
            await bot.get_chat(GROUP.id)

    talk(telegram, work)


def test_commands_are_kept_per_scope_and_language(telegram: TelegramServer) -> None:
    async def work(bot: Bot) -> None:
        await bot.set_my_commands([BotCommand("help", "Help")])
        await bot.set_my_commands([("brief", "晨报")], scope=BotCommandScopeChat(-5), language_code="zh")
        assert [c.command for c in await bot.get_my_commands()] == ["help"]
        assert await bot.get_my_commands(language_code="zh") == ()
        assert await bot.set_my_name("作战室", language_code="zh")
        assert await bot.set_my_short_description("x")
        with pytest.raises(BadRequest, match=r"(?i)command_invalid"):
            await bot.set_my_commands([("Help me", "x")])
        assert await bot.delete_my_commands()

    talk(telegram, work)
    assert telegram.commands == {("chat:-5", "zh"): [{"command": "brief", "description": "晨报"}]}
    assert telegram.profile["name", "zh"] == "作战室"


# -- polling and webhook


def test_long_polling_wakes_and_acknowledges(telegram: TelegramServer) -> None:
    async def work(bot: Bot) -> None:
        waiting = asyncio.create_task(bot.get_updates(timeout=20))
        await asyncio.sleep(0.1)
        start = time.monotonic()
        telegram.message(GROUP, ANN, "hi")
        (update,) = await waiting
        assert time.monotonic() - start < 1
        assert (await bot.get_updates())[0].update_id == update.update_id  # not acknowledged: comes again
        assert telegram.pending == 1
        assert await bot.get_updates(offset=update.update_id + 1) == ()
        assert telegram.pending == 0
        start = time.monotonic()
        assert await bot.get_updates(timeout=1) == ()
        assert time.monotonic() - start >= 0.9

    talk(telegram, work)


def test_only_asked_kinds_arrive(telegram: TelegramServer) -> None:
    async def work(bot: Bot) -> None:
        await bot.get_updates(allowed_updates=["message"])
        telegram.member(GROUP, ANN, "administrator")
        telegram.message(GROUP, ANN, "hi")
        assert [u.message is not None for u in await bot.get_updates()] == [True]

    talk(telegram, work)


def test_a_second_poller_ends_the_first(telegram: TelegramServer) -> None:
    async def work(bot: Bot) -> None:
        first = asyncio.create_task(bot.get_updates(timeout=20))
        await asyncio.sleep(0.1)
        async with ptb(telegram) as other:
            second = asyncio.create_task(other.get_updates(timeout=20))
            with pytest.raises(Conflict, match="make sure that only one bot instance"):
                await first
            telegram.message(GROUP, ANN, "hi")
            assert len(await second) == 1

    talk(telegram, work)


class Hook:
    """A webhook on loopback that answers what `status` says, after `pause` seconds."""

    def __init__(self) -> None:
        self.status, self.pause = 200, 0.0
        self.got: list[tuple[int, str | None]] = []
        self.now = self.most = 0

    async def post(self, request: web.Request) -> web.Response:
        self.now += 1
        self.most = max(self.most, self.now)
        body = await request.json()
        await asyncio.sleep(self.pause)
        self.got.append((body["update_id"], request.headers.get("X-Telegram-Bot-Api-Secret-Token")))
        self.now -= 1
        return web.Response(status=self.status)


def test_webhook_delivery(telegram: TelegramServer) -> None:
    hook = Hook()

    async def work(bot: Bot) -> None:
        app = web.Application()
        app.router.add_post("/hook", hook.post)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        telegram.message(GROUP, ANN, "before")
        with pytest.raises(BadRequest):
            await bot.set_webhook("http://example.org/hook")
        await bot.set_webhook(address, secret_token="s3cret", max_connections=2)
        with pytest.raises(Conflict):
            await bot.get_updates()
        hook.pause = 0.05
        for n in range(5):
            telegram.message(GROUP, ANN, f"{n}")
        await asyncio.to_thread(telegram.wait, lambda: not telegram.pending)
        assert sorted(hook.got) == [(n, "s3cret") for n in range(1, 7)]
        assert hook.most == 2
        hook.status = 500
        telegram.message(GROUP, ANN, "refused")
        await asyncio.to_thread(telegram.wait, lambda: len(hook.got) == 7)
        assert await asyncio.to_thread(telegram.deliver) == 0
        assert (await bot.get_webhook_info()).pending_update_count == 1
        assert "500" in str((await bot.get_webhook_info()).last_error_message)
        hook.status = 200
        assert await asyncio.to_thread(telegram.deliver) == 1
        assert [n for n, _ in hook.got[6:]] == [7, 7, 7]
        await bot.delete_webhook(drop_pending_updates=True)
        assert await bot.get_updates() == ()
        await runner.cleanup()

    talk(telegram, work)


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
