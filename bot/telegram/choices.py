"""Buttons that belong to no answer: access, the chat's shop and language, what to do with an uploaded file."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from telegram import CallbackQuery, Chat
from telegram.error import TelegramError

from bot.telegram import files, keyboards
from bot.telegram.access import ROLES, Asker, person_id, role_in, shops_for, topic_of
from bot.telegram.commands import bind
from bot.telegram.sender import Gone, Unknown
from bot.telegram.settings import let_in
from bot.telegram.war import War, say

log = logging.getLogger(__name__)


async def _request(w: War, query: CallbackQuery, rest: str, lang: str) -> None:
    """A stranger asks to be let in: each owner is asked, at most once an hour for each stranger."""
    person = query.from_user
    if str(person.id) != rest or query.message is None:
        await w.sender.tapped(query.id, say("tap.foreign", lang), alert=True)
        return
    new = await w.db(w.state.request_access, person.id, person.full_name, query.message.chat.id, None)
    await w.sender.tapped(query.id, say("tap.asked" if new else "tap.asked_before", lang), alert=True)
    if not new:
        return
    for owner in w.settings.owners:
        for shop in w.rooms.keys:
            text = say("telegram.wants_in", "zh", name=person.full_name, id=person.id, shop=w.rooms.name(shop))
            try:
                await w.sender.text(owner, text, keyboard=keyboards.role_choice(person.id, shop, "zh"))
            except (TelegramError, Gone, Unknown) as e:
                log.warning("owner %s cannot be asked: %s", owner, e)


async def _let_in(w: War, query: CallbackQuery, rest: str, lang: str) -> None:
    """An admin decides who is let in, as what."""
    person, shop_token, role = ([*rest.split(":"), "", ""])[:3]
    shop = next((key for key in w.rooms.keys if keyboards.token_for(key) == shop_token), None)
    mine = await role_in(w, query.from_user.id, shop) if shop is not None else None
    number = person_id(person)
    if shop is None or mine != "admin" or query.message is None or number is None:
        await w.sender.tapped(query.id, say("tap.stranger", lang), alert=True)
        return
    await w.sender.tapped(query.id)
    await w.sender.unbutton(query.message.chat.id, query.message.message_id)
    if role not in ROLES:
        await w.sender.text(query.message.chat.id, say("telegram.not_let_in", lang, id=person))
        return
    by = Asker(query.from_user.id, query.from_user.full_name, shop, mine, query.message.chat.id, None, lang)
    await let_in(w, by, number, shop, role)
    done = say("telegram.granted", lang, id=person, role=say(f"role.{role}", lang))
    await w.sender.text(query.message.chat.id, done)


async def _shop(w: War, query: CallbackQuery, rest: str, lang: str) -> None:
    """Bind the chat to the shop of the button."""
    message = query.message
    mine = await shops_for(w, query.from_user.id)
    key = next((k for k in mine if keyboards.token_for(k) == rest), None)
    if key is None or message is None:
        await w.sender.tapped(query.id, say("tap.stranger", lang), alert=True)
        return
    await w.sender.tapped(query.id)
    role = await role_in(w, query.from_user.id, key) or "viewer"
    who = Asker(query.from_user.id, query.from_user.full_name, key, role, message.chat.id, topic_of(query), lang)
    await bind(w, who, message.chat, key)


async def _language(w: War, query: CallbackQuery, rest: str, lang: str) -> None:
    message = query.message
    bound = await w.db(w.state.chat, message.chat.id) if message is not None else None
    role = await role_in(w, query.from_user.id, bound.shop) if bound is not None else None
    if message is None or role is None or (message.chat.type != Chat.PRIVATE and role != "admin"):
        await w.sender.tapped(query.id, say("tap.stranger", lang), alert=True)
        return
    chosen = "en" if rest == "en" else "zh"
    await w.db(w.state.set_lang, message.chat.id, chosen)
    await w.sender.tapped(query.id, say("telegram.lang_set", chosen))


CHOICES: dict[str, Callable[[War, CallbackQuery, str, str], Awaitable[None]]] = {
    "ask": _request,
    "let": _let_in,
    "shop": _shop,
    "lang": _language,
    "import": files.on_import,
    "learn": files.on_learn,
    "drop": files.on_drop,
}
