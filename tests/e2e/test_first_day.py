"""A day of a group, over HTTP: asked, tapped, drafted, exported, refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bots import OWNER, BotProcess
from tests.e2e.server import Chat, Sent, TelegramServer, User, private

GROUP = Chat(-100, "group", "大促作战")
OLGA = User(11, "奥", "zh-hans")  # operator
VERA = User(12, "薇", "zh-hans")  # viewer
STRANGER = User(13, "路人", "zh-hans")


@pytest.fixture
def shop(demo_root: Path, tmp_path: Path) -> Path:
    root = tmp_path / "huayang"
    shutil.copytree(demo_root, root)
    return root


@pytest.fixture
def bot(telegram: TelegramServer, shop: Path, tmp_path: Path) -> Iterator[BotProcess]:
    with BotProcess(telegram, [shop], tmp_path / "bot.log") as running:
        yield running


def let_in(telegram: TelegramServer) -> None:
    """The owner binds the group and gives two people their roles."""
    asked = telegram.message(GROUP, OWNER, "/shop huayang")
    telegram.wait_message(GROUP.id, "花漾护肤", after=asked)
    for person, role in ((OLGA, "operator"), (VERA, "viewer")):
        asked = telegram.message(GROUP, OWNER, f"/settings grant {person.id} {role}")
        telegram.wait_message(GROUP.id, str(person.id), after=asked)


def ask(telegram: TelegramServer, who: User, text: str, containing: str | None = None) -> Sent:
    posted = telegram.message(GROUP, who, text, mention=True)
    return telegram.wait_message(GROUP.id, containing, after=posted)


def test_a_mention_gets_the_plan_and_strangers_get_nothing(telegram: TelegramServer, bot: BotProcess) -> None:
    refused = telegram.message(GROUP, STRANGER, "今天做什么", mention=True)
    answer = telegram.wait_message(GROUP.id, after=refused)
    assert "权限" in answer.text
    let_in(telegram)
    telegram.message(GROUP, VERA, "大家早")  # not for the bot
    plan = ask(telegram, VERA, "加购未付款的人今天怎么做", "618")
    assert "1,959" in plan.text
    assert plan.reply_to is not None
    assert [label for row in plan.buttons for label, _ in row]
    alone = telegram.message(private(STRANGER), STRANGER, "今天怎么样")
    assert str(STRANGER.id) in telegram.wait_message(STRANGER.id, after=alone).text
    telegram.quiet(0.5)
    assert "大家早" not in "".join(m.text for m in telegram.in_chat(GROUP.id))
