"""What stands under an answer, when it is tapped. A button works for who may ask about that shop, in the chat it stands in,
for as long as its answer is kept; it survives restarts because all it means is in the state."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from telegram import CallbackQuery, Update
from telegram.error import TelegramError

from bot import exports
from bot.answer import Answer
from bot.conversation import About
from bot.state import Saved
from bot.telegram import keyboards
from bot.telegram.access import Asker, missing_role, person_lang, role_in
from bot.telegram.choices import CHOICES
from bot.telegram.kept import unpack
from bot.telegram.outgoing import send_chart, send_people, send_table
from bot.telegram.questions import reply
from bot.telegram.sender import Gone, Unknown
from bot.telegram.war import Context, War, say, war
from tools.metrics import BY

log = logging.getLogger(__name__)
KEPT = 7 * 86400  # seconds for which an answer's buttons work


@dataclass(frozen=True)
class Tap:
    """One tap on a button of a kept answer."""

    w: War
    query: CallbackQuery
    who: Asker
    saved: Saved
    answer: Answer
    about: About
    token: str
    detail: str
    message_id: int

    @property
    def fresh(self) -> str:
        """A token for what comes out of this tap."""
        return keyboards.token_for(self.token, self.query.id)

    async def noted(self, text: str | None = None, *, alert: bool = False) -> None:
        await self.w.sender.tapped(self.query.id, text, alert=alert)

    async def may(self, role: str) -> bool:
        """Whether the person has the role; if not, a note over the chat says so to them alone."""
        if self.who.may(role):
            return True
        await self.noted(missing_role(self.who, role), alert=True)
        return False

    async def ask(self, text: str) -> None:
        """A question about what the tapped answer is about, whatever the chat has talked about since."""
        await self.noted()
        await reply(
            self.w, self.who, text, self.fresh, reply_to=self.message_id, lang=self.answer.lang,
            about=self.about,
        )  # fmt: skip

    async def tell(self, text: str) -> None:
        await self.w.sender.text(self.who.chat, text, thread=self.who.thread, reply_to=self.message_id)


async def on_tap(update: Update, context: Context) -> None:
    """Find what the button stands for, whether this person may use it, and do it. Every tap is answered."""
    w, query = war(context), update.callback_query
    if query is None:
        return
    kind, _, rest = (query.data or "").partition(":")
    bound = await w.db(w.state.chat, query.message.chat.id) if query.message is not None else None
    lang = (bound.lang if bound is not None else None) or person_lang(query.from_user)
    if kind in CHOICES:
        await CHOICES[kind](w, query, rest, lang)
        return
    token, _, detail = rest.partition(":")
    saved = await w.db(w.state.answer, token) if kind in _HANDLERS else None
    offered = detail in _DETAILS.get(kind, (detail,))  # what a tap carries need not come from a button of ours
    if saved is None or query.message is None or time.time() - saved.created > KEPT or not offered:
        await w.sender.tapped(query.id, say("tap.expired", lang), alert=True)
        return
    # A draft may be up for approval in an admin's private chat; everything else belongs to the chat it stands in.
    if saved.chat != query.message.chat.id and kind not in _DECISIONS:
        log.warning("person %s tapped a button of another chat", query.from_user.id)
        await w.sender.tapped(query.id, say("tap.foreign", lang), alert=True)
        return
    role = await role_in(w, query.from_user.id, saved.shop)
    if role is None or saved.shop not in w.rooms.keys:
        await w.sender.tapped(query.id, say("tap.stranger", lang), alert=True)
        return
    if bound is not None and bound.shop != saved.shop and kind not in _DECISIONS:
        await w.sender.tapped(query.id, say("tap.other_shop", lang), alert=True)
        return
    who = Asker(query.from_user.id, query.from_user.full_name, saved.shop, role, saved.chat, saved.thread, lang)
    await _HANDLERS[kind](Tap(w, query, who, saved, *unpack(saved.answer), token, detail, query.message.message_id))


async def _option(tap: Tap) -> None:
    """The reading that was meant, after a question back."""
    clarify = tap.answer.clarify
    if clarify is None or not tap.detail.isdecimal() or int(tap.detail) >= len(clarify.options):
        await tap.noted(say("tap.expired", tap.who.lang), alert=True)
        return
    await tap.w.sender.unbutton(tap.who.chat, tap.message_id)
    await tap.ask(clarify.options[int(tap.detail)])


async def _draft(tap: Tap) -> None:
    lang = tap.answer.lang
    await tap.ask(say("question.draft_button", lang, channel=say(f"channel.{tap.detail}", lang)))


async def _redo(tap: Tap) -> None:
    """Change the last draft: shorter, without emoji, for another channel."""
    await tap.ask(say(f"question.redo_{tap.detail}", tap.answer.lang))


async def _views(tap: Tap) -> None:
    await tap.noted()
    await tap.w.sender.text(
        tap.who.chat,
        say("telegram.which_view", tap.answer.lang),
        thread=tap.who.thread,
        reply_to=tap.message_id,
        keyboard=keyboards.views(tap.token, tap.answer.lang),
    )


async def _by(tap: Tap) -> None:
    await tap.ask(say(f"question.by_{tap.detail}", tap.answer.lang))


async def _why(tap: Tap) -> None:
    """The numbers with their data time, the citations with their quotes, and the queries as a file."""
    await tap.noted()
    lang = tap.answer.lang
    await tap.tell(exports.sources_text(tap.answer, lang))
    queries = exports.queries_file(tap.answer)
    if queries:
        caption = say("telegram.queries", lang)
        await tap.w.sender.document(tap.who.chat, "queries.sql", queries, caption, thread=tap.who.thread)


async def _chart(tap: Tap) -> None:
    await tap.noted()
    await send_chart(tap.w, tap.who, tap.answer, reply_to=tap.message_id)


async def _table(tap: Tap) -> None:
    """The numbers of a metrics answer as a file, for operators."""
    if not await tap.may("operator"):
        return
    await tap.noted()
    await send_table(tap.w, tap.who, tap.answer, reply_to=tap.message_id)


async def _export(tap: Tap) -> None:
    """The people as a file, for operators, sent to them alone: a group's other members may not see it."""
    if await tap.may("operator"):
        await tap.noted()
        await send_people(tap.w, tap.who, tap.answer, reply_to=tap.message_id)


async def _feedback(tap: Tap, value: int) -> None:
    await tap.w.db(tap.w.state.feedback, tap.token, tap.who.person, value)
    await tap.noted(say("tap.thanks" if value > 0 else "tap.sorry", tap.who.lang))


async def _good(tap: Tap) -> None:
    await _feedback(tap, 1)


async def _bad(tap: Tap) -> None:
    await _feedback(tap, -1)


async def _submit(tap: Tap) -> None:
    """Hand the drafts in for approval. An admin decides in the same group; from a private chat the admins are asked."""
    if not await tap.may("operator"):
        return
    new = await tap.w.db(tap.w.state.submit, tap.token, tap.token, tap.who.shop, tap.who.person)
    if not new:
        await tap.noted(say("tap.submitted_before", tap.who.lang), alert=True)
        return
    await tap.w.db(tap.w.state.audit, tap.who.person, tap.who.shop, "submit", {"draft": tap.token})
    await tap.noted(say("tap.submitted", tap.who.lang))
    if tap.who.chat == tap.who.person and not tap.who.may("admin"):
        await _ask_admins(tap)
        return
    await tap.w.sender.text(
        tap.who.chat,
        say("telegram.to_approve", tap.who.lang, name=tap.who.name),
        thread=tap.who.thread,
        reply_to=tap.message_id,
        keyboard=keyboards.decision(tap.token, tap.who.lang),
    )


async def _ask_admins(tap: Tap) -> None:
    """The draft to every admin of the shop in private; its sender is told when none can be reached."""
    w, who = tap.w, tap.who
    granted = {g.person for g in await w.db(w.state.people, who.shop) if g.role == "admin"}
    head = say("telegram.to_approve_for", who.lang, name=who.name, shop=w.rooms.name(who.shop))
    reached = 0
    for admin in sorted(granted | w.settings.owners):
        try:
            await w.sender.text(admin, f"{head}\n\n{tap.answer.text}", keyboard=keyboards.decision(tap.token, who.lang))
            reached += 1
        except (TelegramError, Gone, Unknown) as e:
            log.warning("admin %s cannot be asked: %s", admin, e)
    await tap.tell(say("telegram.admins_asked" if reached else "telegram.no_admin_reached", who.lang))


async def _decide(tap: Tap, approved: bool) -> None:
    if not await tap.may("admin"):
        return
    if not await tap.w.db(tap.w.state.decide, tap.token, tap.who.person, approved):
        await tap.noted(say("tap.decided_before", tap.who.lang), alert=True)
        return
    await tap.w.db(
        tap.w.state.audit, tap.who.person, tap.who.shop, "approve" if approved else "return", {"draft": tap.token}
    )
    await tap.noted()
    w, said = tap.w, say("telegram.approved" if approved else "telegram.returned", tap.who.lang, name=tap.who.name)
    here = tap.query.message.chat.id if tap.query.message is not None else tap.who.chat
    await w.sender.unbutton(here, tap.message_id)
    if here == tap.who.chat:
        await tap.tell(said)
        return
    await w.sender.text(here, said, reply_to=tap.message_id)
    await w.sender.text(tap.who.chat, said, thread=tap.who.thread, reply_to=tap.saved.message_id)


async def _approve(tap: Tap) -> None:
    await _decide(tap, True)


async def _return(tap: Tap) -> None:
    await _decide(tap, False)


_DECISIONS = ("yes", "no")
_DETAILS = {"draft": ("sms", "group"), "redo": ("shorter", "no_emoji", "group", "sms"), "by": BY}
_HANDLERS: dict[str, Callable[[Tap], Awaitable[None]]] = {
    "opt": _option,
    "draft": _draft,
    "redo": _redo,
    "views": _views,
    "by": _by,
    "why": _why,
    "chart": _chart,
    "table": _table,
    "export": _export,
    "good": _good,
    "bad": _bad,
    "submit": _submit,
    "yes": _approve,
    "no": _return,
}
