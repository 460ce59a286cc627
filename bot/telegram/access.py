"""Who may what. A person counts, by `from_user.id`, never a chat alone; a chat is bound to one shop.

    viewer    asks, reads briefings and drafts
    operator  exports, imports, adds documents, submits drafts
    admin     binds chats, subscribes them, grants, approves
The owner (WARROOM_OWNER) is admin of every shop.
"""

from __future__ import annotations

from dataclasses import dataclass

from telegram import CallbackQuery, Chat, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update, User

from bot.state import Chat as Bound
from bot.telegram.war import Context, War, say, war

ROLES = ("viewer", "operator", "admin")
# Telegram's GroupAnonymousBot and Channel_Bot: an admin, or somebody as a channel, whose id nobody sees.
_NOBODY = (1087968824, 136817688)
_DIGITS = 20


@dataclass(frozen=True)
class Asker:
    """Somebody who may ask: which shop, with which role, where."""

    person: int
    name: str
    shop: str
    role: str
    chat: int
    thread: int | None
    lang: str

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def session(self) -> str:
        """One conversation for each shop, chat and topic."""
        return f"{self.shop}:{self.chat}:{self.thread or 0}"


def thread_of(message: Message | None) -> int | None:
    """The topic of a forum; replies in an ordinary group have a thread id too, which is none."""
    return message.message_thread_id if message is not None and message.is_topic_message else None


def person_lang(user: User | None) -> str:
    """A person's language for fixed texts, until the chat has one: English where their Telegram is in English."""
    return "en" if user is not None and (user.language_code or "").startswith("en") else "zh"


def topic_of(query: CallbackQuery) -> int | None:
    """The topic of the message whose button was tapped."""
    return thread_of(query.message) if isinstance(query.message, Message) else None


def person_id(text: str) -> int | None:
    """A Telegram id as somebody typed it; None when it is none. Ids of people have at most 52 bits."""
    number = int(text) if text.isdecimal() and len(text) < _DIGITS else 0
    return number if 0 < number < 1 << 52 else None


async def lang_of(w: War, chat: Chat | None, user: User | None) -> str:
    bound = await w.db(w.state.chat, chat.id) if chat is not None else None
    return bound.lang if bound is not None and bound.lang else person_lang(user)


async def role_in(w: War, person: int, shop: str) -> str | None:
    return "admin" if person in w.settings.owners else await w.db(w.state.role, person, shop)


async def shops_for(w: War, person: int) -> list[str]:
    """The shops that a person may ask about."""
    if person in w.settings.owners:
        return w.rooms.keys
    granted = {shop for shop, _ in await w.db(w.state.shops_of, person)}
    return [key for key in w.rooms.keys if key in granted]


def _chat_and_role(w: War, chat: int, person: int) -> tuple[Bound | None, str | None]:
    """The chat as it is bound, and the person's role in its shop, in one visit to the state."""
    bound = w.state.chat(chat)
    if bound is None or bound.shop not in w.rooms.keys:
        return bound, None
    return bound, "admin" if person in w.settings.owners else w.state.role(person, bound.shop)


async def asker(update: Update, context: Context) -> Asker | None:
    """Who asks and about which shop; None after a polite refusal, or silently where nobody can be told."""
    w = war(context)
    user, chat, message = update.effective_user, update.effective_chat, update.effective_message
    if user is None or chat is None or (user.is_bot and user.id not in _NOBODY):
        return None
    bound, role = await w.db(_chat_and_role, w, chat.id, user.id)
    lang = bound.lang if bound is not None and bound.lang else person_lang(user)
    thread = thread_of(message)
    if user.id in _NOBODY:
        await _refuse(w, message, say("access.anonymous", lang))
        return None
    shop = bound.shop if bound is not None and bound.shop in w.rooms.keys else None
    if role is None and chat.type == Chat.PRIVATE:
        mine = await shops_for(w, user.id)
        if mine:
            shop, role = mine[0], await role_in(w, user.id, mine[0])
            await w.db(w.state.bind, chat.id, shop, chat.type, user.full_name, user.id)
            if bound is not None:  # the shop it was about is none of theirs any more
                await w.sender.text(chat.id, say("telegram.now_bound", lang, shop=w.rooms.name(shop)))
    if shop is None or role is None:
        await refuse_unknown(w, update, lang)
        return None
    if bound is not None and not bound.active:
        await w.db(w.state.set_active, chat.id, True)
    return Asker(user.id, user.full_name, shop, role, chat.id, thread, lang)


async def refuse_unknown(w: War, update: Update, lang: str) -> None:
    """Say that this is private, and how to be let in; nothing about any shop is said."""
    user, chat, message = update.effective_user, update.effective_chat, update.effective_message
    if user is None or chat is None or message is None:
        return
    free = await w.db(w.state.chat, chat.id) is None
    if chat.type != Chat.PRIVATE and free and await shops_for(w, user.id):
        await _refuse(w, message, say("access.unbound_group", lang))
    elif chat.type != Chat.PRIVATE:
        await _refuse(w, message, say("access.stranger_in_group", lang))
    else:
        ask = InlineKeyboardButton(say("button.ask_access", lang), callback_data=f"ask:{user.id}")
        await _refuse(w, message, say("access.stranger", lang, id=user.id), InlineKeyboardMarkup([[ask]]))


async def needs(w: War, who: Asker, role: str, message: Message | None) -> bool:
    """Whether the person has the role; if not, they are told which one it takes and whom to ask."""
    if who.may(role):
        return True
    await _refuse(w, message, missing_role(who, role))
    return False


def missing_role(who: Asker, role: str) -> str:
    return say("access.role", who.lang, needed=say(f"role.{role}", who.lang), mine=say(f"role.{who.role}", who.lang))


async def _refuse(w: War, message: Message | None, text: str, keyboard: InlineKeyboardMarkup | None = None) -> None:
    if message is not None:
        await w.sender.text(
            message.chat_id, text, thread=thread_of(message), reply_to=message.message_id, keyboard=keyboard
        )
