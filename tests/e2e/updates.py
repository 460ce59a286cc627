"""Updates as Telegram words them: the parts a bot looks at."""

from __future__ import annotations

import re
from typing import Any

from tests.e2e.records import Chat, Json, User
from tests.e2e.telegram_html import units

# As the live server finds them: a letter of any script next to it makes "@name" part of a word, not a mention.
_COMMAND = re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>])")
_MENTION = re.compile(r"(?<![\w@/])@[A-Za-z][A-Za-z0-9_]{2,31}(?!\w)")

RIGHTS = [
    "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
    "can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
    "can_edit_stories", "can_delete_stories",
]  # fmt: skip
PERMISSIONS = [
    "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
    "can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages",
    "can_add_web_page_previews", "can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics",
    "can_edit_tag", "can_react_to_messages",
]  # fmt: skip


def entities(text: str) -> list[Json]:
    """bot_command and mention entities, offsets in UTF-16 units."""
    commands = [("bot_command", m) for m in _COMMAND.finditer(text)]
    taken = {i for _, m in commands for i in range(*m.span())}
    mentions = [("mention", m) for m in _MENTION.finditer(text) if m.start() not in taken]
    found = sorted(commands + mentions, key=lambda pair: pair[1].start())
    return [{"type": kind, "offset": units(text[: m.start()]), "length": units(m[0])} for kind, m in found]


def member(user: Json, status: str) -> Json:
    """A ChatMember; "muted" is restricted without the right to send."""
    if status in ("creator", "member", "left"):
        return {"status": status, "user": user, **({"is_anonymous": False} if status == "creator" else {})}
    if status == "kicked":
        return {"status": status, "user": user, "until_date": 0}
    if status == "administrator":
        return {"status": status, "user": user, **dict.fromkeys(RIGHTS, True), "is_anonymous": False}
    if status in ("restricted", "muted"):
        may = dict.fromkeys(PERMISSIONS, status == "restricted")
        return {"status": "restricted", "user": user, "is_member": True, "until_date": 0, **may}
    raise ValueError(f"no member status {status!r}")


def message(chat: Chat, sender: Json, message_id: int, date: int, **content: Any) -> Json:
    """A Message with that content; what is None is left out."""
    base = {"message_id": message_id, "date": date, "chat": chat.json(), "from": sender}
    return base | {key: value for key, value in content.items() if value is not None}


def membership(chat: Chat, actor: User, bot: Json, date: int, old: str, new: str) -> Json:
    """my_chat_member: what `actor` did with the bot."""
    change = {"old_chat_member": member(bot, old), "new_chat_member": member(bot, new)}
    return {"my_chat_member": {"chat": chat.json(), "from": actor.json(), "date": date, **change}}
