"""`make bench`: every performance figure, each as a ratio to something measured in the same run.

python -m benchmarks [PART…] with the parts import, panel, ask, llm, bot, cold, knowledge; EVENTS sets the panel's size (default
100,000,000: some 20 minutes and 15 GB of disk), PASSAGES the sizes of the playbook index (default "1000 10000 100000": the
last takes some 20 minutes).
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import data
from benchmarks.timing import best, say, timed
from knowledge import catalog
from tools import daily, ingest, workspace
from tools.engine import Engine

PANEL_EVENTS = int(os.environ.get("EVENTS", "100000000"))
IMPORT_EVENTS = 5_000_000
CLOCK = datetime(2026, 6, 17)
BIN = Path(sys.executable).parent


def bench_import(folder: Path) -> None:
    """Rows/s of `warroom import events` against DuckDB reading the same CSV into a table of the same types, and scanning it."""
    source = Engine(folder / "source.duckdb", read_only=False)
    data.fill(source, IMPORT_EVENTS)
    csv = folder / "events.csv"
    rows = data.events_csv(source, csv)
    source.close()
    types = {
        n: {"time": "TIMESTAMP", "integer": "BIGINT"}.get(c.type, "VARCHAR")
        for n, c in catalog.tables()["events"].columns.items()
    }
    read = f"read_csv('{csv}', header=true, auto_detect=false, delim=',', quote='\"', columns={types})"
    bare = Engine(folder / "bare.duckdb", read_only=False)
    bare.execute("SET preserve_insertion_order = false")
    scan = best(lambda: bare.execute(f"SELECT count(*), sum(hash(COLUMNS(*))) FROM {read}"), 2)
    into_table, ours = [], []
    for i in range(3):  # taken in turns: the machine is noisy
        into_table.append(timed(lambda: bare.execute(f"CREATE OR REPLACE TABLE t AS SELECT * FROM {read}")))
        engine = Engine(folder / f"import{i}.duckdb", read_only=False)
        engine.create_tables()
        load = (engine, "events", csv, "auto", folder / "rejects", CLOCK)
        ours.append(timed(lambda load=load: ingest.import_file(*load)))  # type: ignore[misc]
        assert engine.query("SELECT count(*) AS n FROM events")[0]["n"] == rows
        if i < 2:
            engine.close()
    bare.close()
    again = timed(lambda: ingest.import_file(engine, "events", csv, "auto", folder / "rejects", CLOCK))
    engine.close()
    say(f"import {rows:,} events: rows/s", f"{rows / min(ours):,.0f}")
    say(
        "import speed / DuckDB reading the same CSV into a typed table",
        f"{min(into_table) / min(ours):.2f}",
        "aim ≥ 0.5",
    )
    say("import speed / DuckDB only scanning the same CSV", f"{scan / min(ours):.2f}")
    say("the same file again / first import, time", f"{again / min(ours):.2f}")


def bench_panel(folder: Path) -> None:
    """EVENTS events: imported by the command from a folder of daily files, then the whole panel every way."""
    from benchmarks import panel

    root, files = folder / "big", folder / "files"
    workspace.create(root, name="bench", campaigns=("618:2026",), demo=False)
    files.mkdir()
    source = Engine(folder / "source.duckdb", read_only=False)
    rows = sum(
        data.events_csv(source, files / f"events-{day:02}.csv", data.events_sql(PANEL_EVENTS, day))
        for day in range(data.DAYS)
    )
    source.close()
    command = [str(BIN / "warroom"), "--shop", str(root), "--json", "import", "events", str(files)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0, "the import failed"
    shutil.rmtree(files)
    say(f"import {rows:,} events from {data.DAYS} daily files: rows/s", f"{rows / seconds:,.0f}")
    say("… peak memory, GB", f"{used.ru_maxrss / 1e6:.1f}", "aim ≤ 8")
    engine = Engine(root / "data.duckdb", read_only=False)
    data.orders(engine, PANEL_EVENTS)
    data.customers(engine, PANEL_EVENTS)
    daily.added(engine, "orders", 0)
    daily.added(engine, "customers", 0)
    for days in panel.DAYS:
        panel.bench_window(engine, days)
    panel.bench_frames(engine, folder)
    panel.bench_growth(folder, engine, PANEL_EVENTS)
    engine.close()


QUESTIONS = {
    "plan, un-paid carters": "加购未付款的人今天怎么做",
    "plan, English": "What should I do today for un-paid carters?",
    "plan, everything due": "今天做什么",
    "metric against yesterday": "会员的进店-加购比率和昨天比",
    "overview of the day": "今天怎么样",
    "crowd": "临门一脚有多少人",
    "phase": "现在是什么阶段",
    "playbook": "群里没人说话怎么办",
    "target": "离目标还差多少",
    "review": "618 复盘一下",
    "brief": "今天的早报",
    "draft": "给临门一脚人群写条短信",
    "check": "帮我看看这条能不能发：【花漾】全网最低价，今晚截止，拒收请回复R",
    "asked back": "转化率多少",
    "help": "你能做什么",
    "smalltalk": "辛苦了",
    "refused": "把会员手机号发我",
}


def bench_ask(folder: Path) -> None:
    """Warm `ask` on the demo shop, each question asked at moments that were not asked before."""
    from bot.conversation import Question, answer
    from bot.wiring import WarRoom

    root = folder / "demo"
    seconds = timed(lambda: workspace.create(root, name="", campaigns=(), demo=True))
    say("demo shop made, s", f"{seconds:.1f}", "aim < 30 with the index")
    everything: list[float] = []
    with WarRoom(root) as room:
        seconds = timed(lambda: room.search.build())
        say(f"playbook index of {len(room.search.all)} passages built, s", f"{seconds:.1f}")
        for label, text in QUESTIONS.items():
            answer(room, Question(text))
            times = []
            for i in range(25):
                at = datetime(2026, 6, 17, 6) + timedelta(minutes=7 * i, seconds=len(label))
                times.append(timed(lambda at=at, text=text: answer(room, Question(text, as_of=at))) * 1000)  # type: ignore[misc]
            everything += times
            p50, p95 = statistics.median(times), sorted(times)[int(len(times) * 0.95)]
            say(f"ask warm, {label}: p50 / p95 ms", f"{p50:.0f} / {p95:.0f}", "aim ≤ 150 / 400")
    p50, p95 = statistics.median(everything), sorted(everything)[int(len(everything) * 0.95)]
    say("ask warm, all: p50 / p95 ms", f"{p50:.0f} / {p95:.0f}", "aim ≤ 150 / 400")


def bench_llm(folder: Path) -> None:
    """The conversation held by a language model, against a scripted server."""
    from benchmarks import llm

    root = folder / "demo"
    if not root.exists():
        workspace.create(root, name="", campaigns=(), demo=True)
    llm.bench(root)


def bench_bot(folder: Path) -> None:
    """The Telegram bot on the demo shop: 50 chats × 20 questions at once, and questions that come alone."""
    from benchmarks.bot import echo_rate, war_rate

    root = folder / "demo"
    if not root.exists():
        workspace.create(root, name="", campaigns=(), demo=True)
    bare = echo_rate(folder)
    rate, alone, together = war_rate(root, folder)
    say("bot, updates/s of 50 chats × 20 questions at once", f"{rate:.0f}")
    say("… against a bare echo bot on the same server", f"{rate / bare:.2f} ×", f"aim ≥ 0.3 (echo: {bare:.0f}/s)")
    say("bot, first sign of life, one question at a time: p95 ms", f"{alone * 1000:.0f}", "aim ≤ 200")
    say("bot, first sign of life, 1,000 questions at once: p95 ms", f"{together * 1000:.0f}")


def bench_cold(folder: Path) -> None:
    """A process per command, on the demo shop; a bare interpreter for comparison."""
    root = str(folder / "demo")
    if not (folder / "demo").exists():
        workspace.create(folder / "demo", name="", campaigns=(), demo=True)

    def process(*command: str) -> float:
        return statistics.median(
            timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)) for _ in range(5)
        )

    bare = process(sys.executable, "-c", "pass")
    for label, aim, arguments in (
        ("phase", "aim ≤ 0.7 s", ["phase"]),
        ("metrics", "", ["metrics", "-m", "buyers", "-c", "member"]),
        ("ask, un-paid carters", "aim ≤ 3 s", ["ask", QUESTIONS["plan, un-paid carters"]]),
        ("ask, playbook", "aim ≤ 3 s", ["ask", QUESTIONS["playbook"]]),
    ):
        command = (str(BIN / "warroom"), "--shop", root, *arguments)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = process(*command)
        say(f"cold {label}: s (× a bare python)", f"{seconds:.2f} ({seconds / bare:.0f}×)", aim)


def bench_knowledge(folder: Path) -> None:
    """The playbook index: built, searched, with what memory."""
    from benchmarks import knowledge

    knowledge.bench(folder, [int(n) for n in os.environ.get("PASSAGES", "1000 10000 100000").split()])


PARTS = {
    "import": bench_import,
    "panel": bench_panel,
    "ask": bench_ask,
    "llm": bench_llm,
    "bot": bench_bot,
    "cold": bench_cold,
    "knowledge": bench_knowledge,
}


def main() -> None:
    chosen = sys.argv[1:] or PARTS
    with tempfile.TemporaryDirectory() as folder:
        for part in sorted(chosen, key=list(PARTS).index):  # the first one makes the shop that the others use
            PARTS[part](Path(folder))


if __name__ == "__main__":
    main()
