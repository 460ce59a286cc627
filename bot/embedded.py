"""The embedded chat model: deterministic, needs no key and no network, does the whole job.

It turns the interpretation that travels with the question into one tool call, and the tool's artifact into the answer's
text. It is a LangChain chat model, so the agent, the tools and the tests are the same as with any other model; what it does
not do as one: read a question by itself, call tools that are not ours, give structured output.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from bot import writer
from bot.answer import Clarify, Interpretation
from bot.understanding.checking import text_to_check
from bot.understanding.drafting import DraftWish
from bot.understanding.interpret import language
from tools.filters import split

NAME = "warroom-embedded"
# Keys in a HumanMessage's additional_kwargs.
INTERPRETATION = "interpretation"
DRAFT = "draft"
_CALL = "embedded-"  # its calls' ids begin so: results of another model's calls do not answer them


class EmbeddedModel(BaseChatModel):
    """Plans tool calls from an Interpretation and writes answers from tool artifacts. It costs no tokens.

    The standard parameters of chat models (temperature, stop, …) are accepted and change nothing: an answer is written whole.
    """

    @property
    def _llm_type(self) -> str:
        return NAME

    @property
    def model_name(self) -> str:
        return NAME

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": NAME}

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Of ours it calls only those that are bound, if any are; it knows their arguments, so names are enough."""
        return self.bind(tools=[_named(t) for t in tools], **kwargs)

    def with_structured_output(self, schema: Any, **kwargs: Any) -> NoReturn:
        """Not offered: it writes answers for people. The answer as data is what `bot.conversation.answer` returns."""
        raise NotImplementedError(
            f"{NAME} gives no structured output; bot.conversation.answer returns the answer as data"
        )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=respond(messages, _names(kwargs)))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """The same message a line at a time; a tool call comes whole."""
        message = respond(messages, _names(kwargs))
        *lines, last = message.text.splitlines(keepends=True) or [""]
        for line in lines:
            yield ChatGenerationChunk(message=AIMessageChunk(content=line))
        calls = [
            tool_call_chunk(name=c["name"], args=json.dumps(c["args"], ensure_ascii=False), id=c["id"], index=n)
            for n, c in enumerate(message.tool_calls)
        ]
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content=last,
                tool_call_chunks=calls,
                response_metadata=message.response_metadata,
                usage_metadata=message.usage_metadata,
                chunk_position="last",
            )
        )


def _named(tool: Any) -> dict[str, Any]:
    """A tool in the form in which LangChain binds tools. A BaseTool's arguments are left out: making their schema takes
    milliseconds each, for every call of the model."""
    if isinstance(tool, BaseTool):
        return {"type": "function", "function": {"name": tool.name, "description": tool.description}}
    return convert_to_openai_tool(tool)


def _names(kwargs: dict[str, Any]) -> frozenset[str] | None:
    """The names of the tools that are bound; None when none are."""
    bound = kwargs.get("tools")
    return None if bound is None else frozenset(str(t["function"]["name"]) for t in bound)


def respond(messages: Sequence[BaseMessage], bound: frozenset[str] | None = None) -> AIMessage:
    """A tool call for a fresh question, the written answer once its tool has answered.

    `bound`: the tools that may be called; None is any. A question that carries no interpretation is told where to ask.
    """
    asked = next((i for i in range(len(messages) - 1, -1, -1) if isinstance(messages[i], HumanMessage)), None)
    question = str(messages[asked].text) if asked is not None else ""
    extra = messages[asked].additional_kwargs if asked is not None else {}
    lang = str(extra.get("lang") or language(question))
    raw = extra.get(INTERPRETATION)
    if asked is None or raw is None:
        return _message(f"{writer.fixed('embedded.no_reading', lang)}\n{writer.fixed('answer.help', lang)}")
    what = Interpretation.model_validate(raw)
    clarify = Clarify.model_validate(extra["clarify"]) if extra.get("clarify") else None
    wish = DraftWish.model_validate(extra[DRAFT]) if extra.get(DRAFT) else None
    call = None if clarify else tool_call(what, question, wish)
    if call is None:
        return _message(writer.without_tool(what, clarify, lang, question))
    name, arguments = call
    later = messages[asked + 1 :]
    results = [m for m in later if isinstance(m, ToolMessage) and m.tool_call_id.startswith(_CALL)]
    if results and results[-1].artifact is not None:
        return _message(writer.write(results[-1].artifact, what, lang))
    if results:  # it did not run, for example because it does not take these arguments: the same call would fail again
        return _message(f"{writer.fixed('embedded.tool_failed', lang, tool=name)}\n{results[-1].text}".strip())
    if bound is not None and name not in bound:
        return _message(writer.fixed("embedded.no_tool", lang, tool=name))
    return _message("", {"name": name, "args": arguments, "id": f"{_CALL}{len(messages)}", "type": "tool_call"})


def _message(text: str, *calls: Any) -> AIMessage:
    return AIMessage(
        content=text,
        tool_calls=list(calls),
        response_metadata={"model_name": NAME},
        usage_metadata=UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0),
    )


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
    days = what.period or {}
    if what.intent == "phase":
        return "phase", {"campaign": what.campaign, "first": days.get("from"), "last": days.get("to")}
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
    if what.intent == "target":
        metric = next((m for m in what.metrics if m != "crowd_size"), None)
        return "target", {"metric": metric, "crowd": asked, "on": days.get("to"), "first": days.get("from")}
    if what.intent == "review":
        return "review", {"campaign": what.campaign, "first": days.get("from"), "last": days.get("to")}
    if what.intent == "plan":
        return "plan", {"crowd": asked, "on": what.period["to"] if what.period else None, "channel": what.channel}
    if what.intent == "crowd":
        return "crowd", {"crowds": crowds, "on": what.period["to"] if what.period else None}
    if what.intent == "metric" and what.period:
        only = what.channel if what.by == "channel" else None
        own = [f for f in what.filters if f.startswith(f"{what.by}:")]
        if what.by in ("item", "category") and len(own) == 1:  # the numbers of one item are those of its own acts
            rest = [f for f in what.filters if f not in own]
            crowds = filtered(what.model_copy(update={"filters": rest})) or ["all"]
            only = split(own[0])[1]
        return "metric", {
            "metric_keys": what.metrics,
            "crowds": crowds,
            "first": what.period["from"],
            "last": what.period["to"],
            "compare": what.compare,
            "by": what.by,
            "only": only,
        }
    if what.intent == "knowledge":
        return "search_playbooks", {
            "query": question,
            "crowds": crowds,
            "campaign": what.campaign,
            "phase": what.phase,
            "channel": what.channel,
            "metrics": what.metrics,
        }
    return None
