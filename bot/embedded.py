"""The embedded chat model: deterministic, needs no key and no network, does the whole job.

It turns the interpretation that travels with the question into one tool call, and the tool's artifact into the answer's
text. It is a LangChain chat model, so the agent, the tools and the tests are the same as with any other model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from bot import writer
from bot.answer import Clarify, Interpretation
from bot.understanding.drafting import DraftWish, text_to_check

# Keys in a HumanMessage's additional_kwargs.
INTERPRETATION = "interpretation"
DRAFT = "draft"


class EmbeddedModel(BaseChatModel):
    """Plans tool calls from an Interpretation and writes answers from tool artifacts."""

    @property
    def _llm_type(self) -> str:
        return "warroom-embedded"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> EmbeddedModel:
        """The tools are known by name; nothing has to be bound."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=respond(messages))])


def respond(messages: Sequence[BaseMessage]) -> AIMessage:
    """A tool call for a fresh question, the written answer once its tool has answered."""
    asked = next((i for i in range(len(messages) - 1, -1, -1) if isinstance(messages[i], HumanMessage)), None)
    if asked is None:
        return AIMessage(content="")
    extra = messages[asked].additional_kwargs
    lang = str(extra.get("lang", "zh"))
    raw = extra.get(INTERPRETATION)
    if raw is None:
        return AIMessage(content=writer.fixed("answer.help", lang))
    what = Interpretation.model_validate(raw)
    clarify = Clarify.model_validate(extra["clarify"]) if extra.get("clarify") else None
    results = [m for m in messages[asked + 1 :] if isinstance(m, ToolMessage)]
    if not results:
        wish = DraftWish.model_validate(extra[DRAFT]) if extra.get(DRAFT) else None
        call = None if clarify else tool_call(what, str(messages[asked].text), wish)
        if call is None:
            return AIMessage(content=writer.without_tool(what, clarify, lang, str(messages[asked].text)))
        return AIMessage(
            content="", tool_calls=[{"name": call[0], "args": call[1], "id": "call-1", "type": "tool_call"}]
        )
    last = results[-1]
    return AIMessage(content=writer.write(last.artifact, what, lang))


def filtered(what: Interpretation) -> list[str]:
    """The crowds with the filters put on each; filters alone are a crowd of their own."""
    if not what.filters:
        return what.crowds
    columns: dict[str, list[str]] = {}
    for f in what.filters:
        columns.setdefault(f.removeprefix("not ").partition(":")[0], []).append(f)
    several = next((found for found in columns.values() if len(found) > 1 and not found[0].startswith("not ")), None)
    if several:  # 上海和北京: nobody lives in both, so each is shown on its own
        others = [f for f in what.filters if f not in several]
        return [c for f in several for c in filtered(what.model_copy(update={"filters": [f, *others]}))]
    conditions = " and ".join(what.filters)
    by_level = any(f.startswith("member_level:") for f in what.filters)
    # Whoever has a level is a member; everybody is in the shop.
    implied = {"all", "member"} if by_level else {"all"}
    return [f"({c}) and {conditions}" for c in what.crowds if c not in implied] or [conditions]


def tool_call(what: Interpretation, question: str, wish: DraftWish | None = None) -> tuple[str, dict[str, Any]] | None:
    """(tool, arguments) for an interpretation; None when no tool is needed. `wish`: how a draft is to be."""
    if what.intent == "phase":
        return "phase", {"campaign": what.campaign}
    if what.intent == "brief":
        return "brief", {}
    crowds = filtered(what)
    asked = " or ".join(f"({c})" for c in crowds) if len(crowds) > 1 else next(iter(crowds), None)
    if what.intent == "draft" and asked:
        extra = wish.model_dump(exclude_none=True, exclude={"adds"}) if wish else {}
        return "draft", {"channel": what.channel or "sms", "crowd": asked, **extra}
    if what.intent == "check":
        checked = text_to_check(question)
        return ("check_copy", {"text": checked[1], "channel": what.channel}) if checked else None
    if what.intent == "plan":
        return "plan", {"crowd": asked, "on": what.period["to"] if what.period else None}
    if what.intent == "crowd":
        return "crowd", {"crowds": crowds, "on": what.period["to"] if what.period else None}
    if what.intent == "metric" and what.period:
        return "metric", {
            "metric_keys": what.metrics,
            "crowds": crowds,
            "first": what.period["from"],
            "last": what.period["to"],
            "compare": what.compare,
            "by": what.by,
            "only": what.channel if what.by == "channel" else None,
        }
    if what.intent == "knowledge":
        return "search_playbooks", {
            "query": question,
            "crowds": crowds,
            "campaign": what.campaign,
            "phase": what.phase,
            "channel": what.channel,
        }
    return None
