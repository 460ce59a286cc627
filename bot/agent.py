"""The one agent: LangChain's create_agent over the tools of `tools.TOOLS`. The only caller of create_agent."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, cast, get_args, get_type_hints

from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage
from langchain_core.tools import StructuredTool
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from pydantic import TypeAdapter, WithJsonSchema

import prompts
import tools
from bot import writer
from bot.answer import Interpretation
from bot.embedded import EmbeddedModel
from bot.model_settings import Endpoint
from knowledge.masking import masked
from tools.context import Context
from tools.errors import AskAgain, NeedsPerson
from tools.facts import ToolResult
from tools.lines import literal

KEPT_EXCHANGES = 10
_MODEL_CALLS, _TOOL_CALLS = 6, 8  # of a language model in one attempt; a question needs two and one to three
# Tools whose result is the answer: a model's words would not be checked copy.
_LAST_WORD = ("draft", "check_copy", "brief")
_COUNTABLE = ("people", "CNY", "ratio", "points", "count", "hours", "days")
log = logging.getLogger(__name__)
_CONNECT_SECONDS = 5.0
_PROBE_SECONDS = 10.0
_SAID = 200  # characters of an endpoint's own words
_SETUP_LOCK = 0x57415253  # the advisory lock under which the tables of the memory are made
_RUNTIME = ToolRuntime[Any, Any]


def build(checkpointer: Any = None) -> Any:
    """The compiled agent with the embedded model. With a checkpointer it must be invoked with a thread id."""
    return create_agent(
        EmbeddedModel(),
        tools=[as_tool(f, worded=False) for f in tools.TOOLS],
        context_schema=Context,
        checkpointer=checkpointer,
    )


def build_conversing(endpoints: Sequence[Endpoint]) -> Any:
    """The compiled agent with language models: the first endpoint's, the next one's where a call to it came to nothing.

    To be invoked inside a `bot.model_run.Run`.
    """
    from langchain.agents.middleware import ModelCallLimitMiddleware, ModelFallbackMiddleware, ToolCallLimitMiddleware

    from bot.model_run import Careful

    models = [_chat_model(e) for e in endpoints]
    fallback = [ModelFallbackMiddleware(*models[1:])] if len(models) > 1 else []
    watched: list[Any] = [
        *fallback,
        Careful(),
        ModelCallLimitMiddleware(run_limit=_MODEL_CALLS, exit_behavior="error"),
        ToolCallLimitMiddleware(run_limit=_TOOL_CALLS, exit_behavior="error"),
    ]
    return create_agent(
        models[0],
        tools=[as_tool(f, last=f.__name__ in _LAST_WORD) for f in tools.TOOLS],
        middleware=watched,
        context_schema=Context,
    )


def _chat_model(endpoint: Endpoint) -> Any:
    """A chat model whose every request keeps to the time that its answer has. Its retries are ours (model_run.Careful)."""
    import httpx
    from langchain_openai import ChatOpenAI

    from bot.model_run import refuse_late

    return ChatOpenAI(
        model=endpoint.model,
        base_url=endpoint.url,
        api_key=endpoint.key,
        max_retries=0,
        streaming=True,
        stream_usage=True,
        use_responses_api=False,
        http_socket_options=(),
        http_client=httpx.Client(event_hooks={"request": [refuse_late]}, follow_redirects=True),
    )


def probe(endpoint: Endpoint) -> float:
    """Seconds until the model at an endpoint has answered a word. NeedsPerson when it does not."""
    import time

    from bot.model_run import reason_of

    began = time.monotonic()
    try:
        _chat_model(endpoint).invoke("OK?", timeout=_PROBE_SECONDS)
    except Exception as e:  # whatever it is, the person at the doctor is to hear of it
        why = prompts.text(f"trouble.{reason_of(e)}", "zh"), prompts.text(f"trouble.{reason_of(e)}", "en")
        said = {"zh": why[0], "en": why[1]}
        raise NeedsPerson("model_fails", model=endpoint.name, why=said, detail=masked(str(e))[:_SAID]) from e
    return time.monotonic() - began


def as_tool(function: Callable[..., ToolResult], *, last: bool = False, worded: bool = True) -> StructuredTool:
    """A tool function as a LangChain tool: its docstring is what a model reads, its Context comes from the run.

    The tool's content is the result in our own words (`worded`), else line by line; its artifact the ToolResult as plain data,
    which is all that the embedded model reads. What the asker can repair (AskAgain) becomes a result that says so, so that a
    model can try again; everything else is raised. `last`: the run ends with its result.
    """
    hints = get_type_hints(function)
    parameters = [p for name, p in inspect.signature(function).parameters.items() if name != "ctx"]

    def run(runtime: ToolRuntime, **arguments: Any) -> tuple[str, dict[str, Any]]:
        ctx = cast(Context, runtime.context)
        with ctx.sheet.turn:
            try:
                result = function(ctx, **arguments)
            except AskAgain as e:
                result = refusal(ctx, e)
        data = result.model_dump()
        return in_words(result, data, ctx.lang) if worded else result.text(), data

    # The schema is read from the signature: the function's own arguments, plus the runtime that LangGraph fills in.
    first = inspect.Parameter("runtime", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=_RUNTIME)
    types = {p.name: _short_schema(hints[p.name]) for p in parameters}
    typed = [p.replace(annotation=types[p.name]) for p in parameters]
    run.__signature__ = inspect.Signature([first, *typed])  # type: ignore[attr-defined]
    run.__annotations__ = {"runtime": _RUNTIME, **types}
    return StructuredTool.from_function(
        run,
        name=function.__name__,
        description=_for_a_model(inspect.getdoc(function) or ""),
        response_format="content_and_artifact",
        return_direct=last,
    )


def _for_a_model(docstring: str) -> str:
    """A docstring without line breaks and without what it says of our errors, which a model meets as results."""
    return re.sub(r"\s*AskAgain when [^.]*\.", "", " ".join(docstring.split()))


def _short_schema(hint: Any) -> Any:
    """The type of an argument that may be left out is shown to a model without its null, which costs tokens; null is taken."""
    others = [h for h in get_args(hint) if h is not NoneType]
    if NoneType not in get_args(hint) or len(others) != 1:
        return hint
    return Annotated[hint, WithJsonSchema(TypeAdapter(others[0]).json_schema())]


def in_words(result: ToolResult, data: dict[str, Any], lang: str) -> str:
    """A result (and the same as plain data) as a model reads it: our own words for it, and the numbers by the ids that
    `calculate` takes."""
    said = writer.write(data, Interpretation(intent="unsupported"), lang)
    numbers = "; ".join(f"{f.id} {f.display}" for f in result.facts if f.unit in _COUNTABLE)
    return f"{said}\n{prompts.text('model.numbers', lang)} {numbers}" if numbers and result.kind != "refused" else said


def refusal(ctx: Context, error: AskAgain) -> ToolResult:
    """What a tool could not do and what to ask instead; the error's own values (days, names) are its facts."""
    sheet = ctx.sheet.empty()  # what a model passes in an argument must not become a source of its own
    for name, value in error.details.items():
        shown = value[ctx.lang] if isinstance(value, dict) else str(value)
        sheet.text(name, shown, literal(shown))
    data = {"message": error.message(ctx.lang), "hint": error.hint(ctx.lang)}
    return ToolResult(kind="refused", facts=sheet.facts, data=data)


def open_memory(where: Path | str) -> tuple[Any, Callable[[], None]]:
    """A checkpointer in the file `where`, or in PostgreSQL when it is a `postgresql://` URL, and how to close it.

    NeedsPerson when the database cannot be reached.
    """
    if isinstance(where, str) and where.startswith(("postgresql://", "postgres://")):
        return _postgres_memory(where)
    import sqlite3

    from langgraph.checkpoint.sqlite import SqliteSaver

    connection = sqlite3.connect(where, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last exchange, never the file
    saver = SqliteSaver(connection)
    saver.setup()
    return saver, connection.close


def _postgres_memory(url: str) -> tuple[Any, Callable[[], None]]:
    import time

    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import ConnectionPool, PoolTimeout

    wanted = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}  # what the saver asks for
    check = ConnectionPool.check_connection  # one cut by a restart of the server is replaced before it is used
    pool: Any = ConnectionPool(url, kwargs=wanted, min_size=1, max_size=8, open=False, check=check)
    try:
        pool.open(wait=True, timeout=_CONNECT_SECONDS)
        saver = PostgresSaver(pool)
        with pool.connection() as connection:
            # Two workers that start at once must not both make the tables. Trying again instead of waiting, because a
            # statement that waits for the lock would itself hold up the CREATE INDEX CONCURRENTLY of who has it.
            while not connection.execute("SELECT pg_try_advisory_lock(%s) AS got", (_SETUP_LOCK,)).fetchone()["got"]:
                time.sleep(0.05)
            try:
                saver.setup()
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s)", (_SETUP_LOCK,))
    except (psycopg.OperationalError, PoolTimeout) as e:
        pool.close()
        server = psycopg.conninfo.conninfo_to_dict(url)
        where = f"{server.get('host', '')}/{server.get('dbname', '')}"
        raise NeedsPerson("memory_unreachable", where=where) from e
    except BaseException:
        pool.close()
        raise
    return saver, pool.close


def forget_steps(saver: Any, thread: str) -> None:
    """Keep only the newest checkpoint of a thread: the saver would keep every one for ever. Its ids sort by time."""
    from langgraph.checkpoint.sqlite import SqliteSaver

    if not isinstance(saver, SqliteSaver):
        import psycopg

        try:
            saver.prune([thread], strategy="keep_latest")
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as e:
            # Another worker writes to the same thread just now; the next answer prunes again.
            log.info("The steps of %s stay until the next answer: %s", thread, type(e).__name__)
        return
    with saver.cursor() as cursor:
        for table in ("writes", "checkpoints"):
            cursor.execute(
                f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < "
                "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
                (thread, thread),
            )


def compact(messages: list[BaseMessage]) -> list[BaseMessage]:
    """What a session keeps: its last questions and final answers; tool traffic and artifacts are not remembered."""
    said = [
        m for m in messages if isinstance(m, HumanMessage) or (isinstance(m, AIMessage) and m.text and not m.tool_calls)
    ]
    return [RemoveMessage(id=REMOVE_ALL_MESSAGES), *said[-2 * KEPT_EXCHANGES :]]
