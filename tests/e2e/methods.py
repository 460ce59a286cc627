"""What each Bot API method does: `lo_bot_api_emulator` checks the request, this adds chats, messages and their history.

Runs on the server's loop under the server's lock; every refusal is the emulator's ApiRefusal(description, status, parameters).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from lo_bot_api_emulator import ApiRefusal, LoBotApiEmulator  # type: ignore[import-untyped]

from tests.e2e import telegram_html, updates
from tests.e2e.records import Buttons, Chat, Edit, Json, Sent, buttons
from tests.e2e.telegram_html import units

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024  # UTF-16 units after parsing
DOWNLOAD_LIMIT = 20 * 1024 * 1024
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"
# Fields of the Bot API that the emulator refuses or knows only in part; they change nothing here, or are read before it.
UNKNOWN_TO_THE_EMULATOR = {
    "link_preview_options", "disable_web_page_preview", "message_thread_id", "protect_content", "message_effect_id",
    "allow_paid_broadcast", "business_connection_id", "direct_messages_topic_id", "suggested_post_parameters",
    "has_spoiler", "show_caption_above_media", "disable_content_type_detection", "certificate", "ip_address",
}  # fmt: skip
PROFILE = {"setMyName": "name", "setMyDescription": "description", "setMyShortDescription": "short_description"}
SENDS = {"sendMessage", "sendPhoto", "sendDocument", "sendVideo", "sendVoice", "sendMediaGroup"}
EDITS = {"editMessageText", "editMessageCaption", "editMessageReplyMarkup"}


@dataclass(frozen=True)
class Content:
    """Text or caption of a request after parsing."""

    text: str = ""
    html: str = ""
    parse_mode: str | None = None
    entities: list[Json] = field(default_factory=list)


class BotApi:
    """One bot's side of Telegram: chats, members, messages, files, commands."""

    def __init__(self, bot: Json, callback_ttl: float) -> None:
        self.bot = bot
        self.callback_ttl = callback_ttl
        self.emulator = LoBotApiEmulator(max_assets=1_000_000, asset_bytes=2**40, request_bytes=512 * 1024 * 1024)
        self.chats: dict[int, Chat] = {}
        self.members: dict[tuple[int, int], str] = {}
        self.moved: dict[int, int] = {}
        self.known: dict[tuple[int, int], Json] = {}  # messages of people
        self.messages: dict[tuple[int, int], Sent] = {}  # messages of the bot
        self.queries: dict[str, float] = {}  # callback query id → issued at
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.profile: dict[tuple[str, str], str] = {}

    # -- what others may know

    def chat(self, chat_id: int) -> Chat:
        """The chat as an update showed it, else guessed from its id."""
        kind = "private" if chat_id > 0 else "supergroup" if str(chat_id).startswith("-100") else "group"
        return self.chats.get(chat_id) or Chat(chat_id, kind)

    def message(self, chat_id: int, message_id: int) -> Json | None:
        """A message that still exists, of the bot or of a person."""
        sent = self.messages.get((chat_id, message_id))
        if sent is not None:
            return None if sent.deleted else sent.json
        return self.known.get((chat_id, message_id))

    def next_message_id(self) -> int:
        self.emulator.next_id += 1
        return int(self.emulator.next_id) - 1

    def store_file(self, name: str, data: bytes) -> Json:
        """Keeps a person's file for getFile; the object that stands in the message."""
        reference = f"upload-{len(self.emulator.assets) + 1}"
        self.emulator.assets[reference] = {"filename": name, "data": data, "size": len(data)}
        return {"file_id": reference, "file_unique_id": f"{reference}-unique", "file_size": len(data)}

    # -- calls

    def run(self, method: str, fields: Json, uploads: dict[str, Json]) -> Any:
        """The result of a call other than getUpdates and the webhook's; raises ApiRefusal."""
        own = getattr(self, f"_{method}", None) if method in OWN else None
        if own is not None:
            return own(fields)
        target = self._checked_chat(fields) if method in SENDS | EDITS | {"deleteMessage", "sendChatAction"} else None
        thread = fields.get("message_thread_id")
        fields = {key: value for key, value in fields.items() if key not in UNKNOWN_TO_THE_EMULATOR}
        content = self._content(method, fields)
        markup = self._markup(fields)
        reply_to = self._reply(fields) if method in SENDS else None
        if method in EDITS or method == "deleteMessage":
            return self._change(method, fields, uploads, content, markup)
        if method == "answerCallbackQuery":
            self._fresh(fields)
        result = self.emulator.validate(method, fields, uploads)
        if method == "getMe":
            return self.bot
        if method == "getFile":
            return self._file(result)
        if method not in SENDS or target is None:
            return result
        if isinstance(result, list):
            first = int(result[0]["message_id"])
            for index, item in enumerate(result):
                one = content if not index else Content()
                self._store(item | {"message_id": first + index}, target, thread, one, None, reply_to)
            return [self.messages[target.id, first + index].json for index in range(len(result))]
        return self._store(result, target, thread, content, markup, reply_to).json

    def _checked_chat(self, fields: Json) -> Chat:
        """Refuses what the bot may no longer do in that chat."""
        raw = str(fields.get("chat_id", ""))
        if not re.fullmatch(r"-?[1-9][0-9]*", raw):
            raise ApiRefusal("Bad Request: chat not found")
        chat = self.chat(int(raw))
        if chat.id in self.moved:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiRefusal(description, 400, {"migrate_to_chat_id": self.moved[chat.id]})
        status = self.members.get((chat.id, self.bot["id"]), "member")
        if status == "kicked":
            blocked = "blocked by the user" if chat.type == "private" else f"kicked from the {chat.type} chat"
            raise ApiRefusal(f"Forbidden: bot was {blocked}", 403)
        if status == "left":
            raise ApiRefusal(f"Forbidden: bot is not a member of the {chat.type} chat", 403)
        if status == "muted":
            raise ApiRefusal("Bad Request: not enough rights to send text messages to the chat")
        return chat

    def _content(self, method: str, fields: Json) -> Content:
        """Parses text or caption in place: what the emulator sees, and measures, is the plain text."""
        if method == "sendMediaGroup":
            media = fields["media"] = self.emulator.decoded(fields.get("media"))
            items = [item for item in media if isinstance(item, dict)] if isinstance(media, list) else []
            content = self._parsed(items[0], "caption") if items else Content()
            for item in items:
                item.pop("parse_mode", None)
            return content
        return self._parsed(fields, "text" if method in ("sendMessage", "editMessageText") else "caption")

    def _parsed(self, fields: Json, key: str) -> Content:
        raw, mode = fields.get(key), fields.get("parse_mode") or None
        if not isinstance(raw, str):
            return Content()
        given = self.emulator.decoded(fields.get("entities" if key == "text" else "caption_entities") or "[]")
        if mode is None:
            text, entities = telegram_html.trimmed(raw, given)
        elif str(mode).upper() == "HTML":
            try:
                text, entities = telegram_html.parse(raw)
            except telegram_html.MarkupError as e:
                raise ApiRefusal(f"Bad Request: can't parse entities: {e}") from None
        else:
            raise ApiRefusal(f"This server does not read parse_mode {mode}", 501)
        if key == "text" and not text.strip():
            raise ApiRefusal("Bad Request: message text is empty")
        if units(text) > (TEXT_LIMIT if key == "text" else CAPTION_LIMIT):
            raise ApiRefusal(f"Bad Request: message {'' if key == 'text' else 'caption '}is too long")
        fields[key] = text
        return Content(text, raw, mode, entities)

    def _markup(self, fields: Json) -> Any:
        """The decoded reply_markup; the emulator refuses other faults of it, in its own words."""
        try:
            markup = self.emulator.decoded(fields.get("reply_markup"))
            rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
            data = [b["callback_data"] for row in rows for b in row if "callback_data" in b]
        except (ValueError, TypeError, AttributeError):
            return None
        if any(not isinstance(d, str) or not 1 <= len(d.encode()) <= 64 for d in data):
            raise ApiRefusal("Bad Request: BUTTON_DATA_INVALID")
        return markup if rows else None

    def _reply(self, fields: Json) -> int | None:
        """The message replied to, None where there is none or it is gone and that is allowed."""
        given = self.emulator.decoded(fields.get("reply_parameters") or "null")
        if isinstance(given, dict):
            for key in ("quote", "quote_parse_mode", "quote_entities", "quote_position", "checklist_task_id"):
                given.pop(key, None)
            fields["reply_parameters"] = given
            wanted, lenient = given.get("message_id"), given.get("allow_sending_without_reply")
        else:
            wanted, lenient = fields.get("reply_to_message_id"), fields.get("allow_sending_without_reply")
        if wanted is None or not str(wanted).isdigit():
            return None
        if self.message(int(fields["chat_id"]), int(wanted)) is not None:
            return int(wanted)
        if lenient in (True, "true"):
            return None
        raise ApiRefusal("Bad Request: message to be replied not found")

    def _store(
        self, result: Json, chat: Chat, thread: Any, content: Content, markup: Any, reply_to: int | None
    ) -> Sent:
        """Completes the emulator's answer to a whole Message and remembers it."""
        kind = next((k for k in ("photo", "document", "video", "voice", "audio") if k in result), "text")
        shown = {"date": int(time.time()), "chat": chat.json(), "from": self.bot}
        result = {key: value for key, value in result.items() if key not in ("text", "caption", "reply_markup")} | shown
        if thread is not None:
            result |= {"message_thread_id": int(thread), "is_topic_message": True}
        if reply_to is not None:
            quoted = self.message(chat.id, reply_to) or {}
            result["reply_to_message"] = {key: value for key, value in quoted.items() if key != "reply_to_message"}
        data, name = None, None
        if kind != "text":
            item = result[kind][-1] if kind == "photo" else result[kind]
            asset = self.emulator.assets[item["file_id"]]
            data, name = asset["data"], asset["filename"]
            item["file_size"] = asset["size"]
            if kind == "document":
                item["file_name"] = name
        sent = Sent(
            chat.id, int(result["message_id"]), content.text, content.html, content.parse_mode, content.entities,
            buttons(markup), None if thread is None else int(thread), reply_to, result, kind,
            data if kind == "photo" else None, data if kind not in ("photo", "text") else None, name,
            first_text=content.text,
        )  # fmt: skip
        self._show(sent, markup)
        self.messages[chat.id, sent.message_id] = sent
        return sent

    def _show(self, sent: Sent, markup: Any) -> None:
        """Puts text, entities and markup of `sent` into its Message."""
        key, found = ("text", "entities") if sent.kind == "text" else ("caption", "caption_entities")
        for name, value in ((key, sent.text), (found, sent.entities), ("reply_markup", markup)):
            sent.json.pop(name, None)
            if value:
                sent.json[name] = value

    def _change(self, method: str, fields: Json, uploads: dict[str, Json], content: Content, markup: Any) -> Any:
        """Edits and deletions."""
        self.emulator.validate(method, fields, uploads)
        key = int(fields["chat_id"]), int(fields["message_id"])
        sent = self.messages.get(key)
        if method == "deleteMessage":
            if sent is None and self.known.pop(key, None) is not None:
                return True
            if sent is None or sent.deleted:
                raise ApiRefusal("Bad Request: message to delete not found")
            sent.deleted = True
            return True
        if sent is None and key in self.known:
            raise ApiRefusal("Bad Request: message can't be edited")
        if sent is None or sent.deleted:
            raise ApiRefusal("Bad Request: message to edit not found")
        if method == "editMessageText" and sent.kind != "text":
            raise ApiRefusal("Bad Request: there is no text in the message to edit")
        if method == "editMessageCaption" and sent.kind == "text":
            raise ApiRefusal("Bad Request: there is no caption in the message to edit")
        if method == "editMessageReplyMarkup":
            content = Content(sent.text, sent.html, sent.parse_mode, sent.entities)
        if (content.text, content.entities, markup) == (sent.text, sent.entities, sent.json.get("reply_markup")):
            raise ApiRefusal(NOT_MODIFIED)
        now: Buttons = buttons(markup)
        sent.text, sent.html, sent.parse_mode, sent.entities = (
            content.text, content.html, content.parse_mode, content.entities,
        )  # fmt: skip
        sent.buttons = now
        sent.edits.append(Edit(content.text, content.html, now, time.monotonic()))
        sent.json = sent.json | {"edit_date": int(time.time())}
        self._show(sent, markup)
        return sent.json

    def _fresh(self, fields: Json) -> None:
        issued = self.queries.get(str(fields.get("callback_query_id")))
        if issued is None or time.monotonic() - issued > self.callback_ttl:
            raise ApiRefusal(TOO_OLD)

    def _file(self, result: Json) -> Json:
        size = int(self.emulator.assets[result["file_id"]]["size"])
        if size > DOWNLOAD_LIMIT:
            raise ApiRefusal("Bad Request: file is too big")
        return result | {"file_size": size}

    # -- methods the emulator does not model

    def _getChat(self, fields: Json) -> Json:
        chat = self._checked_chat(fields)
        extra = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(GIFTS, False)}
        return chat.json() | extra

    def _getChatMember(self, fields: Json) -> Json:
        chat, user = int(fields["chat_id"]), int(fields["user_id"])
        person = self.bot if user == self.bot["id"] else {"id": user, "is_bot": False, "first_name": "Member"}
        return updates.member(person, self.members.get((chat, user), "member"))

    def _getChatAdministrators(self, fields: Json) -> list[Json]:
        chat = int(fields["chat_id"])
        ids = [u for (c, u), status in self.members.items() if c == chat and status in ("creator", "administrator")]
        return [self._getChatMember({"chat_id": chat, "user_id": user}) for user in ids]

    def _leaveChat(self, fields: Json) -> bool:
        self.members[int(fields["chat_id"]), self.bot["id"]] = "left"
        return True

    def _setMyCommands(self, fields: Json) -> bool:
        self.emulator.validate("setMyCommands", dict(fields), {})
        commands = self.emulator.decoded(fields["commands"])
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command"))):
                raise ApiRefusal("Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise ApiRefusal("Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[self._scope(fields)] = commands
        return True

    def _getMyCommands(self, fields: Json) -> list[Json]:
        return self.commands.get(self._scope(fields), [])

    def _deleteMyCommands(self, fields: Json) -> bool:
        self.commands.pop(self._scope(fields), None)
        return True

    def _scope(self, fields: Json) -> tuple[str, str]:
        """("default", "all_group_chats", "chat:-5" or "chat_member:-5:7"; language code or "")."""
        scope = self.emulator.decoded(fields.get("scope") or "{}")
        parts = [scope.get("type", "default"), *(scope[key] for key in ("chat_id", "user_id") if key in scope)]
        language = fields.get("language_code") or ""
        if language and not re.fullmatch(r"[a-z]{2}", language):
            raise ApiRefusal("Bad Request: invalid language code specified")
        return ":".join(str(part) for part in parts), language

    def _set_profile(self, method: str, fields: Json) -> bool:
        name = PROFILE[method]
        self.profile[name, fields.get("language_code") or ""] = str(fields.get(name, ""))
        return True

    def _setMyName(self, fields: Json) -> bool:
        return self._set_profile("setMyName", fields)

    def _setMyDescription(self, fields: Json) -> bool:
        return self._set_profile("setMyDescription", fields)

    def _setMyShortDescription(self, fields: Json) -> bool:
        return self._set_profile("setMyShortDescription", fields)


OWN = {
    "getChat", "getChatMember", "getChatAdministrators", "leaveChat", "setMyCommands", "getMyCommands",
    "deleteMyCommands", *PROFILE,
}  # fmt: skip
GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
