"""The run of one answer by a language model: its deadline, what failed in it, and the middleware that watches every call.

An OpenAI-compatible client fails in ways of its own: a stream that ends early raises nothing, a time-out is per read and not
per answer, unreadable tool arguments end the agent with empty content. All of them become an `Unusable` with a reason here.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import openai
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain.agents.middleware.tool_call_limit import ToolCallLimitExceededError
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk
from langgraph.errors import GraphRecursionError

from knowledge.masking import masked

log = logging.getLogger(__name__)
_TRIES = 3
_PAUSE = 0.5  # s before the second try, doubled before each further one
_SPARE = 1.0  # s that must be left after a pause for the try to make sense
ANSWERED_BY = "answered_by"


class Unusable(Exception):
    """A model call came to nothing; `reason` is a key of the texts `trouble.*`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(detail or reason)


@dataclass
class Run:
    """One answer's attempt. `until` on the monotonic clock; `offered`: the tools that the model is told of; `failed`:
    (model, reason) of every call that came to nothing."""

    until: float
    failed: list[tuple[str, str]] = field(default_factory=list)
    offered: frozenset[str] = frozenset()
    heard: Callable[[str], None] | None = None
    arguments: dict[str, str] = field(default_factory=dict)  # of tool calls by their id, as they were written
    stopped: threading.Event = field(default_factory=threading.Event)

    def left(self) -> float:
        return self.until - time.monotonic()

    def check(self) -> None:
        """Raises Unusable once nobody waits for this run any more."""
        if self.stopped.is_set() or self.left() <= 0:
            raise Unusable("slow")


current: ContextVar[Run] = ContextVar("run")


def refuse_late(request: httpx.Request) -> None:
    """No request leaves for an answer that nobody waits for; none waits longer for a byte than its answer has time."""
    run = current.get(None)
    if run is not None:
        run.check()
        request.extensions["timeout"] = {k: max(0.1, run.left()) for k in ("connect", "read", "write", "pool")}


class Careful(AgentMiddleware):
    """Tries a call again where that helps and there is time, and lets no half reply pass for a whole one."""

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        run = current.get()
        request = request.override(tools=[t for t in request.tools if _name(t) in run.offered])
        name = str(getattr(request.model, "model_name", ""))
        pause = _PAUSE
        for attempt in range(1, _TRIES + 1):
            run.check()
            try:
                response = handler(request)
                _inspect(response.result, run.arguments)
                for message in response.result:
                    if isinstance(message, AIMessage):
                        message.additional_kwargs[ANSWERED_BY] = name
                return response
            except Exception as e:
                wait = max(pause, _asked_to_wait(e))
                if attempt == _TRIES or not _passes(e) or wait + _SPARE > run.left():
                    reason = reason_of(e)
                    log.warning("%s: %s (%s)", name, reason, masked(str(e))[:300])
                    run.failed.append((name, reason))
                    raise Unusable(reason) from e
                run.stopped.wait(wait)
                pause *= 2
        raise AssertionError("the last attempt returns or raises")


def _name(tool: Any) -> str:
    return str(tool["name"] if isinstance(tool, dict) else tool.name)


def _inspect(messages: list[BaseMessage], arguments: dict[str, str]) -> None:
    """Raises Unusable when the reply is none: cut short, without content, with a tool call that cannot be read.

    LangChain reads half an object of arguments as a whole one where it can, so they are read again as they were written.
    """
    reply = next((m for m in messages if isinstance(m, AIMessage)), None)
    if reply is None:
        raise Unusable("empty")
    if reply.response_metadata.get("finish_reason") not in ("stop", "tool_calls", "function_call"):
        raise Unusable("cut", f"finish_reason {reply.response_metadata.get('finish_reason')!r}")
    if reply.invalid_tool_calls:
        raise Unusable("malformed", str(reply.invalid_tool_calls[0].get("error")))
    for call in reply.tool_calls:
        try:
            json.loads(arguments.get(call["id"] or "") or "{}")
        except json.JSONDecodeError as e:
            raise Unusable("malformed", f"{call['name']}: {e}") from e
    if not reply.tool_calls and not reply.text.strip():
        raise Unusable("empty")


def _passes(error: Exception) -> bool:
    """Whether the same call may go better a moment later."""
    if isinstance(error, Unusable):
        return error.reason in ("cut", "empty", "malformed")
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    return isinstance(error, openai.APIConnectionError | httpx.TransportError | json.JSONDecodeError)


def _asked_to_wait(error: Exception) -> float:
    """Seconds of the Retry-After that came with a refusal, 0 without one."""
    if not isinstance(error, openai.APIStatusError):
        return 0.0
    said = error.response.headers.get("retry-after", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        return _PAUSE if not said else 60.0  # a date: no answer of ours waits for one


def reason_of(error: BaseException) -> str:
    """A key of the texts `trouble.*` for what went wrong."""
    if isinstance(error, Unusable):
        return error.reason
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return "slow"
    if isinstance(error, openai.RateLimitError):
        return "rate"
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError | openai.NotFoundError):
        return "refused"
    if isinstance(error, openai.APIStatusError):
        return "down"
    if isinstance(error, openai.APIConnectionError):
        return "unreachable" if any(isinstance(e, httpx.ConnectError) for e in _causes(error)) else "cut"
    if isinstance(error, httpx.TransportError | json.JSONDecodeError):
        return "cut"
    if isinstance(error, ModelCallLimitExceededError | ToolCallLimitExceededError | GraphRecursionError):
        return "loop"
    return "failed"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


class Listener(BaseCallbackHandler):
    """Hears every token: passes on the reply so far, keeps the arguments of tool calls as written, stops a drip in time."""

    raise_error = True

    def __init__(self, run: Run) -> None:
        self._run = run
        self._said: dict[UUID, str] = {}
        self._calls: dict[tuple[UUID, int | None], str] = {}  # a call's later chunks carry its place alone

    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: GenerationChunk | ChatGenerationChunk | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        self._run.check()
        if isinstance(chunk, ChatGenerationChunk) and isinstance(chunk.message, AIMessageChunk):
            for part in chunk.message.tool_call_chunks:
                key = self._calls.setdefault((run_id, part["index"]), part["id"] or "")
                self._run.arguments[key] = self._run.arguments.get(key, "") + (part["args"] or "")
        more = token if isinstance(token, str) else ""
        said = self._said[run_id] = self._said.get(run_id, "") + more
        if "\n" in more and self._run.heard is not None:
            self._run.heard(said[: said.rfind("\n")])
