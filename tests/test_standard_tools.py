"""LangChain's standard suites on every tool that a model may call, as the agent gets it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, StructuredTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests
from pytest_socket import disable_socket

import tools
from bot.agent import as_tool
from bot.wiring import WarRoom
from tools.facts import ToolResult

NOW = datetime(2026, 6, 16, 10, 5)
# Arguments as a model would give them; a tool that is not here takes none.
EXAMPLES: dict[str, dict[str, Any]] = {
    "plan": {"crowd": "cart_unpaid"},
    "crowd": {"crowds": ["member", "cart_unpaid and not old"]},
    "metric": {
        "metric_keys": ["cart_users", "visit_to_cart_rate"],
        "crowds": ["member"],
        "first": "2026-06-15",
        "last": "2026-06-16",
        "compare": "previous_day",
    },
    "draft": {"channel": "sms", "crowd": "cart_unpaid", "style": ["shorter"]},
    "check_copy": {"text": "全网最低价，错过不再有", "channel": "push"},
    "calculate": {"expression": "f2 - f1"},
    "search_playbooks": {"query": "怎么唤醒沉睡老客", "crowds": ["old"]},
}


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Takes the place of the top rule of that name: an event loop talks to itself over a unix socket."""
    disable_socket(allow_unix_socket=True)


def example(name: str) -> dict[str, Any]:
    return EXAMPLES.get(name, {})


def runtime(room: WarRoom) -> ToolRuntime[Any, Any]:
    """What LangGraph fills in when the agent calls a tool: the question's Context, with facts that an earlier tool found."""
    context = room.context(NOW, "zh")
    for people in (1_832, 2_110):
        context.sheet.add("members", people, "people", f"SELECT {people}")
    return ToolRuntime(
        state={}, context=context, config={}, stream_writer=lambda _: None, tool_call_id="123", store=None
    )


class _EachTool:
    """The suites ask for these three; the fixture below runs them once a tool."""

    @pytest.fixture(autouse=True, params=tools.TOOLS, ids=lambda f: f.__name__)
    def _this(self, request: pytest.FixtureRequest, demo: WarRoom) -> None:
        self._function: Callable[..., ToolResult] = request.param
        self._runtime = runtime(demo)

    @property
    def tool_constructor(self) -> type[BaseTool] | BaseTool:
        return as_tool(self._function)

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {**example(self._function.__name__), "runtime": self._runtime}


class TestUnit(_EachTool, ToolsUnitTests):
    pass


class TestIntegration(_EachTool, ToolsIntegrationTests):
    pass


@pytest.fixture(params=tools.TOOLS, ids=lambda f: f.__name__)
def tool(request: pytest.FixtureRequest) -> StructuredTool:
    return as_tool(request.param)


def test_the_example_gives_a_result_and_words_for_a_model(tool: StructuredTool, demo: WarRoom) -> None:
    args = {**example(tool.name), "runtime": runtime(demo)}
    message = tool.invoke({"name": tool.name, "args": args, "id": "123", "type": "tool_call"})
    made = ToolResult.model_validate(message.artifact)
    assert made.kind != "refused"
    assert message.content
    assert all(f.display in message.content for f in made.facts if f.unit == "people")


def test_a_model_sees_what_it_may_give_and_not_what_the_run_brings(tool: StructuredTool) -> None:
    schema = tool.tool_call_schema.model_json_schema()  # type: ignore[union-attr]
    assert not {"runtime", "ctx"} & set(schema["properties"])
    assert set(example(tool.name)) <= set(schema["properties"])
    assert set(schema.get("required", [])) <= set(example(tool.name))
    for name, said in schema["properties"].items():
        assert name in tool.description, f"{tool.name} does not say what {name} is"
        assert {"type", "anyOf"} & set(said)
