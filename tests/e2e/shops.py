"""What most tests of the bot start from: a copy of the demo shop, a group bound to it, people with roles."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.bots import OWNER
from tests.e2e.server import Call, Chat, Posted, Sent, TelegramServer, User

GROUP = Chat(-100, "group", "大促作战")
OLGA = User(11, "奥", "zh-hans")  # operator
VERA = User(12, "薇", "zh-hans")  # viewer
STRANGER = User(13, "路人", "zh-hans")


def copied(demo_root: Path, root: Path, *, name: str | None = None, clock: str | None = None) -> Path:
    """The demo shop in the new folder `root`, under another name or at another moment where given."""
    shutil.copytree(demo_root, root)
    text = (root / "shop.yaml").read_text(encoding="utf-8")
    if name:
        text = text.replace("花漾护肤", name)
    if clock:
        text = text.replace("2026-06-17 10:00", clock)
    (root / "shop.yaml").write_text(text, encoding="utf-8")
    return root


def set_clock(root: Path, moment: str) -> None:
    """Pin the shop's now to `moment` ("2026-06-17 10:00"); the bot reads shop.yaml again when it changes."""
    path = root / "shop.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(f"clock: {moment}" if x.startswith("clock:") else x for x in lines), encoding="utf-8")


def bind(telegram: TelegramServer, chat: Chat, shop: str) -> None:
    """The owner binds the group and gives Olga and Vera their roles."""
    asked = telegram.message(chat, OWNER, f"/shop {shop}")
    telegram.wait_message(chat.id, after=asked)
    for person, role in ((OLGA, "operator"), (VERA, "viewer")):
        asked = telegram.message(chat, OWNER, f"/settings grant {person.id} {role}")
        telegram.wait_message(chat.id, str(person.id), after=asked)


def ask(telegram: TelegramServer, who: User, text: str, containing: str, chat: Chat = GROUP) -> Sent:
    """Ask in the group; the answer that has `containing` in it."""
    posted = telegram.message(chat, who, text, mention=chat.type != "private")
    return telegram.wait_message(chat.id, containing, after=posted, timeout=30)


def say(telegram: TelegramServer, chat: Chat, who: User, text: str, containing: str | None = None) -> Sent:
    """Say something as it stands; the next message there (with `containing` in it)."""
    posted = telegram.message(chat, who, text)
    return telegram.wait_message(chat.id, containing, after=posted, timeout=30)


def tap(
    telegram: TelegramServer,
    who: User,
    under: Sent,
    label: str,
    containing: str | None = None,
    chat: Chat | None = None,
) -> Sent:
    """Tap a button; the message that comes of it, in that chat (default: where the button is)."""
    last = max((message for _, message in telegram.messages), default=0)
    telegram.press(who, under, label)
    return telegram.wait_message(chat.id if chat else under.chat_id, containing, after=last, timeout=30)


def note(telegram: TelegramServer, tapped: Posted) -> str:
    """What the tap showed over the chat, empty when it only stopped the button from waiting."""

    def found() -> list[Call]:
        calls = telegram.called("answerCallbackQuery")
        return [c for c in calls if c.fields["callback_query_id"] == tapped.query_id and c.status]

    calls: list[Call] = telegram.wait(found, 30)
    return str(calls[0].fields.get("text", ""))
