"""What the Telegram test server knows: the people and chats of a test, what the bot called, what it sent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Buttons = list[list[tuple[str, str]]]


@dataclass(frozen=True)
class User:
    """A person; `language_code` None is a client that does not tell."""

    id: int
    first_name: str = "Ann"
    language_code: str | None = "en"
    username: str | None = None

    def json(self, lang: str | None = None) -> Json:
        out: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.username:
            out["username"] = self.username
        if lang or self.language_code:
            out["language_code"] = lang or self.language_code
        return out


@dataclass(frozen=True)
class Chat:
    """A chat: type private, group, supergroup or channel; a private chat's id is the person's and its title their name."""

    id: int
    type: str = "private"
    title: str | None = None
    is_forum: bool = False

    def json(self) -> Json:
        out: Json = {"id": self.id, "type": self.type}
        out["first_name" if self.type == "private" else "title"] = self.title or "Chat"
        if self.is_forum:
            out["is_forum"] = True
        return out


def private(user: User) -> Chat:
    """The private chat with that person."""
    return Chat(user.id, "private", user.first_name)


@dataclass(frozen=True)
class Posted:
    """An update put into the bot's queue at monotonic second `at`. A callback carries its `query_id`, the id of the message
    under which the button was pressed stands in `message_id`; an update without a message has message_id 0."""

    update_id: int
    message_id: int
    chat_id: int
    at: float
    query_id: str = ""


@dataclass
class Call:
    """One request of the bot. `status` is 0 until it is decided (and for good where the connection was cut first);
    `dropped` says that no response went out."""

    method: str
    fields: Json
    files: dict[str, bytes]
    at: float
    status: int = 0
    description: str = ""
    dropped: bool = False
    done_at: float = 0.0

    @property
    def chat_id(self) -> int | None:
        raw = str(self.fields.get("chat_id", ""))
        return int(raw) if raw.lstrip("-").isdigit() else None


@dataclass(frozen=True)
class Edit:
    """What a message became at monotonic second `at`."""

    text: str
    html: str
    buttons: Buttons
    at: float


@dataclass
class Sent:
    """A message of the bot as people see it now. `text` is plain (the caption of a photo or document), `html` as it was sent;
    a button is (text, callback_data or url). `first_text` is what it said before any edit."""

    chat_id: int
    message_id: int
    text: str
    html: str
    parse_mode: str | None
    entities: list[Json]
    buttons: Buttons
    thread_id: int | None
    reply_to: int | None
    json: Json
    kind: str = "text"
    photo: bytes | None = None
    document: bytes | None = None
    file_name: str | None = None
    sent_at: float = field(default_factory=time.monotonic)
    first_text: str = ""
    edits: list[Edit] = field(default_factory=list)
    deleted: bool = False

    def button(self, text: str) -> str:
        """The data (or url) of the button with that text, else of the only one that contains it."""
        every = [button for row in self.buttons for button in row]
        found = [data for label, data in every if label == text] or [data for label, data in every if text in label]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} buttons {text!r} among {[label for label, _ in every]}")
        return found[0]


def buttons(markup: Any) -> Buttons:
    """The inline keyboard of a decoded reply_markup as rows of (text, callback_data or url)."""
    if not isinstance(markup, dict):
        return []

    def action(button: Json) -> str:
        return str(button.get("callback_data") or button.get("url") or "")

    return [[(str(b["text"]), action(b)) for b in row] for row in markup.get("inline_keyboard", [])]
