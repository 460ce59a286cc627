"""Who gets in, as what, and what nobody gets: strangers, grants by person, two shops, forged and worn-out buttons."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.state import State
from tests.e2e.bots import OWNER, BotProcess
from tests.e2e.server import Chat, TelegramServer, User, private
from tests.e2e.shops import ask, copied, note, say, tap

QUESTION, OURS = "加购未付款有多少人", "1,959"
MINE, THEIRS = Chat(-100, "group", "花漾群"), Chat(-200, "supergroup", "别家群")
ADA = User(21, "阿达", "zh-hans")  # admin of the first shop only
BEN = User(22, "本", "zh-hans")  # admin of the second shop only
VIC = User(23, "薇", "zh-hans")  # viewer of the first shop
HIDDEN = "另一家"


@pytest.fixture(scope="module")
def root(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shops: the demo's, and one of another name a day earlier, so that its numbers differ."""
    folder = tmp_path_factory.mktemp("access")
    copied(demo_root, folder / "huayang")
    copied(demo_root, folder / "other", name=HIDDEN, clock="2026-06-16 10:00")
    return folder


@pytest.fixture(scope="module")
def shop(root: Path) -> Path:
    """The first of them."""
    return root / "huayang"


@pytest.fixture(scope="module")
def telegram(root: Path) -> Iterator[TelegramServer]:
    with (
        TelegramServer() as server,
        BotProcess(server, [root / "huayang", root / "other"], root / "bot.log") as bot,
    ):
        for chat, shop, person in ((MINE, "huayang", ADA), (THEIRS, "other", BEN)):
            say(server, chat, OWNER, f"/shop {shop}", "现在起")
            say(server, chat, OWNER, f"/settings grant {person.id} admin", "管理员")
        say(server, MINE, ADA, f"/settings grant {VIC.id} viewer", "只看")
        yield server
        assert "Traceback" not in bot.said


def stranger(number: int, name: str = "路人") -> User:
    return User(number, name, "zh-hans")


def test_a_stranger_asks_to_be_let_in_and_the_owner_decides(telegram: TelegramServer, state: State) -> None:
    who = stranger(31, "小周")
    say(telegram, private(OWNER), OWNER, "/start", "作战室")
    door = say(telegram, private(who), who, QUESTION, "申请")
    assert str(who.id) in door.text
    assert "花漾" not in door.text
    assert OURS not in door.text
    assert note(telegram, telegram.press(stranger(32), door, "申请使用")) == "这个按钮不属于这个聊天。"
    tapped = telegram.press(who, door, "申请使用")
    asked = telegram.wait_message(OWNER.id, "花漾护肤", after=tapped)
    assert "小周（31）" in asked.text
    assert "已经告诉管理员" in note(telegram, tapped)
    assert "申请过了" in note(telegram, telegram.press(who, door, "申请使用"))
    assert "没有这家店的权限" in note(telegram, telegram.press(who, asked, "管理员"))  # nobody lets themselves in
    assert state.role(who.id, "huayang") is None

    welcome = tap(telegram, OWNER, asked, "只看", "你可以使用", private(who))
    assert "只看" in welcome.text
    assert OURS in ask(telegram, who, QUESTION, "加购", private(who)).text
    assert state.role(who.id, "other") is None
    assert [g.name for g in state.people("huayang") if g.person == who.id] == ["小周"]
    assert [r for r in state.requests() if r.person == who.id] == []
    granted = state.audit_rows("huayang")[0]
    assert (granted.actor, granted.action, granted.detail) == (OWNER.id, "grant", {"person": 31, "role": "viewer"})


def test_the_owner_refuses(telegram: TelegramServer, state: State) -> None:
    who = stranger(33)
    door = say(telegram, private(who), who, "/start", "申请")
    tapped = telegram.press(who, door, "申请使用")
    asked = telegram.wait_message(OWNER.id, "（33）", after=tapped)
    assert "33" in tap(telegram, OWNER, asked, "不同意", "没有给").text
    assert "权限" in say(telegram, private(who), who, QUESTION).text
    assert state.role(who.id, "huayang") is None


def test_a_person_counts_not_the_group_they_are_in(telegram: TelegramServer, state: State) -> None:
    who = stranger(34)
    telegram.message(MINE, who, "大家好")  # a stranger may talk in the group; the bot keeps out of it
    telegram.quiet(0.5)
    posted = telegram.message(MINE, who, QUESTION, mention=True)
    refused = telegram.wait_message(MINE.id, after=posted)
    assert refused.reply_to == posted.message_id
    assert OURS not in refused.text
    assert "花漾" not in refused.text
    for command in ("/today", "/status", "/shop", "/settings", "/subscribe 09:00", "/new", "/help"):
        said = say(telegram, MINE, who, command).text
        assert "权限" in said, command
        assert "花漾" not in said, command
    assert state.subscription(MINE.id) is None
    answer = ask(telegram, VIC, QUESTION, OURS, MINE)
    for label in ("依据", "写短信", "看图", "导出人群", "👍"):
        assert "没有这家店的权限" in note(telegram, telegram.press(who, answer, label))
    # The same person who may ask in the group may ask alone, and elsewhere not.
    assert OURS in ask(telegram, VIC, QUESTION, "加购", private(VIC)).text
    assert "权限" in ask(telegram, VIC, QUESTION, "", THEIRS).text


def test_grants_by_reply_and_by_id_and_their_end(telegram: TelegramServer, state: State) -> None:
    new = stranger(35, "新人")
    posted = telegram.message(MINE, new, "我是新来的")
    granting = telegram.message(MINE, ADA, "/settings grant operator", reply_to=posted)
    assert "35" in telegram.wait_message(MINE.id, "运营", after=granting).text
    assert [(g.name, g.role) for g in state.people("huayang") if g.person == new.id] == [("新人", "operator")]
    assert OURS in ask(telegram, new, QUESTION, "加购", MINE).text
    said = say(telegram, MINE, VIC, "/settings grant 35 admin")
    assert "需要「管理员」权限" in said.text
    assert state.role(new.id, "huayang") == "operator"
    say(telegram, MINE, ADA, "/settings grant 35 viewer", "只看")  # less, and the name stays
    assert [(g.name, g.role) for g in state.people("huayang") if g.person == new.id] == [("新人", "viewer")]
    answer = ask(telegram, new, QUESTION, OURS, MINE)
    assert "需要「运营」权限" in note(telegram, telegram.press(new, answer, "导出人群"))
    say(telegram, MINE, ADA, "/settings revoke 35", "收回")
    assert "权限" in ask(telegram, new, QUESTION, "", MINE).text
    assert "没有这家店的权限" in note(telegram, telegram.press(new, answer, "依据"))
    assert "本来就没有" in say(telegram, MINE, ADA, "/settings revoke 35").text
    assert "主人" in say(telegram, MINE, ADA, f"/settings revoke {OWNER.id}").text
    actions = [(r.actor, r.action) for r in state.audit_rows("huayang") if r.detail.get("person") == new.id]
    assert actions == [(ADA.id, "revoke"), (ADA.id, "grant"), (ADA.id, "grant")]
    log = say(telegram, MINE, ADA, "/settings audit", "最近的操作").text
    assert "收回 35 的权限" in log
    assert "给 35 授权：运营" in log


@pytest.mark.parametrize(
    "words",
    ["grant", "grant x", "grant 5 king", "grant 0", "grant ² viewer", f"grant {'9' * 25} viewer", "grant -5", "revoke",
     f"revoke {2**70}", "revoke me"],
)  # fmt: skip
def test_a_grant_that_makes_no_sense_is_explained(telegram: TelegramServer, state: State, words: str) -> None:
    before = state.people("huayang")
    assert "/settings grant 编号" in say(telegram, MINE, ADA, f"/settings {words}").text
    assert state.people("huayang") == before


def test_people_with_the_largest_ids(telegram: TelegramServer) -> None:
    huge = stranger(2**52 - 1)
    say(telegram, MINE, ADA, f"/settings grant {huge.id} viewer", str(huge.id))
    assert OURS in ask(telegram, huge, QUESTION, "加购", private(huge)).text
    far = Chat(-(1002**4), "supergroup", "很大的号")
    say(telegram, far, OWNER, "/shop huayang", "现在起")
    assert OURS in ask(telegram, huge, QUESTION, "加购", far).text


def test_nobody_is_answered_who_hides_who_they_are(telegram: TelegramServer, state: State) -> None:
    """Anonymous admins and people who write as a channel; a grant in reply to them reaches nobody."""
    for number, name in ((1087968824, "GroupAnonymousBot"), (136817688, "Channel_Bot")):
        hidden: dict[str, Any] = {
            "from": {"id": number, "is_bot": True, "first_name": name},
            "sender_chat": MINE.json(),
        }
        posted = telegram.message(MINE, stranger(number), QUESTION, mention=True, **hidden)
        said = telegram.wait_message(MINE.id, after=posted).text
        assert "匿名" in said
        assert OURS not in said
        posted = telegram.message(MINE, stranger(number), "/shop huayang", **hidden)
        assert "匿名" in telegram.wait_message(MINE.id, after=posted).text
        granting = telegram.message(MINE, ADA, "/settings grant admin", reply_to=posted)
        assert "编号" in telegram.wait_message(MINE.id, after=granting).text
        assert state.role(number, "huayang") is None


def test_two_shops_know_nothing_of_each_other(telegram: TelegramServer, state: State) -> None:
    other = ask(telegram, BEN, QUESTION, "加购", THEIRS).text
    assert OURS not in other
    for command in ("/shop", "/shop other", "/start", "/settings", "/status", "/help", "/settings audit"):
        assert HIDDEN not in say(telegram, MINE, ADA, command).text, command
    guessed, nonsense = (say(telegram, MINE, ADA, f"/shop {name}").text for name in (HIDDEN, "没这家"))
    assert guessed.replace(HIDDEN, "没这家") == nonsense
    # An admin of one shop has no say in the other: neither in its group, nor by its buttons, nor by taking its group.
    for command in ("/settings grant 21 admin", "/settings", "/shop", "/subscribe 09:00", "/today"):
        said = say(telegram, THEIRS, ADA, command).text
        assert HIDDEN not in said, command
        assert "618" not in said, command
    said = say(telegram, THEIRS, ADA, "/shop huayang").text
    assert "别的店" in said
    bound = state.chat(THEIRS.id)
    assert bound is not None
    assert bound.shop == "other"
    assert state.role(ADA.id, "other") is None
    theirs = ask(telegram, BEN, QUESTION, "加购", THEIRS)
    assert "没有这家店的权限" in note(telegram, telegram.press(ADA, theirs, "依据"))
    # The bot's owner may move a group; what was answered there before is closed, not shown in the other shop's name.
    assert "花漾护肤" in say(telegram, THEIRS, OWNER, "/shop huayang").text
    assert "换了一家店" in note(telegram, telegram.press(OWNER, theirs, "依据"))
    assert OURS in ask(telegram, ADA, QUESTION, "加购", THEIRS).text
    assert "权限" in ask(telegram, BEN, QUESTION, "", THEIRS).text
    say(telegram, THEIRS, OWNER, "/shop other", "现在起")
    assert [r.action for r in state.audit_rows("other")[:2]] == ["bind", "unbind"]


def test_a_conversation_does_not_cross_from_chat_to_chat(telegram: TelegramServer) -> None:
    ask(telegram, VIC, "会员今天进店多少人", "进店访客数", MINE)
    ask(telegram, VIC, "新客有多少人", "新客", private(VIC))
    assert "会员" in ask(telegram, VIC, "昨天呢", "进店访客数", MINE).text


def test_who_loses_one_shop_goes_on_with_the_other(telegram: TelegramServer) -> None:
    both = stranger(36)
    say(telegram, MINE, ADA, "/settings grant 36 viewer", "只看")
    assert OURS in ask(telegram, both, QUESTION, "加购", private(both)).text
    say(telegram, THEIRS, BEN, "/settings grant 36 viewer", "只看")
    assert OURS in ask(telegram, both, QUESTION, "加购", private(both)).text
    say(telegram, MINE, ADA, "/settings revoke 36", "收回")
    posted = telegram.message(private(both), both, QUESTION)
    assert HIDDEN in telegram.wait_message(both.id, "现在起", after=posted).text
    assert OURS not in telegram.wait_message(both.id, "加购", after=posted).text


def test_foreign_and_forged_buttons(telegram: TelegramServer, state: State) -> None:
    answer = ask(telegram, VIC, QUESTION, OURS, MINE)
    mine = answer.button("依据")
    alone = ask(telegram, VIC, QUESTION, OURS, private(VIC))
    before = len(telegram.messages)
    assert "不属于这个聊天" in note(telegram, telegram.callback(VIC, alone, mine))  # forwarded, or copied by a client
    token = mine.split(":")[1]
    forged = (
        "", "x", "why", "why:", "why:nosuchtoken", f"draft:{token}:telegram", f"redo:{token}:../../x", f"by:{token}:phone",
        f"opt:{token}:²", f"opt:{token}:99", "let:23:x:admin", f"let:{VIC.id}::admin", "shop:x", "import:x:customers",
        "learn:x", "drop:x", "ask:900", f"yes:{token}", "why:" + "x" * 60,
    )  # fmt: skip
    for data in forged:
        assert note(telegram, telegram.callback(VIC, answer, data)), data
    telegram.quiet(0.5)
    assert len(telegram.messages) == before
    assert state.role(VIC.id, "huayang") == "viewer"
    assert state.approval(token) is None


def test_a_button_of_last_week_says_so(telegram: TelegramServer, root: Path) -> None:
    answer = ask(telegram, VIC, QUESTION, OURS, MINE)
    token = answer.button("依据").split(":")[1]
    with sqlite3.connect(root / "huayang" / "state.sqlite", timeout=30) as raw:
        raw.execute("UPDATE warroom_answers SET created = created - 8 * 86400 WHERE token = ?", (token,))
    raw.close()
    for label in ("依据", "写短信", "👍"):
        assert "太久了" in note(telegram, telegram.press(VIC, answer, label))


def test_every_act_is_in_the_log_of_its_shop(telegram: TelegramServer, state: State) -> None:
    """Runs last: whatever the others did to the second shop is there, and nothing of the first."""
    mine, theirs = (state.audit_rows(shop, 1000) for shop in ("huayang", "other"))
    assert {r.action for r in theirs} == {"bind", "unbind", "grant"}
    assert {r.actor for r in theirs} == {OWNER.id, BEN.id}
    assert {(r.actor, r.detail["role"]) for r in mine if r.detail.get("person") == VIC.id} == {(ADA.id, "viewer")}
    assert {r.actor for r in mine} <= {OWNER.id, ADA.id}
