"""The Telegram test server, asked by python-telegram-bot: presses, messages and members, by polling and by webhook."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from telegram import Bot, BotCommand, BotCommandScopeChat, Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden

from tests.e2e.calls import ANN, BO, GROUP, KEYS, SMALL, ptb, refused, say, talk
from tests.e2e.server import Chat, TelegramServer, private

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
