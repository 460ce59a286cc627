"""LangChain's standard suites on the embedded model, and what else somebody expects who knows chat models.

Two properties and six expected failures say what it does not do: it calls the war room's own tools, out of an interpretation,
and no others, and it gives no structured output. Pictures, PDFs, audio and a recorded HTTP traffic do not apply.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from pytest_socket import disable_socket

import prompts
import tools
from bot.agent import as_tool
from bot.answer import Clarify, Interpretation
from bot.embedded import INTERPRETATION, NAME, EmbeddedModel, respond
from tools.facts import ToolResult

OWN_TOOLS = "It calls the war room's tools, out of an interpretation; it does not read the question for other people's."
UN_PAID = Interpretation(intent="plan", crowds=["cart_unpaid"])


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Takes the place of the top rule of that name: an event loop talks to itself over a unix socket."""
    disable_socket(allow_unix_socket=True)


class _Embedded:
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return EmbeddedModel

    @property
    def has_structured_output(self) -> bool:
        return False


class TestUnit(_Embedded, ChatModelUnitTests):
    pass


class TestIntegration(_Embedded, ChatModelIntegrationTests):
    @pytest.mark.xfail(reason=OWN_TOOLS, raises=AssertionError, strict=True)
    def test_tool_calling(self, model: BaseChatModel) -> None:
        super().test_tool_calling(model)

    @pytest.mark.xfail(reason=OWN_TOOLS, raises=AssertionError, strict=True)
    async def test_tool_calling_async(self, model: BaseChatModel) -> None:
        await super().test_tool_calling_async(model)

    @pytest.mark.xfail(reason=OWN_TOOLS, raises=AssertionError, strict=True)
    def test_bind_runnables_as_tools(self, model: BaseChatModel) -> None:
        super().test_bind_runnables_as_tools(model)

    @pytest.mark.xfail(reason=OWN_TOOLS, raises=AssertionError, strict=True)
    def test_tool_calling_with_no_arguments(self, model: BaseChatModel) -> None:
        super().test_tool_calling_with_no_arguments(model)

    @pytest.mark.xfail(reason=OWN_TOOLS, raises=AssertionError, strict=True)
    def test_agent_loop(self, model: BaseChatModel) -> None:
        super().test_agent_loop(model)

    @pytest.mark.xfail(reason=OWN_TOOLS, raises=AssertionError, strict=True)
    def test_unicode_tool_call_integration(self, model: BaseChatModel) -> None:  # type: ignore[override]
        super().test_unicode_tool_call_integration(model)


def question(what: Interpretation, text: str = "加购未付款的人今天怎么做", **extra: Any) -> HumanMessage:
    return HumanMessage(text, additional_kwargs={INTERPRETATION: what.model_dump(), "lang": "zh", **extra})


def result(call: AIMessage, artifact: ToolResult | None, content: str = "", status: str = "success") -> ToolMessage:
    return ToolMessage(
        content,
        tool_call_id=call.tool_calls[0]["id"],
        name=call.tool_calls[0]["name"],
        artifact=artifact.model_dump() if artifact else None,
        status=status,
    )


@pytest.fixture
def refused() -> ToolResult:
    return ToolResult(kind="refused", data={"message": "不认识人群「鬼」。", "hint": "可以问：会员、老客。"})


def test_it_says_what_it_is_and_costs_nothing() -> None:
    counted = UsageMetadataCallbackHandler()
    said = EmbeddedModel().invoke([question(UN_PAID)], config={"callbacks": [counted]})
    assert said.response_metadata["model_name"] == NAME
    assert counted.usage_metadata == {NAME: {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}
    assert EmbeddedModel()._identifying_params == {"model_name": NAME}
    with pytest.raises(NotImplementedError, match="structured"):
        EmbeddedModel().with_structured_output(Interpretation)


@pytest.mark.parametrize(
    "messages",
    [
        [question(UN_PAID)],
        [question(Interpretation(intent="help"))],
        [
            question(
                Interpretation(intent="metric"), clarify=Clarify(question="哪个？", options=["甲", "乙"]).model_dump()
            )
        ],
        [HumanMessage("hello")],
    ],
    ids=["call", "text", "question back", "not read"],
)
def test_chunks_add_up_to_the_message(messages: list[BaseMessage]) -> None:
    model = EmbeddedModel()
    whole = model.invoke(messages)
    streamed: AIMessageChunk | None = None
    for chunk in model.stream(messages):
        streamed = chunk if streamed is None else streamed + chunk
    assert streamed is not None
    assert whole.text or whole.tool_calls
    for other in (streamed, asyncio.run(model.ainvoke(messages))):
        assert other.content == whole.content
        assert other.tool_calls == whole.tool_calls
        assert other.usage_metadata == whole.usage_metadata
        assert other.response_metadata["model_name"] == NAME


def test_it_calls_what_is_bound_and_says_what_is_missing() -> None:
    everything = EmbeddedModel().bind_tools([as_tool(f) for f in tools.TOOLS])
    assert [c["name"] for c in everything.invoke([question(UN_PAID)]).tool_calls] == ["plan"]
    some = EmbeddedModel().bind_tools([as_tool(f) for f in tools.TOOLS if f.__name__ != "plan"])
    said = some.invoke([question(UN_PAID)])
    assert said.tool_calls == []
    assert said.text == prompts.text("embedded.no_tool", "zh", tool="plan")


def test_the_answer_is_written_from_its_own_calls_result(refused: ToolResult) -> None:
    asked = question(UN_PAID)
    call = respond([asked])
    assert respond([asked, call, result(call, refused)]).text == "不认识人群「鬼」。\n可以问：会员、老客。"
    foreign = AIMessage("", tool_calls=[{"name": "phase", "args": {}, "id": "call_9a", "type": "tool_call"}])
    again = respond([asked, foreign, result(foreign, refused)])
    assert [c["name"] for c in again.tool_calls] == ["plan"], (
        "what another model asked for is no answer to its own call"
    )
    history = [asked, foreign, result(foreign, refused), again]
    assert respond([*history, result(again, refused)]).text == "不认识人群「鬼」。\n可以问：会员、老客。"


def test_a_call_that_fails_is_told_and_not_repeated() -> None:
    asked = question(UN_PAID)
    call = respond([asked])
    said = respond([asked, call, result(call, None, "Error invoking tool: no such argument", "error")])
    assert said.tool_calls == []
    assert (
        said.text == f"{prompts.text('embedded.tool_failed', 'zh', tool='plan')}\nError invoking tool: no such argument"
    )


def test_only_the_last_question_counts_whatever_stands_around_it() -> None:
    blocks = HumanMessage(
        [{"type": "text", "text": "谢谢"}, {"type": "image", "base64": "aGk=", "mime_type": "image/png"}]
    )
    blocks.additional_kwargs = question(Interpretation(intent="smalltalk")).additional_kwargs
    before = [SystemMessage("Answer in French."), question(UN_PAID), AIMessage("…"), SystemMessage("And shortly.")]
    assert respond([*before, blocks]).text == prompts.text("answer.thanks", "zh")


@pytest.mark.parametrize(
    ("messages", "lang"),
    [
        ([HumanMessage("会员有多少")], "zh"),
        ([HumanMessage("How many members are there?")], "en"),
        ([HumanMessage([{"type": "text", "text": "How many members are there?"}])], "en"),
        ([question(UN_PAID), AIMessage("…"), HumanMessage("and now?")], "en"),
        ([SystemMessage("You are kind.")], "zh"),
        ([], "zh"),
    ],
    ids=["zh", "en", "blocks", "later", "no question", "nothing"],
)
def test_a_question_that_nobody_has_read_is_told_where_to_ask(messages: list[BaseMessage], lang: str) -> None:
    said = EmbeddedModel().invoke(messages)
    assert said.text.startswith(prompts.text("embedded.no_reading", lang))
    assert said.tool_calls == []
