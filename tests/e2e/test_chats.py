"""What chats are like: commands in two languages, topics, edits, odd names, moves and removals, and many at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import render
from bot.conversation import Question, answer
from bot.state import State
from bot.telegram.commands import NAMES
from bot.wiring import WarRoom
from knowledge import catalog
from tests.e2e.bots import OWNER, BotProcess
from tests.e2e.server import Chat, Sent, TelegramServer, User, private
from tests.e2e.shops import GROUP, OLGA, STRANGER, VERA, ask, bind, say, tap

SIZE = "加购未付款有多少人"
EMMA = User(14, "Emma", "en")  # a viewer whose Telegram is in English
FORUM = Chat(-1003, "supergroup", "作战 · 话题", is_forum=True)


@pytest.fixture(scope="module")
def telegram(shop: Path) -> Iterator[TelegramServer]:
    with TelegramServer() as server, BotProcess(server, [shop], shop.parent / "bot.log") as bot:
        bind(server, GROUP, "huayang")
        bind(server, FORUM, "huayang")
        say(server, GROUP, OWNER, f"/settings grant {EMMA.id} viewer", "14")
        yield server
        assert "Traceback" not in bot.said


def later(telegram: TelegramServer, chat: Chat, after: int) -> list[str]:
    """What the bot said there after that message, once it has come to rest."""
    telegram.quiet(0.6)
    return [m.text for m in telegram.in_chat(chat.id) if m.message_id > after]


# What each command says without arguments, in Chinese and in English.
USEFUL = {
    "start": ("你的权限是「运营」", "your role is viewer"),
    "help": ("/today 今天做什么", "/today Today's actions"),
    "today": ("今天先做", "First today"),
    "brief": ("昨天成交", "paid amount yesterday"),
    "phase": ("正式售卖第 2 天", "main sale, day 2 of 5"),
    "metrics": ("进店访客数 834 人", "Visitors 834 people"),
    "crowd": ("加购未付款 1,959 人", "Un-paid carters: 1,959 people"),
    "draft": ("检查：通过", "Check: passed"),
    "ask": ("可以这样问我", "Ask me, for example"),
    "new": ("换个话题", "A fresh start"),
    "status": ("订单 24,077 行", "orders 24,077 rows"),
    "subscribe": ("这里没有订阅早报", "not pushed here"),
    "settings": ("你的权限：运营", "Your role: viewer"),
    "shop": ("看的是「花漾护肤」", "about 花漾护肤"),
}
# What nonsense behind a command gets: an answer that says what was not used, or how to write it.
NONSENSE = {
    "/today qqq": "qqq",
    "/brief 鬼话连篇": "鬼话连篇",
    "/phase qqq": "qqq",
    "/metrics qqq": "qqq",
    "/crowd qqq": "qqq",
    "/draft qqq": "qqq",
    "/ask qqq": "qqq",
    "/subscribe 25:99": "不是一天里的时间",
    "/subscribe qqq": "不是一天里的时间",
    "/settings qqq": "/settings 后面可以写",
    "/settings lang fr": "/settings 后面可以写",
    "/settings grant qqq": "/settings grant 编号",
    "/shop qqq": "没有叫「qqq」的店",
    "/start qqq": "作战室",
    "/help qqq": "/today",
    "/new qqq": "换个话题",
    "/status qqq": "订单",
    "/qqq": "没有 /qqq 这个命令",
    "/today@otherbot": "没有 /today@otherbot 这个命令",
}


def test_every_command_is_listed_here() -> None:
    assert set(USEFUL) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_command_alone_is_useful_in_both_languages(telegram: TelegramServer, name: str) -> None:
    for who, expected in zip((OLGA, EMMA), USEFUL[name], strict=True):
        answer = say(telegram, private(who), who, f"/{name}", expected)
        for trouble in ("出错", "fault of mine", "没看懂", "not understood"):
            assert trouble not in answer.text
    assert re.match(r"[\x00-\x7f¥’·…“”–—花漾护肤]+\n?", answer.text.split("\n")[0])


@pytest.mark.parametrize("command", NONSENSE)
def test_a_command_with_nonsense_gets_a_clear_answer(telegram: TelegramServer, command: str) -> None:
    said = say(telegram, private(OWNER), User(OWNER.id, "老板", "zh-hans"), command, NONSENSE[command]).text
    assert "出错" not in said


def test_commands_are_listed_for_each_kind_of_chat_and_language(telegram: TelegramServer) -> None:
    for scope in ("all_private_chats", "all_group_chats"):
        for code, described in (("", "今天做什么"), ("zh", "今天做什么"), ("en", "Today's actions")):
            listed = telegram.commands[scope, code]
            assert {"command": "today", "description": described} in listed
            assert {c["command"] for c in listed} == set(NAMES) - ({"start"} if "group" in scope else set())


def test_a_chat_keeps_its_own_language(telegram: TelegramServer) -> None:
    chat = Chat(-120, "group", "English ops")
    say(telegram, chat, OWNER, "/shop huayang", "花漾护肤")
    assert "需要「管理员」" in say(telegram, chat, VERA, "/settings lang en").text
    assert "English" in say(telegram, chat, OWNER, "/settings lang en").text
    assert "Un-paid carters" in say(telegram, chat, VERA, "/crowd").text
    assert "加购未付款" in ask(telegram, VERA, SIZE, "1,959", chat).text  # asked in Chinese, answered in Chinese
    shown = say(telegram, chat, OWNER, "/settings", "Language: English")
    telegram.press(OWNER, shown, "中文")
    telegram.quiet()
    assert "加购未付款" in say(telegram, chat, EMMA, "/crowd").text


def test_topics_are_kept(telegram: TelegramServer) -> None:
    posted = telegram.message(FORUM, OLGA, SIZE, thread=7, mention=True)
    crowd = telegram.wait_message(FORUM.id, "1,959", after=posted, timeout=30)
    assert crowd.thread_id == 7
    assert tap(telegram, OLGA, crowd, "写短信", "检查").thread_id == 7
    assert tap(telegram, OLGA, crowd, "看图").thread_id == 7
    telegram.press(OLGA, crowd, "依据")
    telegram.wait(lambda: [m for m in telegram.in_chat(FORUM.id) if m.file_name == "queries.sql"])
    for command in ("/phase", "/settings", "/nope@warroom_bot", "/subscribe 25:99"):
        telegram.message(FORUM, OWNER, command, thread=7)
    telegram.quiet(0.6)
    assert {m.thread_id for m in telegram.in_chat(FORUM.id) if m.message_id > posted.message_id} == {7}
    posted = telegram.message(FORUM, OLGA, "现在是什么阶段", mention=True)
    assert telegram.wait_message(FORUM.id, "第 2 天", after=posted).thread_id is None


def test_topics_are_conversations_of_their_own(telegram: TelegramServer) -> None:
    for thread, text in ((8, "会员今天进店多少人"), (9, "新客昨天加购多少人")):
        posted = telegram.message(FORUM, OLGA, text, thread=thread, mention=True)
        telegram.wait_message(FORUM.id, "口径", after=posted, timeout=30)
    posted = telegram.message(FORUM, OLGA, "昨天呢", thread=8, mention=True)
    assert "昨天会员进店访客数" in telegram.wait_message(FORUM.id, "口径", after=posted, timeout=30).text


def test_only_what_is_meant_for_the_bot_is_answered(telegram: TelegramServer) -> None:
    answer = ask(telegram, VERA, SIZE, "1,959")
    start = len(telegram.calls)
    chatter = telegram.message(GROUP, VERA, "今天加购未付款有多少人？谁知道")
    telegram.message(GROUP, OLGA, "我看看", reply_to=chatter)
    for text in ("/today@otherbot", "/roll 6", "@otherbot 今天怎么样", "mail warroom_bot@example.com", "/"):
        telegram.message(GROUP, VERA, text)
    telegram.photo(GROUP, VERA, b"\xff\xd8\xff", "今天的海报")
    telegram.document(GROUP, OLGA, "表.csv", b"a,b\n1,2\n", "发给大家看看")
    telegram.message(GROUP, STRANGER, "你们好")
    assert later(telegram, GROUP, answer.message_id) == []
    assert [c.method for c in telegram.calls[start:] if c.method != "getUpdates"] == []
    for text, options in (("那会员呢", {"reply_to": answer}), ("那会员呢", {"mention": True})):
        posted = telegram.message(GROUP, VERA, text, **options)
        found = telegram.wait_message(GROUP.id, "会员", after=posted, timeout=30)
        assert found.reply_to == posted.message_id
    assert "1,959" in say(telegram, GROUP, VERA, "/crowd@warroom_bot").text


def test_an_edited_question_is_answered_anew_once(telegram: TelegramServer, state: State) -> None:
    chat = private(VERA)
    asked = telegram.message(chat, VERA, SIZE)
    telegram.wait_message(chat.id, "1,959", after=asked, timeout=30)
    telegram.message(chat, VERA, SIZE, edited=asked)  # a link preview came
    assert len(later(telegram, chat, asked.message_id)) == 1
    telegram.message(chat, VERA, "临门一脚有多少人", edited=asked)
    telegram.wait_message(chat.id, "临门一脚 534 人", after=asked, timeout=30)
    telegram.message(chat, VERA, "会员有多少人", edited=asked)
    assert len(later(telegram, chat, asked.message_id)) == 2
    asked = telegram.message(GROUP, VERA, "早上好")
    telegram.message(GROUP, VERA, "早上好呀", edited=asked)
    assert later(telegram, GROUP, asked.message_id) == []
    asked = telegram.message(GROUP, VERA, "/crowd 会员")
    telegram.wait_message(GROUP.id, "8,954", after=asked, timeout=30)
    telegram.message(GROUP, VERA, "/crowd 粉丝", edited=asked)
    telegram.wait_message(GROUP.id, "7,007", after=asked, timeout=30)
    given = telegram.message(GROUP, OWNER, "/settings grant 77 viewer")
    telegram.wait_message(GROUP.id, "77", after=given)
    state.revoke(77, "huayang")
    telegram.message(GROUP, OWNER, "/settings grant 77 viewer!", edited=given)
    assert len(later(telegram, GROUP, given.message_id)) == 1
    assert state.role(77, "huayang") is None


def test_what_could_mean_two_things_is_asked_back_with_buttons(telegram: TelegramServer) -> None:
    asked = ask(telegram, VERA, "转化率是多少", "口径")
    options = [label for row in asked.buttons for label, _ in row]
    assert len(options) == 2
    chosen = tap(telegram, VERA, asked, options[0], "进店-支付比率")
    assert re.search(r"\d%", chosen.text)
    telegram.wait(lambda: not telegram.messages[GROUP.id, asked.message_id].buttons)
    assert (
        "进店-支付比率" in ask(telegram, VERA, "转化率是多少", "口径").text
    )  # what was chosen holds in this conversation
    say(telegram, GROUP, VERA, "/new", "换个话题")
    ask(telegram, VERA, "转化率是多少", "哪个")
    posted = telegram.message(GROUP, VERA, "第二个", mention=True)
    assert "人群总数" in telegram.wait_message(GROUP.id, "%", after=posted, timeout=30).text


@pytest.mark.parametrize(
    "name", ["<b>老王</b>", "**大王**", "_小_王_", "A &amp; B", "<a href='x'>", "`x` [y](z)", "王\u202e五"]
)
def test_names_are_shown_as_they_are_written(telegram: TelegramServer, state: State, name: str) -> None:
    number = 500 + sum(map(ord, name))
    who = User(number, name, "zh-hans")
    door = say(telegram, private(who), who, "/start", "申请")
    pressed = telegram.press(who, door, "申请使用")
    asked = telegram.wait_message(OWNER.id, str(number), after=pressed)
    assert f"{name}（{number}）" in shown(asked)
    assert asked.entities == []
    tap(telegram, OWNER, asked, "运营", "你可以使用", private(who))
    draft = ask(telegram, who, "给临门一脚人群写条短信", "检查")
    handed_in = tap(telegram, who, draft, "提交审批", "提交了")
    assert shown(handed_in).startswith(name)
    assert name in shown(say(telegram, GROUP, OWNER, "/settings", "有权限的人"))
    state.revoke(number, "huayang")


def shown(sent: Sent) -> str:
    """What a person sees: marks of no width have none."""
    assert sent.parse_mode == "HTML"  # and not as the plain text that is sent when the HTML is refused
    return sent.text.replace("\u2060", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("**加购未付款**有多少人", "1,959"),
        ("_加购未付款_ 有多少人", "1,959"),
        ("加购未付款有多少人 <3 &amp; >", "1,959"),
        ("<script>alert('加购')</script>", "没看懂"),
        ("🤷‍♀️", "没看懂"),
        ("长" * 4000, "太长"),
    ],
)
def test_a_question_with_markup_breaks_nothing(telegram: TelegramServer, text: str, said: str) -> None:
    answer = ask(telegram, VERA, text, "", private(VERA))
    assert said in answer.text
    assert answer.parse_mode == "HTML"


def test_what_is_no_text_is_said_to_be_unreadable(telegram: TelegramServer) -> None:
    posted = telegram.photo(private(VERA), VERA, b"\xff\xd8\xff")
    assert "读不了" in telegram.wait_message(VERA.id, after=posted).text
    posted = telegram.photo(GROUP, VERA, b"\xff\xd8\xff", "@warroom_bot 看看这个")
    assert "读不了" in telegram.wait_message(GROUP.id, after=posted).text


def test_a_group_that_becomes_a_supergroup_keeps_what_it_had(telegram: TelegramServer, state: State) -> None:
    small, large = Chat(-140, "group", "小群"), Chat(-100140, "supergroup", "小群")
    say(telegram, small, OWNER, "/shop huayang", "现在起")
    say(telegram, small, OWNER, "/settings lang en", "English")
    say(telegram, small, OWNER, "/subscribe 23:55", "23:55")
    before = ask(telegram, VERA, SIZE, "1,959", small)
    telegram.migrate(small, large.id)
    telegram.quiet(0.5)
    assert "23:55" in say(telegram, large, VERA, "/subscribe").text
    assert "Un-paid carters" in say(telegram, large, VERA, "/crowd", "1,959").text
    moved = state.chat(large.id)
    assert moved is not None
    assert (moved.shop, moved.kind) == ("huayang", "supergroup")
    assert [s.chat for s in state.subscriptions() if s.chat in (small.id, large.id)] == [large.id]
    chatter = telegram.message(large, VERA, "换好了")
    telegram.callback(
        VERA, (large.id, before.message_id), before.button("依据")
    )  # what was said before has its buttons
    assert "1,959" in telegram.wait_message(large.id, "我的理解", after=chatter, timeout=30).text


def test_removed_muted_and_added_again(telegram: TelegramServer, state: State) -> None:
    chat = Chat(-150, "group", "来来去去")
    say(telegram, chat, OWNER, "/shop huayang", "现在起")
    telegram.member(chat, OWNER, "kicked")
    telegram.quiet()
    assert not active(state, chat)
    telegram.member(chat, OWNER, "member", old="kicked")
    assert "1,959" in ask(telegram, VERA, SIZE, "1,959", chat).text
    assert active(state, chat)
    telegram.member(chat, OWNER, "muted")
    telegram.message(chat, VERA, SIZE, mention=True)
    telegram.quiet(0.6)
    telegram.member(chat, OWNER, "member", old="restricted")
    assert "1,959" in ask(telegram, VERA, SIZE, "1,959", chat).text

    telegram.member(private(EMMA), EMMA, "kicked")  # blocks the bot, and comes back
    telegram.quiet()
    telegram.member(private(EMMA), EMMA, "member", old="kicked")
    assert "1,959" in say(telegram, private(EMMA), EMMA, "/crowd").text

    new = Chat(-151, "group", "新群")
    posted = telegram.member(new, OWNER, "member", old="left")
    choice = telegram.wait_message(new.id, "哪家店", after=posted)
    assert "花漾护肤" in tap(telegram, OWNER, choice, "花漾护肤").text
    posted = telegram.member(Chat(-152, "group", "别人的群"), STRANGER, "member", old="left")
    refused = telegram.wait_message(-152, after=posted)
    assert "花漾" not in refused.text
    assert "申请" in refused.text


def active(state: State, chat: Chat) -> bool:
    found = state.chat(chat.id)
    return found is not None and found.active


def test_fifty_chats_at_once_are_not_mixed_up(telegram: TelegramServer, state: State, demo: WarRoom) -> None:
    """Each chat talks about a crowd of its own, in questions that lean on the one before; what each is told, and in which
    order, is what the same conversation gets alone."""
    names = [c.name.zh for c in catalog.crowds().values()]
    topics = [*names, *(f"{name}且粉丝" for name in names)][:50]
    chats = {Chat(-2000 - i, "group", topic): topic for i, topic in enumerate(topics)}
    for chat in chats:
        state.bind(chat.id, "huayang", "group", chat.title or "", OWNER.id)
    rounds = ("{}有多少人", "现在是什么阶段", "他们昨天进店多少人", "他们今天怎么做") * 5
    for text in rounds:
        for chat, topic in chats.items():
            telegram.message(chat, VERA, text.format(topic), mention=True)
    telegram.wait(lambda: all(len(answers(telegram, c)) >= len(rounds) for c in chats), timeout=240)
    telegram.quiet(0.5)
    for chat, topic in chats.items():
        expected = [
            answer(demo, Question(text.format(topic), session=f"alone {topic}")).text.strip() for text in rounds
        ]
        assert answers(telegram, chat) == [render.unmarked(text) for text in expected], topic


def answers(telegram: TelegramServer, chat: Chat) -> list[str]:
    """What was answered in a chat, in the order in which it was sent."""
    sent = sorted(telegram.in_chat(chat.id), key=lambda m: m.sent_at)
    return [m.text for m in sent if m.kind == "text"]
