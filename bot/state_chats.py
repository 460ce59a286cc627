"""Chats bound to a shop, their briefing subscriptions, and what follows when a group becomes a supergroup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, literal, select, update

from bot import state_tables as t

if TYPE_CHECKING:
    from bot.state import State


@dataclass(frozen=True)
class Chat:
    """`kind` as Telegram says it (private, group, supergroup); `lang` None means as the question; `active`: the bot may write."""

    id: int
    shop: str
    kind: str
    title: str
    lang: str | None
    active: bool
    bound_by: int


@dataclass(frozen=True)
class Subscription:
    """A briefing every day at `at` ("HH:MM", the shop's time) into `thread` of `chat`; the rest is the chat's."""

    chat: int
    thread: int | None
    at: str
    by: int
    shop: str
    lang: str | None
    active: bool


_CHAT = [t.chats.c[name] for name in Chat.__dataclass_fields__]


def bind(state: State, chat: int, shop: str, kind: str, title: str, by: int) -> None:
    """The chat speaks about `shop` from now on; its language and subscription stay."""
    values = {"shop": shop, "kind": kind, "title": title, "active": True, "bound_by": by, "at": state.now()}
    bound = state.insert(t.chats).values(id=chat, **values)
    with state.transaction() as connection:
        connection.execute(bound.on_conflict_do_update(index_elements=["id"], set_=values))


def chat(state: State, chat: int) -> Chat | None:
    """None when it is bound to no shop. A group's id from before its move finds the group as it is now."""
    rows = state.rows(select(*_CHAT).where(t.chats.c.id == t.current_chat(chat)))
    return Chat(**rows[0]._mapping) if rows else None


def chats(state: State, shop: str | None = None) -> list[Chat]:
    found = select(*_CHAT).order_by(t.chats.c.at, t.chats.c.id)
    if shop is not None:
        found = found.where(t.chats.c.shop == shop)
    return [Chat(**r._mapping) for r in state.rows(found)]


def set_lang(state: State, chat: int, lang: str | None) -> None:
    state.write(update(t.chats).where(t.chats.c.id == chat).values(lang=lang))


def set_active(state: State, chat: int, active: bool) -> None:
    state.write(update(t.chats).where(t.chats.c.id == chat).values(active=active))


def move(state: State, old: int, new: int) -> None:
    """The group `old` is the supergroup `new` now. Doing it twice, or from two workers, changes nothing more.

    Where `new` was bound already, its own binding and subscription stay. A send already in the ledger for `new` stays
    too, and the row of `old` remains as history.
    """
    if old == new:
        return
    both = t.ledger.alias()
    sent_there = exists().where(
        both.c.campaign == t.ledger.c.campaign,
        both.c.day == t.ledger.c.day,
        both.c.kind == t.ledger.c.kind,
        both.c.chat == new,
    )
    bound = exists().where(t.chats.c.id == new)
    subscribed = exists().where(t.subscriptions.alias().c.chat == new)
    with state.transaction() as connection:
        moved = state.insert(t.moves).values(old=old, new=new)
        connection.execute(moved.on_conflict_do_update(index_elements=["old"], set_={"new": new}))
        connection.execute(update(t.moves).where(t.moves.c.new == old).values(new=new))
        new_bound = connection.execute(select(bound)).scalar_one()
        if new_bound:
            of_old = update(t.subscriptions).where(t.subscriptions.c.chat == old, ~subscribed)
            connection.execute(of_old.values(chat=new))
            connection.execute(delete(t.chats).where(t.chats.c.id == old))
        else:  # subscriptions follow by their foreign key
            connection.execute(
                update(t.chats).where(t.chats.c.id == old).values(id=new, kind="supergroup", active=True)
            )
        for table in (t.answers, t.uploads, t.requests):
            connection.execute(update(table).where(table.c.chat == old).values(chat=new))
        connection.execute(update(t.ledger).where(t.ledger.c.chat == old, ~sent_there).values(chat=new))


def subscribe(state: State, chat: int, thread: int | None, at: str, by: int) -> bool:
    """A briefing every day at `at` ("HH:MM"), instead of an earlier one. False when the chat is bound to no shop."""
    values = {"thread": thread, "at": at, "by": by}
    columns = ["chat", *values]
    source = select(t.chats.c.id, *[literal(v, t.subscriptions.c[k].type) for k, v in values.items()])
    wanted = state.insert(t.subscriptions).from_select(columns, source.where(t.chats.c.id == chat))
    return state.write(wanted.on_conflict_do_update(index_elements=["chat"], set_=values)) > 0


def unsubscribe(state: State, chat: int) -> bool:
    """Whether there was a subscription."""
    return state.write(delete(t.subscriptions).where(t.subscriptions.c.chat == chat)) > 0


def subscription(state: State, chat: int) -> Subscription | None:
    return next((s for s in _subscriptions(state, chat)), None)


def subscriptions(state: State) -> list[Subscription]:
    """Of all chats, those where the bot may not write included: `active` says so."""
    return _subscriptions(state, None)


def _subscriptions(state: State, chat: int | None) -> list[Subscription]:
    found = (
        select(t.subscriptions, t.chats.c.shop, t.chats.c.lang, t.chats.c.active)
        .join_from(t.subscriptions, t.chats)
        .order_by(t.subscriptions.c.at, t.subscriptions.c.chat)
    )
    if chat is not None:
        found = found.where(t.subscriptions.c.chat == t.current_chat(chat))
    return [Subscription(**r._mapping) for r in state.rows(found)]
