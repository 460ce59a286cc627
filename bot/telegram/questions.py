"""A message is a question: in private always, in a group when the bot is meant; an edited one is answered once more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from telegram import Chat, Message, MessageEntity, Update

from bot.answer import Answer
from bot.conversation import About, Question, answer, wish_of
from bot.telegram import keyboards
from bot.telegram.access import Asker, asker, thread_of
from bot.telegram.kept import pack
from bot.telegram.live import live
from bot.telegram.war import Context, War, say, sorry, war
from bot.wiring import WarRoom
from tools.errors import WarRoomError

log = logging.getLogger(__name__)


def meant(message: Message, bot_id: int, username: str) -> str | None:
    """The question in a message that is for the bot; None when it is not. The mention itself is taken out."""
    text = message.text or ""
    if message.chat.type == Chat.PRIVATE:
        return text
    mention = f"@{username}".lower()
    named = message.parse_entities([MessageEntity.MENTION])
    ours = next((shown for shown in named.values() if shown.lower() == mention), None)
    by_id = any(e.user is not None and e.user.id == bot_id for e in message.entities)
    replied = message.reply_to_message
    if ours is not None:
        return text.replace(ours, " ").strip()
    if by_id or (replied is not None and replied.from_user is not None and replied.from_user.id == bot_id):
        return text
    return None


async def on_message(update: Update, context: Context) -> None:
    message = update.effective_message
    if message is None or message.text is None:
        return
    text = meant(message, context.bot.id, context.bot.username)
    if text is None:
        return
    w = war(context)
    token = await token_of(w, update, message, text)
    if token is None:
        return
    who = await asker(update, context)
    if who is not None:
        await reply(w, who, text, token, reply_to=message.message_id if message.chat.type != Chat.PRIVATE else None)


async def token_of(w: War, update: Update, message: Message, text: str) -> str | None:
    """The name of the answer to come; None when an edited message is not to be answered again: it was no question before, its
    text is the same (only a link preview changed), or it was answered anew already."""
    token = keyboards.token_for(message.chat_id, message.message_id)
    if update.edited_message is None:
        return token
    before = await w.db(w.state.answer, token)
    if before is None or before.question == text:
        return None
    token = keyboards.token_for(message.chat_id, message.message_id, "edited")
    return token if await w.db(w.state.answer, token) is None else None


async def reply(
    w: War,
    who: Asker,
    text: str,
    token: str,
    *,
    reply_to: int | None = None,
    lang: str = "auto",
    about: About | None = None,
) -> Answer | None:
    """Answer `text` where `who` asked, with buttons; None when the data cannot be opened, which is said. `about`: what was
    understood before, where it is not what the chat talked about last."""
    question = Question(text, session=who.session, lang=lang, about=about)
    async with live(w.sender, who.chat, who.thread, reply_to) as shown:
        try:
            found = await w.rooms.run(who.shop, lambda room: _worked(w, who, token, room, question, shown.show))
        except WarRoomError as e:
            await w.sender.text(who.chat, sorry(e, who.lang), thread=who.thread, reply_to=reply_to)
            return None
    sent = await w.sender.text(
        who.chat,
        found.text,
        thread=who.thread,
        reply_to=reply_to,
        keyboard=keyboards.under(found, token),
        into=shown.message,
    )
    if sent and found.drafts:  # a decision on them is told as a reply
        await w.db(w.state.set_message, token, sent[-1].message_id)
    for chart in found.charts:
        await w.sender.photo(who.chat, Path(chart.path), chart.title, thread=who.thread)
    return found


def _worked(w: War, who: Asker, token: str, room: WarRoom, question: Question, said: Callable[[str], None]) -> Answer:
    """The answer, kept for its buttons. A question is of its minute: what several people ask then is computed once."""
    at = room.shop.now().replace(second=0, microsecond=0)
    found = answer(room, replace(question, as_of=at), said)
    wish = wish_of(room, question.session) if found.drafts and question.session else None
    w.state.save_answer(token, who.shop, who.chat, who.thread, who.person, question.text, pack(found, wish))
    return found


async def lost(w: War, update: Update) -> None:
    """After a restart: an answer that may not have arrived is reported, not sent again."""
    chat, message = update.effective_chat, update.effective_message
    if chat is None or message is None:
        return
    bound = await w.db(w.state.chat, chat.id)
    lang = bound.lang if bound is not None and bound.lang else "zh"
    await w.sender.text(chat.id, say("answer.lost", lang), thread=thread_of(message), reply_to=message.message_id)
