"""What happens to the bot itself in a chat: added, removed, muted, and a group that becomes a supergroup."""

from __future__ import annotations

import logging

from telegram import Chat, ChatMember, Update

from bot.telegram import keyboards
from bot.telegram.access import person_lang, shops_for
from bot.telegram.war import Context, say, war

log = logging.getLogger(__name__)
_AWAY = (ChatMember.LEFT, ChatMember.BANNED)


async def on_my_member(update: Update, context: Context) -> None:
    """Added to a group: say which shop, or how to get one. Removed or blocked: the chat rests, nothing more is sent."""
    change = update.my_chat_member
    if change is None:
        return
    w, chat, user = war(context), change.chat, change.from_user
    status, before = change.new_chat_member.status, change.old_chat_member.status
    if status in _AWAY:
        log.info("removed from chat %s", chat.id)
        await w.db(w.state.set_active, chat.id, False)
        return
    known = await w.db(w.state.chat, chat.id)
    if known is not None:
        await w.db(w.state.set_active, chat.id, True)
        return
    if chat.type == Chat.PRIVATE or before not in _AWAY:
        return
    mine = await shops_for(w, user.id)
    lang = person_lang(user)
    if mine:
        named = [(key, w.rooms.name(key)) for key in mine]
        await w.sender.text(chat.id, say("telegram.which_shop", lang), keyboard=keyboards.shop_choice(named))
    else:
        await w.sender.text(chat.id, say("access.stranger_in_group", lang))


async def on_migrate(update: Update, context: Context) -> None:
    """A group that became a supergroup has a new id: its shop, briefing and answers go with it."""
    message = update.effective_message
    if message is None:
        return
    w = war(context)
    if message.migrate_to_chat_id is not None:
        await w.db(w.state.move, message.chat_id, message.migrate_to_chat_id)
    elif message.migrate_from_chat_id is not None:
        await w.db(w.state.move, message.migrate_from_chat_id, message.chat_id)
