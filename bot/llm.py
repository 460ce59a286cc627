"""A language model holds the conversation: it picks the tools and phrases what they found. Nothing that it says is believed:
the facts are the tools', each numeral, quote and name is traced (bot/grounding.py), and whatever goes wrong, it is the
embedded model that answers."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

import prompts
from bot import grounding, writer
from bot.answer import Answer, Interpretation, Usage
from bot.embedded import INTERPRETATION, tool_call
from bot.model_run import ANSWERED_BY, Listener, Run, Unusable, current, reason_of
from bot.understanding.drafting import DraftWish
from bot.understanding.reading import MAX_LENGTH
from bot.understanding.said import summary
from knowledge import catalog
from knowledge.masking import masked
from tools.context import Context
from tools.errors import WarRoomError
from tools.facts import ToolResult

if TYPE_CHECKING:
    from bot.model_settings import ModelSettings

log = logging.getLogger(__name__)
_SHOWN_BEFORE = 4  # exchanges that the model is told of
_HEAD = 200  # characters of an earlier answer
_CJK = re.compile(r"[\u4e00-\u9fff]")
_LETTER = re.compile(r"[A-Za-z]")
_AS_WRITTEN = ("draft", "check", "brief", "review")  # results whose own words are the answer (agent._LAST_WORD)
# The tools that a model is told of, because each costs tokens: these, and one more where the question was read as its.
_OFFERED = ("phase", "plan", "crowd", "metric", "search_playbooks", "calculate", "draft")
_MORE = ("target", "review")
_INTENTS = {"search_playbooks": "knowledge", "check_copy": "check"}  # of tools that are not called like their intent


@dataclass(frozen=True)
class Told:
    """What came of an attempt: the answer with how its draft was wished, or the reason (of `trouble.*`) why there is none."""

    answer: Answer | None
    wish: DraftWish | None
    reason: str | None
    usage: Usage | None


def converse(
    agent: Any,
    settings: ModelSettings,
    ctx: Context,
    history: Sequence[BaseMessage],
    question: HumanMessage,
    said: Callable[[str], None] | None = None,
) -> Told:
    """The model's grounded answer to `question`, within the time for an answer. WarRoomError when a tool needs a person.

    `question` carries what the embedded understanding read (bot/embedded.py); `said` is told the lines that are traced as
    they come. `ctx` must be of this attempt alone.
    """
    usage = UsageMetadataCallbackHandler()
    what = Interpretation.model_validate(question.additional_kwargs[INTERPRETATION])
    offered = frozenset([*_OFFERED, *(name for name in _MORE if name == what.intent)])
    run = Run(until=time.monotonic() + settings.timeout, offered=offered)
    if said is not None:
        run.heard = lambda text: _pass_on(text, what, ctx, str(question.text), said)
    outcome: list[tuple[Answer, DraftWish | None] | BaseException] = []

    def attempt() -> None:
        current.set(run)
        try:
            messages = [_system(ctx, what, str(question.text)), *_before(history, ctx.lang), _asked(question)]
            outcome.append(_grounded(agent, ctx, messages, what, question, [Listener(run), usage]))
        except BaseException as e:
            outcome.append(e)

    # In a thread of its own: whatever the endpoint does, a person gets the embedded answer when the time is up.
    worker = threading.Thread(target=attempt, name="model", daemon=True)
    worker.start()
    worker.join(settings.timeout)
    run.stopped.set()
    spent = _usage(usage, settings)
    if not outcome:
        return Told(None, None, "slow", spent)
    if isinstance(outcome[0], BaseException):
        if isinstance(outcome[0], WarRoomError):
            raise outcome[0]
        reason = reason_of(outcome[0])
        if reason == "failed":
            log.error("the model's answer failed", exc_info=outcome[0])
        return Told(None, None, reason, spent)
    found, wish = outcome[0]
    if run.failed and found.model != settings.endpoints[0].name:
        first = prompts.text(f"trouble.{run.failed[0][1]}", ctx.lang)
        found = found.model_copy(
            update={"degraded": prompts.text("model.other", ctx.lang, why=first, model=found.model)}
        )
    return Told(found.model_copy(update={"usage": spent}), wish, None, spent)


# --- what the model is told --------------------------------------------------------------------------------------


def _system(ctx: Context, what: Interpretation, question: str) -> SystemMessage:
    """Who it is, where in the campaign we are, the rules, the catalogue's keys, and how the question was read."""
    lang = ctx.lang
    inside = ctx.inside
    phase = inside.phase_at(ctx.at.date()) if inside else None
    where = " · ".join([inside.name.get(lang), *([phase.name.get(lang)] if phase else [])]) if inside else ""
    call = tool_call(what, question)
    reading = summary(what, lang)
    if call is not None:
        arguments = {k: v for k, v in call[1].items() if v not in (None, [], "")}
        reading += f" → {call[0]}({json.dumps(arguments, ensure_ascii=False)})"
    return SystemMessage(
        prompts.text(
            "model.system",
            lang,
            shop=ctx.shop.name,
            now=ctx.at.strftime("%Y-%m-%d %H:%M"),
            where=where or prompts.text("model.no_campaign", lang),
            reading=reading,
            crowds=" ".join(catalog.crowds()),
            metrics=" ".join(catalog.metrics()),
        )
    )


def _asked(question: HumanMessage) -> HumanMessage:
    return HumanMessage(masked(str(question.text))[:MAX_LENGTH])


def _before(history: Sequence[BaseMessage], lang: str) -> list[BaseMessage]:
    """The conversation so far, short: what was asked, how it was read, how the answer began."""
    lines: list[str] = []
    for m in history:
        if isinstance(m, HumanMessage):
            raw = m.additional_kwargs.get(INTERPRETATION)
            read = summary(Interpretation.model_validate(raw), lang) if raw else ""
            lines.append(prompts.text("model.was_asked", lang, question=masked(str(m.text))[:_HEAD], reading=read))
        elif lines:
            lines[-1] += prompts.text("model.was_told", lang, head=masked(m.text.strip().partition("\n")[0])[:_HEAD])
    if not lines:
        return []
    told = "\n".join(lines[-_SHOWN_BEFORE:])
    return [SystemMessage(prompts.text("model.before", lang, exchanges=told))]


# --- what it answers ---------------------------------------------------------------------------------------------


def _grounded(
    agent: Any,
    ctx: Context,
    messages: list[BaseMessage],
    what: Interpretation,
    question: HumanMessage,
    callbacks: list[Any],
) -> tuple[Answer, DraftWish | None]:
    """The answer that holds nothing untraced, after at most one correction. Unusable("ungrounded") when there is none."""
    asked = len(messages)
    for corrected in (False, True):
        messages = agent.invoke({"messages": messages}, context=ctx, config={"callbacks": callbacks})["messages"]
        found, wish = _assembled(messages, asked, what, ctx)
        faults = _faults(found, str(question.text))
        if not faults:
            return found, wish
        log.warning("the model's answer holds what nothing stands behind: %s", masked(faults)[:500])
        if not corrected:
            messages = [*messages, HumanMessage(prompts.text("model.correct", ctx.lang, faults=faults))]
    raise Unusable("ungrounded")


def _assembled(
    messages: Sequence[BaseMessage], asked: int, what: Interpretation, ctx: Context
) -> tuple[Answer, DraftWish | None]:
    """The Answer of a finished run: facts of all its tools, the words of its last message."""
    called = {c["id"]: c for m in messages[asked:] if isinstance(m, AIMessage) for c in m.tool_calls}
    done = [
        (called[m.tool_call_id], ToolResult.model_validate(m.artifact))
        for m in messages[asked:]
        if isinstance(m, ToolMessage) and m.artifact is not None and m.tool_call_id in called
    ]
    useful = [(call, r) for call, r in done if r.kind != "refused"]
    what = read_from([dict(call) for call, _ in useful], what)
    last = messages[-1]
    by = next((m.additional_kwargs[ANSWERED_BY] for m in reversed(messages) if ANSWERED_BY in m.additional_kwargs), "")
    if useful and useful[-1][1].kind in _AS_WRITTEN:
        text = writer.write(useful[-1][1].model_dump(), what, ctx.lang)
    else:
        text = plain_markup(str(last.text))
    results = [r for _, r in useful]
    answer = Answer(
        text=text,
        lang="en" if ctx.lang == "en" else "zh",
        interpretation=what,
        facts=list(ctx.sheet.facts),
        citations=list(ctx.sheet.citations),
        actions=_once(a for r in results for a in r.actions),
        drafts=_once(d for r in results for d in r.drafts),
        charts=_once(c for r in results for c in r.charts),
        model=f"openai:{by}",
    )
    drafted = next((call["args"] for call, r in reversed(useful) if r.kind == "draft"), None)
    return answer, _wish(drafted)


def _once(entries: Any) -> list[Any]:
    """Without what the same tool gave twice: the later one counts."""
    return list({e.id: e for e in entries}.values())


def _wish(arguments: dict[str, Any] | None) -> DraftWish | None:
    if arguments is None:
        return None
    return DraftWish.model_validate({k: v for k, v in arguments.items() if k in DraftWish.model_fields and v})


def read_from(calls: Sequence[dict[str, Any]], what: Interpretation) -> Interpretation:
    """What the model's tool calls show it understood; `what`, the embedded reading, where they say nothing."""
    if not calls:
        return what
    last = calls[-1]["args"]
    intent = _INTENTS.get(calls[-1]["name"], calls[-1]["name"])
    if intent not in Interpretation.model_fields["intent"].annotation.__args__:  # type: ignore[union-attr]
        return what
    crowds: list[str] = []
    metrics: list[str] = []
    for call in calls:
        a = call["args"]
        crowds += [*_listed(a.get("crowds")), *_listed(a.get("crowd"))]
        metrics += _listed(a.get("metric_keys"))
    update: dict[str, Any] = {"intent": intent, "unused": []}
    if intent in ("metric", "crowd", "plan", "draft"):
        update |= {"crowds": list(dict.fromkeys(crowds)), "filters": []}
    if intent == "metric":
        first, end = last.get("first"), last.get("last")
        update |= {
            "metrics": list(dict.fromkeys(metrics)),
            "period": {"from": first, "to": end or first} if first else what.period,
            "compare": last.get("compare"),
            "by": last.get("by"),
        }
    if last.get("channel"):
        update["channel"] = last["channel"]
    return what.model_copy(update=update)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def plain_markup(text: str) -> str:
    """The reply in the markup that our front ends know: **bold** and lines. Headings become bold, bullets dots."""
    lines = []
    for line in text.strip().split("\n"):
        line = re.sub(r"^#{1,6}\s+\**(.+?)\**\s*$", r"**\1**", line.rstrip())
        line = re.sub(r"^(\s*)[-*+]\s+", r"\1· ", line)
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _faults(found: Answer, question: str) -> str:
    """What nothing stands behind, for the model to mend; empty when all is well."""
    lang = found.lang
    faults = [p.span for p in grounding.problems(found, masked(question))]
    said = [prompts.text("model.untraced", lang, spans=", ".join(dict.fromkeys(faults)))] if faults else []
    if foreign(found.text, lang):
        said.append(prompts.text("model.language", lang))
    return "\n".join(said)


def foreign(text: str, lang: str) -> bool:
    """Whether a text is in the other language; names and quotes of it are not."""
    own = re.sub(r"[「“\"《][^」”\"》]*[」”\"》]", "", text)
    chinese, letters = len(_CJK.findall(own)), len(_LETTER.findall(own))
    return chinese * 8 < letters if lang == "zh" else chinese * 2 > letters


def _pass_on(text: str, what: Interpretation, ctx: Context, question: str, said: Callable[[str], None]) -> None:
    """The finished lines of a reply in the making, unless one is untraced: nothing untraced is shown, not for a second."""
    draft = Answer(
        text=plain_markup(text),
        lang="en" if ctx.lang == "en" else "zh",
        interpretation=what,
        facts=list(ctx.sheet.facts),
        citations=list(ctx.sheet.citations),
    )
    if not _faults(draft, question):
        said(draft.text)


def _usage(counted: UsageMetadataCallbackHandler, settings: ModelSettings) -> Usage | None:
    """Tokens of all calls of an answer whose endpoint told them."""
    found = list(counted.usage_metadata.values())
    if not found:
        return None
    sent, made = sum(u["input_tokens"] for u in found), sum(u["output_tokens"] for u in found)
    return Usage(input_tokens=sent, output_tokens=made, cost=settings.cost(sent, made))


def fresh(ctx: Context) -> Context:
    """The same surroundings with no facts yet: an attempt that failed leaves nothing behind."""
    return replace(ctx, sheet=ctx.sheet.empty())
