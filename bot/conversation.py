"""The only door that every front end uses: `answer(room, Question) -> Answer`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

import prompts
from bot import grounding, writer
from bot.agent import compact, forget_steps
from bot.answer import Answer, Clarify, Interpretation, Usage
from bot.documented import documented
from bot.embedded import DRAFT, INTERPRETATION
from bot.recall import recall
from bot.understanding import interpret
from bot.understanding.drafting import DraftWish
from bot.understanding.interpret import language
from bot.understanding.reading import MAX_LENGTH
from bot.understanding.replies import chosen, leaned_on, of_step
from bot.understanding.said import summary
from bot.wiring import WarRoom
from knowledge.masking import masked
from tools.context import Context
from tools.facts import ToolResult

if TYPE_CHECKING:
    from bot.llm import Told

STEPS = "steps"  # a question's remembered: whose the actions of its answer were
# What has one right form, so that no language model is asked: refusals, help, the verdict on a copy, the briefing.
_FIXED = ("unsupported", "help", "check", "brief")


@dataclass(frozen=True)
class About:
    """What an earlier answer was about: its interpretation, and how its draft was wished."""

    interpretation: Interpretation
    wish: DraftWish | None = None


@dataclass(frozen=True)
class Question:
    """`as_of` overrides the shop's clock; `session` names a conversation that is remembered; `lang` auto, zh or en; `about` is
    what was understood before, where that is not the session's last question (a button under an older answer)."""

    text: str
    as_of: datetime | None = None
    session: str | None = None
    lang: str = "auto"
    about: About | None = None


def answer(room: WarRoom, question: Question, said: Callable[[str], None] | None = None) -> Answer:
    """The grounded answer to one question. NeedsPerson when the shop's data cannot be opened.

    `said` is told, before anything is computed, what was understood.
    """
    began = time.perf_counter()
    lang = language(question.text) if question.lang == "auto" else question.lang
    ctx = room.context(question.as_of, lang)
    refusal = _unreadable(question.text, lang)
    if refusal is not None:
        return refusal.model_copy(update={"elapsed_ms": _ms(began)})
    history = _history(room, question.session)
    previous, options_shown, drafted = _previous(history, question.text)
    if question.about is not None:
        previous, drafted = question.about.interpretation, question.about.wish
    text_asked = chosen(question.text, options_shown)
    if not options_shown and question.about is None:
        text_asked, previous = of_step(text_asked, previous, _steps(history))
    understood = interpret(
        text_asked,
        previous,
        lexicon=room.lexicon,
        now=ctx.at,
        campaigns=room.shop.campaigns,
        lang=lang,
        drafted=drafted,
        picked=text_asked in options_shown,
    )
    what, clarify = understood.interpretation, understood.clarify
    if clarify is None:
        what = documented(room, ctx, text_asked, what)
    if said is not None and clarify is None:
        said(summary(what, lang))
    message = HumanMessage(
        content=question.text,
        additional_kwargs={
            INTERPRETATION: what.model_dump(),
            "lang": lang,
            "clarify": clarify.model_dump() if clarify else None,
            DRAFT: understood.draft.model_dump() if understood.draft else None,
        },
    )
    found, degraded, usage = None, None, None
    if room.model is not None and clarify is None and what.intent not in _FIXED:
        told = _conversed(room, ctx, history, message, question.session or "", said)
        found, degraded, usage = told.answer, told.reason, told.usage
        if found is not None:
            kept = {INTERPRETATION: found.interpretation.model_dump()}
            wished = {DRAFT: told.wish.model_dump()} if told.wish else {}
            message = _noting(message, kept | wished)
    if found is None:
        found = recall(room, ctx, message, lambda: _computed(room, ctx, history, message, what, clarify))
    if degraded is not None:
        found = _instead(found, degraded, usage)
    if found.actions:
        message = _noting(message, {STEPS: [a.crowd for a in found.actions]})
    if question.session:
        _remember(room, question.session, [*history, _kept(message), AIMessage(content=found.text)])
    return found.model_copy(update={"elapsed_ms": _ms(began)})


def _conversed(
    room: WarRoom,
    ctx: Context,
    history: list[BaseMessage],
    message: HumanMessage,
    session: str,
    said: Callable[[str], None] | None,
) -> Told:
    """What came of asking the language model, within the chat's budget of the day; what it cost is noted."""
    from bot.llm import Told, converse, fresh

    assert room.model
    shop, day = room.shop.root.resolve().name, room.shop.now().date().isoformat()
    if room.model.budget is not None and room.state.spent_today(shop, session, day) >= room.model.budget:
        return Told(None, None, "budget", None)
    told = converse(room.conversing_agent, room.model, fresh(ctx), history, message, said)
    if told.usage is not None:
        by = told.answer.model if told.answer else room.model.endpoints[0].name
        u = told.usage
        room.state.spend(shop, session, day, by, u.input_tokens, u.output_tokens, u.cost or 0.0)
    return told


def _instead(found: Answer, reason: str, usage: Usage | None) -> Answer:
    """The embedded model's answer, with why it was not the language model's."""
    why = prompts.text("model.instead", found.lang, why=prompts.text(f"trouble.{reason}", found.lang))
    degraded = f"{why} {found.degraded}" if found.degraded else why
    text = f"{found.text}\n\n{why}"
    return found.model_copy(update={"text": text, "degraded": degraded, "usage": usage})


def _noting(message: HumanMessage, more: dict[str, Any]) -> HumanMessage:
    """A question with more noted beside it for those that follow."""
    return message.model_copy(update={"additional_kwargs": {**message.additional_kwargs, **more}})


def _kept(message: HumanMessage) -> HumanMessage:
    """A question as it is remembered: without phone numbers and alike."""
    return message.model_copy(update={"content": masked(str(message.text))})


def _computed(
    room: WarRoom,
    ctx: Context,
    history: list[BaseMessage],
    message: HumanMessage,
    what: Interpretation,
    clarify: Clarify | None,
) -> Answer:
    """The agent's answer, grounded."""
    state = room.agent.invoke({"messages": [*history, message]}, context=ctx)
    result = _result(state["messages"])
    if result is not None and result.kind == "knowledge" and not result.data["passages"]:
        what = what.model_copy(update={"intent": "unsupported"})
    draft = Answer(
        text=str(state["messages"][-1].text),
        lang="en" if ctx.lang == "en" else "zh",
        interpretation=what,
        facts=result.facts if result else [],
        citations=result.citations if result else [],
        actions=result.actions if result else [],
        drafts=result.drafts if result else [],
        charts=result.charts if result else [],
        clarify=clarify,
    )
    return grounded(draft, str(message.text), ctx.lang)


def wish_of(room: WarRoom, session: str) -> DraftWish | None:
    """How the session's last draft was wished, for the buttons under it."""
    return _previous(_history(room, session), "")[2]


def _history(room: WarRoom, session: str | None) -> list[BaseMessage]:
    """The questions and answers of a session so far."""
    if session is None:
        return []
    values = room.remembering_agent.get_state(_thread(session)).values
    return list(values.get("messages", []))


def _remember(room: WarRoom, session: str, messages: list[BaseMessage]) -> None:
    agent = room.remembering_agent
    agent.update_state(_thread(session), {"messages": compact(messages)})
    forget_steps(agent.checkpointer, session)


def _thread(session: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": session}}


def forget(room: WarRoom, session: str) -> None:
    """The session's next question starts afresh."""
    room.remembering_agent.checkpointer.delete_thread(session)


def grounded(draft: Answer, question: str, lang: str) -> Answer:
    """The answer with every line that holds an untraced numeral taken out (rule 1); `degraded` says so."""
    problems = grounding.problems(draft, question)
    if not problems:
        return draft
    bad = {p.line for p in problems}
    kept = [line for i, line in enumerate(draft.text.split("\n")) if i not in bad]
    text = "\n".join([*kept, writer.fixed("answer.withheld", lang)]).strip()
    spans = ", ".join(sorted({p.span for p in problems}))
    return draft.model_copy(update={"text": text, "degraded": prompts.text("model.trace", draft.lang, spans=spans)})


def _unreadable(text: str, lang: str) -> Answer | None:
    """A clear short answer for what is no question: nothing at all, or a whole document."""
    if not text.strip():
        code = "empty_question"
    elif len(text) > MAX_LENGTH:
        code = "too_long"
    else:
        return None
    words = f"{writer.fixed(f'error.{code}', lang)}\n{writer.fixed(f'hint.{code}', lang)}"
    return Answer(text=words, lang="en" if lang == "en" else "zh", interpretation=Interpretation(intent="unsupported"))


def _previous(history: list[BaseMessage], text: str) -> tuple[Interpretation | None, list[str], DraftWish | None]:
    """What was understood before that `text` leans on, the options that were just asked back, and how its draft was wished."""
    said = [m.additional_kwargs for m in history if isinstance(m, HumanMessage)]
    asked_back = (said[-1].get("clarify") or {}).get("options", []) if said else []
    understood = [
        (Interpretation.model_validate(raw), DraftWish.model_validate(wish) if (wish := s.get(DRAFT)) else None)
        for s in said
        if (raw := s.get(INTERPRETATION))
    ]
    previous, wished = leaned_on(text, understood)
    return previous, list(asked_back), wished


def _steps(history: list[BaseMessage]) -> list[str | None]:
    """Whose the actions of the last plan of a session were, in the order shown; None for one of nobody."""
    plans = (m.additional_kwargs[STEPS] for m in reversed(history) if STEPS in m.additional_kwargs)
    return list(next(plans, []))


def _result(messages: list[Any]) -> ToolResult | None:
    """The result of the tool that was called for the last question."""
    for m in reversed(messages):
        if isinstance(m, HumanMessage):
            return None
        if isinstance(m, ToolMessage) and m.artifact is not None:
            return ToolResult.model_validate(m.artifact)
    return None


def _ms(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
