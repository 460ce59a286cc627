"""/settings: the chat's language, who may what, and what was done."""

from __future__ import annotations

import logging
from datetime import datetime

from telegram import Chat, Message, Update
from telegram.error import TelegramError

from bot.state import AuditRow
from bot.telegram import keyboards
from bot.telegram.access import ROLES, Asker, asker, needs, person_id
from bot.telegram.sender import Gone, Unknown
from bot.telegram.war import Context, War, bare, say, war

log = logging.getLogger(__name__)
_LATEST = 20  # actions that `audit` lists

# What the audit log says of an action; an export says what was exported.
_DONE = {
    "grant": "audit.grant",
    "revoke": "audit.revoke",
    "bind": "audit.bind",
    "unbind": "audit.unbind",
    "subscribe": "audit.subscribe",
    "unsubscribe": "audit.unsubscribe",
    "export crowd": "audit.export_crowd",
    "export metrics": "audit.export_metrics",
    "import": "audit.import",
    "learn": "audit.learn",
    "submit": "audit.submit",
    "approve": "audit.approve",
    "return": "audit.return",
}


async def settings(update: Update, context: Context) -> None:
    """/settings shows; `lang zh|en` sets the chat's language; `grant ID ROLE`, `revoke ID` and `audit` are for admins."""
    w, who, message = war(context), await asker(update, context), update.effective_message
    if who is None or message is None:
        return
    words = [*(context.args or ())]
    verb = words.pop(0).lower() if words else ""
    if not verb:
        await _show(w, who)
    elif verb == "lang" and words and words[0].lower() in ("zh", "en"):
        if message.chat.type == Chat.PRIVATE or await needs(w, who, "admin", message):
            await w.db(w.state.set_lang, who.chat, words[0].lower())
            await _tell(w, who, say("telegram.lang_set", words[0].lower()))
    elif verb in ("grant", "revoke", "audit"):
        if await needs(w, who, "admin", message):
            await {"grant": _grant, "revoke": _revoke, "audit": _audit}[verb](w, who, message, words)
    else:
        await _tell(w, who, say("telegram.settings_usage", who.lang))


async def _tell(w: War, who: Asker, text: str) -> None:
    await w.sender.text(who.chat, text, thread=who.thread)


async def _show(w: War, who: Asker) -> None:
    current = await w.db(w.state.subscription, who.chat)
    brief = current.at if current else say("telegram.not_pushed", who.lang)
    lines = [
        say(
            "telegram.settings", who.lang, shop=w.rooms.name(who.shop), role=say(f"role.{who.role}", who.lang),
            language=say("telegram.this_language", who.lang), brief=brief,
        )
    ]  # fmt: skip
    if who.may("admin"):
        people = await w.db(w.state.people, who.shop)
        lines += [say("telegram.people", who.lang)] if people else []
        lines += [f"· {bare(p.name) or '—'} ({p.person}) {say(f'role.{p.role}', who.lang)}" for p in people]
        lines.append(say("telegram.how_to_grant", who.lang))
    await w.sender.text(who.chat, "\n".join(lines), thread=who.thread, keyboard=keyboards.language_choice())


async def _grant(w: War, who: Asker, message: Message, words: list[str]) -> None:
    """By id, or in reply to something the person wrote."""
    name = ""
    if words and words[0].isdecimal():
        person = person_id(words.pop(0))
    else:
        replied = message.reply_to_message
        user = replied.from_user if replied is not None else None
        person, name = (user.id, user.full_name) if user is not None and not user.is_bot else (None, "")
    role = words[0].lower() if words else "viewer"
    if person is None or role not in ROLES:
        await _tell(w, who, say("telegram.how_to_grant", who.lang))
        return
    await let_in(w, who, person, who.shop, role, name)
    await _tell(w, who, say("telegram.granted", who.lang, id=person, role=say(f"role.{role}", who.lang)))


async def let_in(w: War, by: Asker, person: int, shop_key: str, role: str, name: str = "") -> None:
    """Grant, note it, and tell the person where they can be told. `name` empty: as they called themselves before."""
    if not name:
        known = [g.name for g in await w.db(w.state.people, shop_key) if g.person == person]
        asked = [r.name for r in await w.db(w.state.requests) if r.person == person]
        name = next((n for n in known + asked if n), "")
    await w.db(w.state.grant, person, shop_key, role, by.person, name)
    await w.db(w.state.audit, by.person, shop_key, "grant", {"person": person, "role": role})
    told = say("telegram.let_in", by.lang, shop=w.rooms.name(shop_key), role=say(f"role.{role}", by.lang))
    try:
        await w.sender.text(person, told)
    except (TelegramError, Gone, Unknown) as e:
        log.info("could not tell %s: %s", person, e)  # they have never written to the bot


async def _revoke(w: War, who: Asker, message: Message, words: list[str]) -> None:
    person = person_id(words[0]) if words else None
    if person is None:
        await _tell(w, who, say("telegram.how_to_grant", who.lang))
        return
    if person in w.settings.owners:
        await _tell(w, who, say("telegram.owner_stays", who.lang, id=person))
        return
    had = await w.db(w.state.revoke, person, who.shop)
    if had:
        await w.db(w.state.audit, who.person, who.shop, "revoke", {"person": person})
    await _tell(w, who, say("telegram.revoked" if had else "telegram.had_none", who.lang, id=person))


async def _audit(w: War, who: Asker, message: Message, words: list[str]) -> None:
    """The latest actions, newest first, in the shop's time."""
    rows = await w.db(w.state.audit_rows, who.shop, _LATEST)
    names = {p.person: p.name for p in await w.db(w.state.people, who.shop)}
    zone = w.rooms.room(who.shop).shop.timezone
    lines = [
        f"· {datetime.fromtimestamp(r.at, zone):%m-%d %H:%M} {bare(names.get(r.actor, '')) or r.actor} {done(r, who.lang)}"
        for r in rows
    ]
    head = say("telegram.audit" if lines else "telegram.no_audit", who.lang)
    await _tell(w, who, "\n".join([head, *lines]))


def done(row: AuditRow, lang: str) -> str:
    """What one row of the audit log says; an action that this version does not know is shown as it stands."""
    detail = dict(row.detail)
    key = _DONE.get(f"{row.action} {detail['what']}" if "what" in detail else row.action)
    if key is None:
        return f"{row.action} {detail}"
    if "role" in detail:
        detail["role"] = say(f"role.{detail['role']}", lang)
    if "title" in detail:
        detail["title"] = detail["title"] or detail["chat"]
    return say(key, lang, **detail)
