"""One file, one writer or many readers: who asks lets go in between, who writes gets his turn, nobody sees old numbers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.shops import load
from tools import datafile
from tools.engine import Engine
from tools.errors import NeedsPerson

COUNT = "SELECT count(*) AS n FROM customers"
ADD = "INSERT INTO customers (user_id) VALUES ('new')"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A data file with 40 customers, closed."""
    path = tmp_path / "data.duckdb"
    load(path, {"customers": [{"user_id": f"u{i}", "city": f"c{i % 7}"} for i in range(40)]}).close()
    return path


@contextmanager
def another_process(code: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """`code` running with the file's path as argument; it has said "open" when the body begins."""
    command = [sys.executable, "-c", code, str(path)]
    root = Path(__file__).parent.parent
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=root)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "open"
        yield process
    finally:
        process.kill()
        process.communicate()


ASKS = """
import sys
from pathlib import Path
from tools.engine import Engine
engine = Engine(Path(sys.argv[1]))
print("open", flush=True)
while True:
    engine.query("SELECT count(*) AS n FROM customers WHERE city <> 'c1'")
    engine.{let_go}()
"""


@pytest.mark.parametrize("let_go", ["release", "give_way"])
def test_a_writer_gets_his_turn_while_another_process_asks_all_the_time(path: Path, let_go: str) -> None:
    with another_process(ASKS.format(let_go=let_go), path) as asker:
        for n in range(5):
            engine = Engine(path, read_only=False)
            engine.execute(ADD)
            assert engine.query(COUNT) == [{"n": 41 + n}]
            engine.close()
        assert asker.poll() is None, "the asker waits for the writer and goes on"


def test_who_never_lets_go_is_waited_for_and_then_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafile, "WAIT", 0.3)
    reader = Engine(path)
    began = time.monotonic()
    with pytest.raises(NeedsPerson) as e:
        Engine(path, read_only=False)
    assert e.value.code == "data_locked"
    assert 0.3 <= time.monotonic() - began < 5
    assert not reader.give_way(), "nobody waits any more"
    reader.close()
    writer = Engine(path, read_only=False)
    with pytest.raises(NeedsPerson, match="Another warroom process"):
        Engine(path)
    writer.close()
    assert Engine(path).query(COUNT) == [{"n": 40}]


def test_after_a_write_the_next_question_sees_it_and_before_it_memory_answers(path: Path) -> None:
    reader = Engine(path)
    assert reader.query(COUNT) == [{"n": 40}]
    first = reader.table("customers").count()
    assert reader.con.execute(first) == 40
    reader.release()
    assert reader.query(COUNT) is reader.query(COUNT), "nothing changed: the answer is still known"
    writer = Engine(path, read_only=False)
    writer.execute(ADD)
    assert writer.query(COUNT) == [{"n": 41}]
    writer.close()
    assert reader.query(COUNT) == [{"n": 41}]
    assert reader.con.execute(reader.table("customers").count()) == 41, "Ibis is on the new connection"
    reader.close()


def test_a_file_that_was_replaced_is_noticed(path: Path, tmp_path: Path) -> None:
    reader = Engine(path)
    assert reader.query(COUNT) == [{"n": 40}]
    reader.release()
    load(tmp_path / "other.duckdb", {"customers": [{"user_id": "only"}]}).close()
    (tmp_path / "other.duckdb").replace(path)
    assert reader.query(COUNT) == [{"n": 1}]


def test_what_is_not_committed_is_seen_by_the_writer(path: Path) -> None:
    writer = Engine(path, read_only=False)
    writer.execute("BEGIN")
    writer.execute(ADD)
    assert writer.query(COUNT) == [{"n": 41}]
    writer.execute("ROLLBACK")
    assert writer.query(COUNT) == [{"n": 40}]
    writer.close()


def test_eight_threads_ask_one_engine_while_it_is_let_go_again_and_again(path: Path) -> None:
    engine = Engine(path)
    done = threading.Event()

    def let_go() -> None:
        while not done.wait(0.01):
            engine.release()

    def ask(i: int) -> tuple[int, int]:
        city, more = i % 7, i % 53  # more than one shape and value, so that not all is answered from memory
        found = engine.query(f"SELECT count(*) + {more} AS n FROM customers WHERE city = 'c{city}'")[0]["n"]
        return found, sum(u % 7 == city for u in range(40)) + more

    releasing = threading.Thread(target=let_go)
    releasing.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(400)))
    finally:
        done.set()
        releasing.join()
    assert all(got == right for got, right in answers)
    engine.close()


def test_an_import_in_this_process_waits_for_the_questions_of_other_threads(path: Path) -> None:
    reader, done = Engine(path), threading.Event()

    def ask() -> int:
        asked = 0
        while not done.is_set():
            reader.query(f"SELECT count(*) + {asked} AS n FROM customers")
            reader.give_way()
            asked += 1
        return asked

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for _ in range(3):
                writer = Engine(path, read_only=False)
                writer.execute(ADD)
                writer.close()
        finally:
            done.set()
        assert min(f.result() for f in asking) > 0
    assert reader.query(COUNT) == [{"n": 43}]
    reader.close()


def test_a_writer_that_died_leaves_no_closed_gate(path: Path) -> None:
    code = "import sys; from pathlib import Path; from tools.engine import Engine\n"
    code += "e = Engine(Path(sys.argv[1]), read_only=False); print('open', flush=True); sys.stdin.read()"
    with another_process(code, path):
        pass
    began = time.monotonic()
    engine = Engine(path)
    assert engine.query(COUNT) == [{"n": 40}]
    assert time.monotonic() - began < datafile.WAIT / 2
    engine.close()


def test_reading_makes_no_file(path: Path) -> None:
    (path.parent / "data.duckdb.lock").unlink()
    engine = Engine(path)
    assert engine.query(COUNT) == [{"n": 40}]
    assert not engine.give_way()
    assert not (path.parent / "data.duckdb.lock").exists()
    engine.close()
