"""The commands. Each has a useful answer without arguments; most are questions put in the bot's own words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Coroutine
from typing import Any

from telegram import BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats, Chat, Message, Update
from telegram.ext import Application, CommandHandler, filters

from bot import status_writer
from bot.conversation import forget
from bot.shortcuts import QUESTIONS, question_for
from bot.telegram import keyboards
from bot.telegram.access import Asker, asker, lang_of, needs, refuse_unknown, role_in, shops_for, thread_of
from bot.telegram.briefings import skip_today
from bot.telegram.questions import reply, token_of
from bot.telegram.settings import settings
from bot.telegram.war import Context, War, say, sorry, war
from bot.understanding.interpret import language
from bot.wiring import WarRoom
from tools.errors import WarRoomError
from tools.status import status as data_status

# In the order in which Telegram lists them.
NAMES = (*QUESTIONS, "new", "status", "subscribe", "settings", "shop", "help", "start")
_CLOCK = re.compile(r"(\d{1,2})[:：.](\d{2})")
_OFF = ("off", "stop", "关", "关闭", "取消", "停")


async def register_names(application: Application[Any, Any, Any, Any, Any, Any]) -> None:
    """The commands as Telegram lists them, for private chats and groups, in Chinese and English."""
    for scope, names in (
        (BotCommandScopeAllPrivateChats(), NAMES),
        (BotCommandScopeAllGroupChats(), tuple(n for n in NAMES if n != "start")),
    ):
        for lang, code in (("zh", None), ("zh", "zh"), ("en", "en")):
            commands = [BotCommand(name, say(f"command.{name}", lang)) for name in names]
            await application.bot.set_my_commands(commands, scope=scope, language_code=code)


def _question(name: str) -> Callable[[Update, Context], Coroutine[Any, Any, None]]:
    """A handler that asks what the command stands for."""

    async def handle(update: Update, context: Context) -> None:
        w, message = war(context), update.effective_message
        if message is None:
            return
        about = " ".join((message.text or "").split()[1:])
        # A key or a brand in Latin letters does not make a Chinese speaker's command English; a whole question does.
        own = await lang_of(w, update.effective_chat, update.effective_user)
        lang = language(about) if about and (name == "ask" or language(about) == "zh") else own
        text = question_for(name, about, lang)
        token = await token_of(w, update, message, text)
        who = await asker(update, context) if token is not None else None
        if token is not None and who is not None:
            reply_to = message.message_id if message.chat.type != Chat.PRIVATE else None
            await reply(w, who, text, token, reply_to=reply_to, lang=lang)

    return handle


async def _tell(w: War, who: Asker, text: str, **options: Any) -> None:
    await w.sender.text(who.chat, text, thread=who.thread, **options)


async def start(update: Update, context: Context) -> None:
    """Who I am, for which shop, and what to try."""
    w, who = war(context), await asker(update, context)
    if who is not None:
        name = await w.rooms.run(who.shop, lambda room: room.shop.name)
        await _tell(w, who, say("telegram.start", who.lang, shop=name, role=say(f"role.{who.role}", who.lang)))


async def help_(update: Update, context: Context) -> None:
    w, who = war(context), await asker(update, context)
    if who is None:
        return
    listed = "\n".join(f"/{name} {say(f'command.{name}', who.lang)}" for name in NAMES if name not in ("start", "help"))
    await _tell(w, who, f"{say('answer.help', who.lang)}\n\n{listed}")


async def new(update: Update, context: Context) -> None:
    w, who = war(context), await asker(update, context)
    if who is not None:
        await w.rooms.run(who.shop, lambda room: forget(room, who.session))
        await _tell(w, who, say("cli.chat_new", who.lang))


async def status(update: Update, context: Context) -> None:
    """What data there is, and what became of the last briefings."""
    w, who = war(context), await asker(update, context)
    if who is None:
        return

    def look(room: WarRoom) -> str:
        now = room.shop.now()
        head = say("status.head", who.lang, shop=room.shop.name, now=now.strftime("%Y-%m-%d %H:%M"))
        return "\n".join(
            [f"**{head}**", *status_writer.chat(data_status(room.engine, now, room.shop.data_file), who.lang)]
        )

    try:
        text = await w.rooms.run(who.shop, look)
    except WarRoomError as e:
        text = sorry(e, who.lang)
    rows = await w.db(w.state.ledger, shop=who.shop, chat=who.chat, limit=3)
    lines = [f"· {r.day} {say(f'ledger.{r.status}', who.lang)}" for r in rows]
    if lines:
        text += "\n\n" + "\n".join([say("ledger.head", who.lang), *lines])
    await _tell(w, who, text)


async def shop(update: Update, context: Context) -> None:
    """Which shop this chat is about; /shop KEY changes it."""
    w, user, chat, message = war(context), update.effective_user, update.effective_chat, update.effective_message
    if user is None or chat is None or message is None:
        return
    bound = await w.db(w.state.chat, chat.id)
    mine = await shops_for(w, user.id)
    if not mine or (bound is None and chat.type == Chat.PRIVATE and not context.args):
        await asker(update, context)  # binds a private chat, or refuses
        bound = await w.db(w.state.chat, chat.id)
        if not mine:
            return
    who = await _someone(w, update, mine)
    wanted = " ".join(context.args or ())
    if not wanted and bound is not None and bound.shop in w.rooms.keys and bound.shop not in mine:
        if chat.type != Chat.PRIVATE:  # whose group this is, is not theirs to know
            await refuse_unknown(w, update, who.lang)
            return
        bound = None
    if not wanted:
        named = [(key, w.rooms.name(key)) for key in mine]
        head = (
            say("telegram.bound", who.lang, shop=w.rooms.name(bound.shop))
            if bound is not None and bound.shop in w.rooms.keys
            else say("telegram.unbound", who.lang)
        )
        await _tell(w, who, head, keyboard=keyboards.shop_choice(named) if len(mine) > 1 or bound is None else None)
        return
    key = next((k for k in mine if wanted.casefold() in (k.casefold(), w.rooms.name(k).casefold())), None)
    if key is None:
        known = say("join.list", who.lang).join(w.rooms.name(k) for k in mine)
        await _tell(w, who, say("telegram.no_such_shop", who.lang, name=wanted, known=known))
        return
    await bind(w, who, chat, key)


async def _someone(w: War, update: Update, mine: list[str]) -> Asker:
    """The person, for messages about binding, before the chat has a shop."""
    user, chat, message = update.effective_user, update.effective_chat, update.effective_message
    assert user is not None
    assert chat is not None
    role = await role_in(w, user.id, mine[0]) or "viewer"
    return Asker(user.id, user.full_name, mine[0], role, chat.id, thread_of(message), await lang_of(w, chat, user))


async def bind(w: War, who: Asker, chat: Chat, key: str) -> None:
    """Bind a chat to a shop: a group by an admin of that shop, one's own chat by whoever may ask."""
    role = await role_in(w, who.person, key)
    before = await w.db(w.state.chat, chat.id)
    theirs = before is not None and before.shop in w.rooms.keys and before.shop != key
    if role is None or (chat.type != Chat.PRIVATE and role != "admin"):
        await _tell(w, who, say("access.bind", who.lang))
        return
    if before is not None and theirs and chat.type != Chat.PRIVATE:
        if await role_in(w, who.person, before.shop) != "admin":  # nobody takes a group away from another shop
            await _tell(w, who, say("access.rebind", who.lang))
            return
        await w.db(w.state.audit, who.person, before.shop, "unbind", {"chat": chat.id, "title": chat.title})
    await w.db(w.state.bind, chat.id, key, chat.type, chat.title or who.name, who.person)
    await w.db(w.state.audit, who.person, key, "bind", {"chat": chat.id, "title": chat.title})
    await _tell(w, who, say("telegram.now_bound", who.lang, shop=w.rooms.name(key)))


async def subscribe(update: Update, context: Context) -> None:
    """/subscribe shows, /subscribe 09:00 sets, /subscribe off ends the daily briefing of this chat."""
    w, who, message = war(context), await asker(update, context), update.effective_message
    if who is None:
        return
    wanted = " ".join(context.args or ()).strip().lower()
    current = await w.db(w.state.subscription, who.chat)
    if not wanted:
        none = say("telegram.not_subscribed", who.lang)
        await _tell(w, who, say("telegram.subscribed", who.lang, at=current.at) if current else none)
        return
    if not await needs(w, who, "admin", message):
        return
    if wanted in _OFF:
        ended = await w.db(w.state.unsubscribe, who.chat)
        await w.db(w.state.audit, who.person, who.shop, "unsubscribe", {"chat": who.chat})
        await _tell(w, who, say("telegram.unsubscribed" if ended else "telegram.not_subscribed", who.lang))
        return
    at = clock(wanted)
    if at is None:
        await _tell(w, who, say("telegram.bad_time", who.lang, text=wanted[:20]))
        return
    await w.db(w.state.subscribe, who.chat, who.thread, at, who.person)
    await w.db(w.state.audit, who.person, who.shop, "subscribe", {"chat": who.chat, "at": at})
    now = await w.db(w.state.subscription, who.chat)
    tomorrow = now is not None and await skip_today(w, now)
    await _tell(
        w, who, say("telegram.subscribed_from_tomorrow" if tomorrow else "telegram.subscribed", who.lang, at=at)
    )


def clock(text: str) -> str | None:
    """ "9:00" as "09:00"; None when it is no time of day."""
    match = _CLOCK.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    return f"{int(match[1]):02d}:{match[2]}"


HANDLERS: dict[str, Callable[[Update, Context], Coroutine[Any, Any, None]]] = {
    **{name: _question(name) for name in QUESTIONS},
    "new": new,
    "status": status,
    "subscribe": subscribe,
    "settings": settings,
    "shop": shop,
    "help": help_,
    "start": start,
}


async def unknown(update: Update, context: Context) -> None:
    """A command that there is not."""
    w, who, message = war(context), await asker(update, context), update.effective_message
    if who is not None and message is not None:
        if update.edited_message is not None:
            return
        name = (message.text or "").split()[0][:30]
        await _tell(w, who, say("telegram.no_such_command", who.lang, name=name))


def is_ours(message: Message, username: str) -> bool:
    """Whether a command will be answered: in private each one, in a group ours that is not addressed to another bot."""
    name, _, to = (message.text or "").split()[0][1:].partition("@")
    return message.chat.type == Chat.PRIVATE or (name.lower() in HANDLERS and to.lower() in ("", username.lower()))


def handlers() -> list[CommandHandler[Context, None]]:
    """Of an edited message only a question is taken up again: a grant must not happen twice because a typo was mended."""
    new = filters.UpdateType.MESSAGE
    return [CommandHandler(name, handle, None if name in QUESTIONS else new) for name, handle in HANDLERS.items()]
