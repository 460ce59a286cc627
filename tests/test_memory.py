"""What a session remembers, in a file and in PostgreSQL: kept for the next process, small, forgotten when asked."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from bot.agent import KEPT_EXCHANGES, build, compact, forget_steps, open_memory
from tests.postgres import new_database
from tools.errors import NeedsPerson


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    return (
        tmp_path / "memory.sqlite"
        if request.param == "sqlite"
        else new_database(request.getfixturevalue("postgres_url"))
    )


@pytest.fixture
def memory(where: Path | str) -> Iterator[Any]:
    saver, close = open_memory(where)
    yield saver
    close()


def at(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


def exchange(agent: Any, thread: str, n: int) -> None:
    """A question and its answer, as bot.conversation leaves them."""
    agent.update_state(at(thread), {"messages": [HumanMessage(f"问题 {n}"), AIMessage(f"回答 {n}")]})
    agent.update_state(at(thread), {"messages": compact(messages(agent, thread))})
    forget_steps(agent.checkpointer, thread)


def messages(agent: Any, thread: str) -> list[BaseMessage]:
    return list(agent.get_state(at(thread)).values.get("messages", []))


def rows(saver: Any, thread: str) -> int:
    """All that the saver holds about a thread, whatever its tables are."""
    return sum(1 for _ in saver.list(at(thread)))


def test_a_session_is_kept_small_and_apart(memory: Any) -> None:
    agent = build(memory)
    for n in range(KEPT_EXCHANGES + 3):
        exchange(agent, "shop:1", n)
    exchange(agent, "shop:2", 99)
    said = [str(m.text) for m in messages(agent, "shop:1")]
    assert len(said) == 2 * KEPT_EXCHANGES
    assert said[-2:] == [f"问题 {KEPT_EXCHANGES + 2}", f"回答 {KEPT_EXCHANGES + 2}"]
    assert rows(memory, "shop:1") == 1
    memory.delete_thread("shop:1")
    assert messages(agent, "shop:1") == []
    assert rows(memory, "shop:1") == 0
    assert [str(m.text) for m in messages(agent, "shop:2")] == ["问题 99", "回答 99"]


def test_the_next_process_remembers(where: Path | str) -> None:
    saver, close = open_memory(where)
    exchange(build(saver), "shop:1", 1)
    close()
    saver, close = open_memory(where)
    agent = build(saver)
    exchange(agent, "shop:1", 2)
    assert [str(m.text) for m in messages(agent, "shop:1")] == ["问题 1", "回答 1", "问题 2", "回答 2"]
    close()


def test_postgres_keeps_no_blobs_of_steps_that_were_forgotten(postgres_url: str) -> None:
    import psycopg

    url = new_database(postgres_url)
    saver, close = open_memory(url)
    agent = build(saver)
    counts = []
    for n in range(2 * KEPT_EXCHANGES):
        exchange(agent, "shop:1", n)
        with psycopg.connect(url) as connection:
            found = connection.execute(
                "SELECT (SELECT count(*) FROM checkpoint_blobs) + (SELECT count(*) FROM checkpoint_writes) + "
                "(SELECT count(*) FROM checkpoints)"
            ).fetchone()
        assert found is not None
        counts.append(found[0])
    assert max(counts[1:]) <= counts[1] + 1, counts
    close()


def test_four_workers_make_the_tables_at_once(postgres_url: str) -> None:
    url = new_database(postgres_url)
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(open_memory, [url] * 4))
    for n, (saver, close) in enumerate(opened):
        exchange(build(saver), f"shop:{n}", n)
        close()


def test_questions_of_one_chat_at_once_lose_no_memory_of_others(postgres_url: str) -> None:
    """Two workers that forget the same thread's steps at one time: one of them leaves it for the next answer."""
    saver, close = open_memory(new_database(postgres_url))
    agent = build(saver)

    def talk(n: int) -> None:
        for i in range(5):
            exchange(agent, "shop:shared" if n % 2 else f"shop:{n}", i)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(talk, range(6)))
    for n in (0, 2, 4):
        assert [str(m.text) for m in messages(agent, f"shop:{n}")][-1] == "回答 4"
        assert rows(saver, f"shop:{n}") == 1
    exchange(agent, "shop:shared", 99)
    assert rows(saver, "shop:shared") == 1
    close()


def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.agent._CONNECT_SECONDS", 0.5)
    with pytest.raises(NeedsPerson) as e:
        open_memory(f"postgresql://anna:geheim@/war?host={tmp_path}")
    assert e.value.code == "memory_unreachable"
    assert str(tmp_path) in e.value.message("zh")
    assert "geheim" not in str(e.value)
