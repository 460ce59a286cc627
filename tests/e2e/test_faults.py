"""Whatever goes wrong between us and Telegram: every answer arrives once, and the bot goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bots import BotProcess
from tests.e2e.server import Chat, TelegramServer, private
from tests.e2e.shops import GROUP, OLGA, VERA, ask, bind, copied

QUESTION, ANSWER = "加购未付款有多少人", "1,959"


@pytest.fixture
def bot(telegram: TelegramServer, demo_root: Path, tmp_path: Path) -> Iterator[BotProcess]:
    with BotProcess(telegram, [copied(demo_root, tmp_path / "huayang")], tmp_path / "bot.log") as running:
        bind(telegram, GROUP, "huayang")
        ask(telegram, VERA, QUESTION, ANSWER)
        yield running


def answers(telegram: TelegramServer, chat: Chat = GROUP) -> int:
    return sum(ANSWER in m.text for m in telegram.in_chat(chat.id))


def test_each_fault_at_each_call_leaves_one_answer(telegram: TelegramServer, bot: BotProcess) -> None:
    expected = answers(telegram)
    for kind, options in (
        ("429", {"retry_after": 1}),
        ("502", {}),
        ("500", {}),
        ("drop_before", {}),
        ("400", {"description": "Bad Request: can't parse entities: Unsupported start tag"}),
    ):
        telegram.fail("sendMessage", kind=kind, **options)
        ask(telegram, VERA, QUESTION, ANSWER)
        telegram.quiet(0.5)
        expected += 1
        assert answers(telegram) == expected, kind
    for method in ("sendChatAction", "answerCallbackQuery", "getUpdates"):
        for kind in ("429", "502", "drop_before"):
            telegram.fail(method, kind=kind, **({"retry_after": 1} if kind == "429" else {}))
            sent = ask(telegram, VERA, QUESTION, ANSWER)
            telegram.press(VERA, sent, "👍")
            telegram.quiet(0.5)
            expected += 1
            assert answers(telegram) == expected, (method, kind)


def test_html_that_telegram_refuses_arrives_as_plain_text(telegram: TelegramServer, bot: BotProcess) -> None:
    telegram.fail("sendMessage", kind="400", description="Bad Request: can't parse entities: nothing to see")
    sent = ask(telegram, VERA, QUESTION, ANSWER)
    assert sent.parse_mode is None
    assert "**" not in sent.text


def test_an_answer_that_may_have_arrived_is_not_sent_twice(telegram: TelegramServer, bot: BotProcess) -> None:
    """The connection stays silent after the message is there: the time-out is no reason to send it again."""
    before = answers(telegram)
    telegram.fail("sendMessage", kind="hang_after", seconds=25)
    ask(telegram, VERA, QUESTION, ANSWER)
    time.sleep(24)
    telegram.quiet(0.5)
    assert answers(telegram) == before + 1


def test_telegram_away_for_a_while_loses_nothing(telegram: TelegramServer, bot: BotProcess) -> None:
    before = answers(telegram)
    telegram.down()
    time.sleep(2)
    posted = telegram.message(GROUP, VERA, QUESTION, mention=True)
    telegram.up()
    telegram.wait_message(GROUP.id, ANSWER, after=posted, timeout=30)
    telegram.quiet(0.5)
    assert answers(telegram) == before + 1


def test_a_lost_topic_an_old_reply_and_a_moved_group(telegram: TelegramServer, bot: BotProcess) -> None:
    telegram.fail("sendMessage", kind="400", description="Bad Request: message thread not found")
    posted = telegram.message(GROUP, VERA, QUESTION, mention=True, thread=77, is_topic_message=True)
    assert telegram.wait_message(GROUP.id, ANSWER, after=posted).thread_id is None
    telegram.migrate(GROUP, -100200)
    moved = Chat(-100200, "supergroup", GROUP.title)
    posted = telegram.message(moved, VERA, QUESTION, mention=True)
    assert telegram.wait_message(moved.id, ANSWER, after=posted)


def test_a_blocked_user_and_a_muted_group_are_skipped_quietly(telegram: TelegramServer, bot: BotProcess) -> None:
    telegram.message(private(OLGA), OLGA, "/start")
    telegram.wait_message(OLGA.id)
    telegram.fail("sendMessage", kind="403", description="Forbidden: bot was blocked by the user", chat=OLGA.id)
    telegram.message(private(OLGA), OLGA, QUESTION)
    telegram.fail(
        "sendMessage",
        kind="400",
        description="Bad Request: not enough rights to send text messages to the chat",
        chat=GROUP.id,
    )
    telegram.message(GROUP, VERA, QUESTION, mention=True)
    telegram.quiet(1)
    ask(telegram, VERA, QUESTION, ANSWER)
    assert "Traceback" not in bot.said


@pytest.mark.parametrize("held", ["before", "during"])
def test_kill_between_update_and_reply_then_restart(telegram: TelegramServer, bot: BotProcess, held: str) -> None:
    """Killed before anything was sent: answered once. Killed with the message on its way: never twice, and it is said."""
    before = answers(telegram)
    if held == "before":
        hold = telegram.hold("sendChatAction")
        telegram.fail("sendMessage", kind="hang", seconds=3)
    else:
        hold = telegram.hold("sendMessage", chat=GROUP.id, processed=True)
    posted = telegram.message(GROUP, VERA, QUESTION, mention=True)
    assert hold.arrived.wait(20)
    bot.kill()
    hold.release()
    bot.start()
    if held == "before":
        telegram.wait_message(GROUP.id, after=posted, timeout=30)
    else:
        telegram.wait_message(GROUP.id, "重启", after=posted, timeout=30)
    telegram.quiet(1)
    later = [m for m in telegram.in_chat(GROUP.id) if m.message_id > posted.message_id]
    assert sum(ANSWER in m.text for m in later) <= 1
    assert later, "neither an answer nor a word about it"
    assert answers(telegram) <= before + 1


def test_kill_while_working_then_restart(telegram: TelegramServer, bot: BotProcess) -> None:
    """Received, not yet answered, killed: answered once by the next process."""
    bot.stop()
    before = answers(telegram)
    telegram.message(GROUP, VERA, QUESTION, mention=True)
    seen = len(telegram.called("sendChatAction", GROUP.id))
    bot.start(wait=False)
    telegram.wait(lambda: len(telegram.called("sendChatAction", GROUP.id)) > seen, timeout=40)
    bot.kill()
    assert answers(telegram) == before
    bot.start()
    telegram.wait(lambda: answers(telegram) > before, timeout=40)
    telegram.quiet(1)
    assert answers(telegram) == before + 1


def test_not_modified_and_buttons_that_are_gone_do_no_harm(telegram: TelegramServer, bot: BotProcess) -> None:
    asked = ask(telegram, VERA, "转化率是多少", "口径")
    telegram.fail("editMessageReplyMarkup", kind="400", description="Bad Request: message is not modified")
    tapped = telegram.press(VERA, asked, asked.buttons[0][0][0])
    assert telegram.wait_message(GROUP.id, "%", after=asked, timeout=30)
    assert telegram.wait(lambda: [c for c in telegram.called("answerCallbackQuery") if c.at >= tapped.at])


def test_a_second_poller_says_so_and_ends(
    telegram: TelegramServer, bot: BotProcess, demo_root: Path, tmp_path: Path
) -> None:
    telegram.fail("getUpdates", kind="409", times=None)
    second = BotProcess(telegram, [copied(demo_root, tmp_path / "other")], tmp_path / "second.log")
    assert second.run_to_end() == 1
    assert "Another program is polling" in second.said
    assert "Traceback" not in second.said


def test_stop_is_graceful(telegram: TelegramServer, bot: BotProcess) -> None:
    """What was received before SIGTERM is answered before the end."""
    posted = telegram.message(GROUP, VERA, QUESTION, mention=True)
    telegram.wait(lambda: [c for c in telegram.called("sendChatAction") if c.at > posted.at])
    assert bot.stop() == 0
    assert telegram.wait_message(GROUP.id, ANSWER, after=posted, timeout=1)
