"""What stands under an answer. `data` is `kind:token[:detail]`, at most 64 bytes; what it stands for is in the state."""

from __future__ import annotations

import hashlib

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.answer import Answer
from bot.telegram.war import say
from tools.metrics import BY

_WIDE = 20  # characters of a button that has a row of its own


def token_for(*parts: object) -> str:
    """A short name for an answer, the same whenever the same update is worked again."""
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()[:16]


def button(key: str, lang: str, data: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(say(f"button.{key}", lang), callback_data=data)


def under(answer: Answer, token: str) -> InlineKeyboardMarkup | None:
    """The buttons that make sense under this answer."""
    lang, what = answer.lang, answer.interpretation
    if answer.clarify is not None:
        rows = [
            [InlineKeyboardButton(option, callback_data=f"opt:{token}:{i}")]
            for i, option in enumerate(answer.clarify.options)
        ]
        return InlineKeyboardMarkup(rows)
    if what.intent in ("help", "smalltalk", "unsupported"):
        return None
    rows = []
    if answer.drafts and what.intent == "draft":
        other = "group" if what.channel != "group" else "sms"
        rows.append(
            [button("shorter", lang, f"redo:{token}:shorter"), button(f"as_{other}", lang, f"redo:{token}:{other}")]
        )
        rows.append([button("no_emoji", lang, f"redo:{token}:no_emoji"), button("submit", lang, f"submit:{token}")])
    elif what.crowds and what.intent in ("plan", "crowd", "metric"):
        rows.append([button("sms", lang, f"draft:{token}:sms"), button("group", lang, f"draft:{token}:group")])
    second = []
    if answer.facts or answer.citations:
        second.append(button("sources", lang, f"why:{token}"))
    if what.intent in ("metric", "crowd"):
        second.append(button("views", lang, f"views:{token}"))
        second.append(button("chart", lang, f"chart:{token}"))
    if what.intent in ("plan", "crowd") and what.crowds:
        second.append(button("export", lang, f"export:{token}"))
    if what.intent == "metric" and answer.facts:
        second.append(button("table", lang, f"table:{token}"))
    if second:
        rows.append(second)
    rows.append([button("good", lang, f"good:{token}"), button("bad", lang, f"bad:{token}")])
    return InlineKeyboardMarkup(rows)


def views(token: str, lang: str) -> InlineKeyboardMarkup:
    """The breakdowns to choose from."""
    rows = [InlineKeyboardButton(say(f"by.{by}", lang), callback_data=f"by:{token}:{by}") for by in BY]
    return InlineKeyboardMarkup([rows])


def import_choice(token: str, tables: list[tuple[str, str]], lang: str) -> InlineKeyboardMarkup:
    """Where an uploaded table goes: the best guess first; (key, name) of each."""
    rows = [
        [InlineKeyboardButton(say("button.import_to", lang, table=name), callback_data=f"import:{token}:{key}")]
        for key, name in tables
    ]
    return InlineKeyboardMarkup([*rows, [button("cancel", lang, f"drop:{token}")]])


def add_choice(token: str, lang: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[button("add_document", lang, f"learn:{token}"), button("cancel", lang, f"drop:{token}")]]
    )


def shop_choice(shops: list[tuple[str, str]]) -> InlineKeyboardMarkup:
    """(key, name) of each shop to bind a chat to."""
    rows = [[InlineKeyboardButton(name, callback_data=f"shop:{token_for(key)}")] for key, name in shops]
    return InlineKeyboardMarkup(rows)


def role_choice(person: int, shop: str, lang: str) -> InlineKeyboardMarkup:
    """For the owner: what to let a person in as."""
    data = f"{person}:{token_for(shop)}"
    roles = [button(role, lang, f"let:{data}:{role}") for role in ("viewer", "operator", "admin")]
    return InlineKeyboardMarkup([roles, [button("refuse", lang, f"let:{data}:no")]])


def decision(token: str, lang: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[button("approve", lang, f"yes:{token}"), button("return", lang, f"no:{token}")]])


def language_choice() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton("中文", callback_data="lang:zh"),
                InlineKeyboardButton("English", callback_data="lang:en"),
            ]
        ]
    )
