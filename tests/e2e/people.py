"""What people do in the chats of a test: write, press, upload, promote, leave. A part of TelegramServer."""

from __future__ import annotations

import mimetypes
import threading
import time
from dataclasses import replace
from typing import Any

from tests.e2e import updates
from tests.e2e.inbox import Inbox
from tests.e2e.methods import BotApi
from tests.e2e.records import Chat, Json, Posted, Sent, User

Target = Sent | Posted | tuple[int, int]


class People:
    """Each method puts one update into the bot's queue; the entities Telegram would find are found."""

    bot: Json
    _api: BotApi
    _inbox: Inbox
    _changed: threading.Condition

    def _enqueue(self, update: Json, message_id: int, chat_id: int, query_id: str = "") -> Posted:
        raise NotImplementedError

    def message(
        self,
        chat: Chat,
        user: User,
        text: str,
        *,
        thread: int | None = None,
        reply_to: Target | None = None,
        entities: list[Json] | None = None,
        edited: Posted | bool = False,
        mention: bool = False,
        lang: str | None = None,
        **extra: Any,
    ) -> Posted:
        """A text from `user`. mention=True puts @username of the bot before it; edited=True (or the Posted message) changes
        the user's latest (or that) message of this chat instead; `lang` is the language of the client; `extra` is added as it is.
        """
        if mention:
            text = f"@{self.bot['username']} {text}"
        content = {"text": text, "entities": (updates.entities(text) if entities is None else entities) or None}
        return self._say(chat, user, content, thread, reply_to, edited, lang, extra)

    def document(
        self, chat: Chat, user: User, filename: str, data: bytes, caption: str | None = None, **extra: Any
    ) -> Posted:
        """A file from `user`, which getFile and a download give back; `extra` as for `message` (thread, reply_to, lang too)."""
        with self._changed:
            kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
            item = self._api.store_file(filename, data) | {"file_name": filename, "mime_type": kind}
        return self._file(chat, user, {"document": item}, caption, extra)

    def photo(self, chat: Chat, user: User, data: bytes, caption: str | None = None, **extra: Any) -> Posted:
        """A picture from `user`, in two sizes."""
        with self._changed:
            sizes = [self._api.store_file("photo.jpg", data) | {"width": side, "height": side} for side in (90, 800)]
        return self._file(chat, user, {"photo": sizes}, caption, extra)

    def _file(self, chat: Chat, user: User, content: Json, caption: str | None, extra: Json) -> Posted:
        known = {key: extra.pop(key, None) for key in ("thread", "reply_to", "lang")}
        found = (updates.entities(caption) if caption else None) or None
        content = content | {"caption": caption, "caption_entities": found}
        return self._say(chat, user, content, known["thread"], known["reply_to"], False, known["lang"], extra)

    def callback(self, user: User, sent: Target, data: str, lang: str | None = None) -> Posted:
        """`user` presses a button with that data under a message, which may be gone (then inaccessible) or foreign."""
        chat_id, message_id = _target(sent)
        with self._changed:
            shown = self._api.message(chat_id, message_id)
            if shown is None:
                shown = {"chat": self._api.chat(chat_id).json(), "message_id": message_id, "date": 0}
            query = f"{self.bot['id']}{len(self._api.queries) + 1:06d}"
            self._api.queries[query] = time.monotonic()
            body = {"id": query, "from": user.json(lang), "message": shown, "chat_instance": str(chat_id), "data": data}
            return self._enqueue({"callback_query": body}, message_id, chat_id, query)

    def press(self, user: User, sent: Sent, text: str, lang: str | None = None) -> Posted:
        """`user` presses the button with that text (or the only one containing it); AssertionError if there is none."""
        with self._changed:
            return self.callback(user, sent, sent.button(text), lang)

    def member(self, chat: Chat, user: User, status: str, old: str = "member") -> Posted:
        """`user` makes the bot member, administrator, left, kicked, restricted or muted; what it may send changes with it.

        In a private chat "kicked" is the person blocking the bot.
        """
        with self._changed:
            self._api.chats[chat.id] = chat
            self._api.members[chat.id, self.bot["id"]] = status
            body = updates.membership(chat, user, self.bot, int(time.time()), old, status)
            return self._enqueue(body, 0, chat.id)

    def migrate(self, chat: Chat, new_id: int) -> Posted:
        """The group becomes the supergroup `new_id`: a service message in each, sends to the old id are refused."""
        with self._changed:
            new = Chat(new_id, "supergroup", chat.title)
            self._api.moved[chat.id], self._api.chats[new_id] = new_id, new
            actor = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
            now = int(time.time())
            first = updates.message(chat, actor, self._api.next_message_id(), now, migrate_to_chat_id=new_id)
            second = updates.message(new, actor, self._api.next_message_id(), now, migrate_from_chat_id=chat.id)
            posted = self._enqueue({"message": first}, first["message_id"], chat.id)
            self._enqueue({"message": second}, second["message_id"], new_id)
            return posted

    def raw(self, update: Json) -> Posted:
        """An update as it stands, with a new id unless it brings a later one."""
        body = next((v for k, v in update.items() if k != "update_id" and isinstance(v, dict)), {})
        inner = body.get("message", body)
        chat_id, message_id = inner.get("chat", {}).get("id", 0), inner.get("message_id", 0)
        with self._changed:
            if chat_id and message_id and (chat_id, message_id) not in self._api.messages and "message" in update:
                self._api.known[chat_id, message_id] = body
            return self._enqueue(update, message_id, chat_id, str(body.get("id", "")))

    def _say(
        self,
        chat: Chat,
        user: User,
        content: Json,
        thread: int | None,
        reply_to: Target | None,
        edited: Posted | bool,
        lang: str | None,
        extra: Json,
    ) -> Posted:
        with self._changed:
            now = int(time.time())
            if thread is not None:
                chat = replace(chat, is_forum=True)
                content = content | {"message_thread_id": thread, "is_topic_message": True}
            if reply_to is not None:
                quoted = self._api.message(*_target(reply_to))
                content = content | {"reply_to_message": quoted}
                if quoted and chat.type == "supergroup" and not chat.is_forum:  # a thread of replies, which is no topic
                    content["message_thread_id"] = quoted.get("message_thread_id", quoted["message_id"])
            self._api.chats[chat.id] = chat
            old = self._edited(chat, user, edited)
            if old is not None:
                content = {k: old[k] for k in ("message_thread_id", "is_topic_message") if k in old} | content
                body = updates.message(chat, user.json(lang), old["message_id"], old["date"], edit_date=now, **content)
            else:
                body = updates.message(chat, user.json(lang), self._api.next_message_id(), now, **content)
            body |= extra
            self._api.known[chat.id, body["message_id"]] = body
            return self._enqueue({"message" if old is None else "edited_message": body}, body["message_id"], chat.id)

    def _edited(self, chat: Chat, user: User, edited: Posted | bool) -> Json | None:
        if edited is False:
            return None
        if isinstance(edited, Posted):
            return self._api.known[edited.chat_id, edited.message_id]
        own = [m for (c, _), m in self._api.known.items() if c == chat.id and m["from"]["id"] == user.id]
        if not own:
            raise ValueError(f"{user.first_name} has no message in chat {chat.id} to edit")
        return max(own, key=lambda m: int(m["message_id"]))


def _target(sent: Target) -> tuple[int, int]:
    return sent if isinstance(sent, tuple) else (sent.chat_id, sent.message_id)
