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

INTERPRETATION = "interpretation"  # key in a HumanMessage's additional_kwargs


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
        call = None if clarify else tool_call(what, str(messages[asked].text))
        if call is None:
            return AIMessage(content=writer.without_tool(what, clarify, lang, str(messages[asked].text)))
        return AIMessage(
            content="", tool_calls=[{"name": call[0], "args": call[1], "id": "call-1", "type": "tool_call"}]
        )
    last = results[-1]
    if last.artifact is None:
        return AIMessage(content=str(last.text))
    return AIMessage(content=writer.write(last.artifact, what, lang))


def tool_call(what: Interpretation, question: str) -> tuple[str, dict[str, Any]] | None:
    """(tool, arguments) for an interpretation; None when no tool is needed."""
    if what.intent == "phase":
        return "phase", {}
    if what.intent == "plan":
        return "plan", {"crowd": " and ".join(what.crowds) or None}
    if what.intent == "crowd":
        return "crowd", {"crowds": what.crowds}
    if what.intent == "metric" and what.period:
        return "metric", {
            "metric_keys": what.metrics,
            "crowds": what.crowds,
            "first": what.period["from"],
            "last": what.period["to"],
            "compare": what.compare,
            "by": what.by,
        }
    if what.intent == "knowledge":
        return "search_playbooks", {"query": question}
    return None
