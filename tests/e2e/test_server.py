"""The Telegram test server, asked by python-telegram-bot: what it checks, sends, edits and deletes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.error import BadRequest, InvalidToken

from tests.e2e.calls import ANN, GROUP, KEYS, SMALL, refused, say, talk
from tests.e2e.server import TelegramServer

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
