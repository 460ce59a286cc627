"""Files and machines that fail as a whole: cut off, endless lines, bombs, a full disk, a kill. Nothing is half-imported."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.test_import import EVENTS, GOOD, PLAIN, Shop, counts, rejects
from tools.engine import Engine
from tools.errors import NeedsPerson
from tools.ingest import import_file

ROOT = Path(__file__).parent.parent
IMPORT = "import sys; from bot.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    found = Shop(tmp_path, capsys)
    found.load("events", PLAIN, name="before.csv")
    return found


BEFORE = [("u1", "2026-06-01 10:00:00", "visit")]


def stored(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows("select user_id, ts, kind from events")


@pytest.mark.parametrize(
    "end",
    ["u2", "u2,", "u2,2026-06-", "u2,2026-06-01 10:00:00", "u2,2026-06-01 10:00:00,", "u2,2026-06-01 10:00:00,vis"],
)
def test_a_last_line_that_breaks_off_refuses_the_file(shop: Shop, end: str) -> None:
    assert shop.refused("events", shop.file(f"{EVENTS}\n{GOOD}\nu3,2026-06-02,visit\n{end}")) == "half_written"
    assert stored(shop) == BEFORE


def test_a_last_line_inside_a_chinese_character_refuses_the_file(shop: Shop) -> None:
    text = f"{EVENTS},source\n{GOOD},直播\n{GOOD},直"
    for encoding in ("utf-8", "gb18030"):
        assert shop.refused("events", shop.file(text.encode(encoding)[:-1])) == "half_written"
    assert stored(shop) == BEFORE


def test_a_last_line_without_an_end_that_reads_well_is_a_row(shop: Shop) -> None:
    assert counts(shop.load("events", f"{EVENTS}\nu2,2026-06-02,visit")) == (1, 1, 0, 0)
    # Bad rows before it do not make it a broken one.
    report = shop.load("events", f"{EVENTS}\nu2,bad,visit\nu3,2026-06-02,visit")
    assert [line for line, *_ in rejects(report)] == [2]


@pytest.mark.parametrize("begin", ["", f"{EVENTS}\n{GOOD}\n", f'{EVENTS},source\n{GOOD},"'])
def test_two_gigabytes_of_one_line_are_refused_in_bounded_memory(shop: Shop, begin: str) -> None:
    path = shop.files / "line.csv"
    with path.open("wb") as f:
        f.write(begin.encode() + b"x" * (8 << 20))
        f.truncate(2 << 30)  # a hole takes no room on the disk
    script = (
        "import re, sys; from bot.cli import main; status = main(sys.argv[1:]); "  # ru_maxrss would be the parent's too
        "print(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr); sys.exit(status)"
    )
    command = [sys.executable, "-c", script, "--shop", str(shop.root), "import", "events", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "line_too_long"
    assert int(done.stderr.split()[-1]) < 500 * 1024, "kilobytes; Python with DuckDB and our code take a half of it"
    assert stored(shop) == BEFORE


def test_a_long_value_is_a_value_and_an_endless_one_refuses_the_file(shop: Shop) -> None:
    line = "u2,2026-06-02,visit,{}\nu3,2026-06-02,visit,a\n"
    assert counts(shop.load("events", f"{EVENTS},source\n" + line.format("x" * 60_000))) == (2, 2, 0, 0)
    assert shop.refused("events", shop.file(f"{EVENTS},source\n" + line.format("y" * 140_000))) == "line_too_long"
    assert shop.rows("select user_id, length(source) from events where user_id <> 'u1' order by 1") == [
        ("u2", "60000"),
        ("u3", "1"),
    ]


def test_a_bomb_is_refused_and_leaves_nothing(shop: Shop) -> None:
    path = shop.files / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("events.csv", "w") as member:
        member.write(f"{EVENTS}\n{GOOD}\n".encode())
        for _ in range(300):
            member.write(b" " * (1 << 20))
    assert path.stat().st_size < 1 << 20
    assert shop.refused("events", path) == "zip_bomb"
    assert stored(shop) == BEFORE
    assert not [p for p in shop.root.iterdir() if p.name.startswith(".import")]


# --- a disk that fills up ------------------------------------------------------------------------------------------

FILL = """
import os, subprocess, sys
from pathlib import Path
from bot.cli import main
disk, files = map(Path, sys.argv[1:])
shop = disk / "shop"
shop.mkdir()
(shop / "shop.yaml").write_text("name: x\\n")
os.environ["TMPDIR"] = str(disk)
for name in ("small.csv", "large.csv", "chinese.csv", "room", "large.csv", "chinese.csv"):
    if name == "room":
        print([p.name for p in disk.rglob("*") if p.is_file()], file=sys.stderr)
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
    else:
        main(["--shop", str(shop), "import", "events", str(files / name), "--json"])
"""


def test_a_disk_that_fills_up_is_said_and_nothing_is_half_imported(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    draw = random.Random(1)
    lines = "".join(f"{draw.randbytes(40).hex()},2026-06-01 10:00:00,visit\n" for _ in range(300_000))
    (tmp_path / "small.csv").write_text(PLAIN)
    (tmp_path / "large.csv").write_text(f"{EVENTS}\n{lines}")
    (tmp_path / "chinese.csv").write_bytes(f"{EVENTS}\n张三,2026-06-01,visit\n{lines}".encode("gb18030"))
    mounted = f'mount -t tmpfs -o size=20m tmpfs "{disk}" && exec "{sys.executable}" "$@"'
    alone = ["unshare", "--mount", "sh", "-c", mounted, "sh"]  # the mount is gone with the process
    try:
        probe = subprocess.run([*alone, "-c", "print('mounted')"], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no unshare here to mount a small disk with")
    if "mounted" not in probe.stdout:
        pytest.skip(f"no small disk can be mounted here: {probe.stderr.strip()}")
    done = subprocess.run([*alone, "-c", FILL, str(disk), str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    small, large, chinese, *again = json_documents(done.stdout)
    assert small["accepted"] == 1
    assert large["error"]["code"] == chinese["error"]["code"] == "disk_full"
    assert "Free some space" in large["error"]["hint"]
    assert "utf8.csv" not in done.stderr, "the copy that found no room"
    # With room the same files go in, whole: 300,000 rows, then the same ones and one more.
    assert [(r["accepted"], r["duplicates"]) for r in again] == [(300_000, 0), (300_001, 300_000)]


def json_documents(text: str) -> list[Any]:
    """The JSON documents that stand one after the other in a text."""
    decoder, out = json.JSONDecoder(), []
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        out.append(document)
        text = text[end:]
    return out


def test_no_room_for_what_is_put_aside(tmp_path: Path) -> None:
    """DuckDB puts aside what does not fit into memory; where that finds no room, the import says that the disk is full."""
    engine = Engine(tmp_path / "data.duckdb", read_only=False)
    engine.create_tables()
    draw = random.Random(2)
    path = tmp_path / "orders.csv"
    lines = (f"o{i},{draw.randbytes(60).hex()},normal,2026-06-01 10:00:00\n" for i in range(400_000))
    path.write_text("order_id,user_id,kind,created_at\n" + "".join(lines))
    for setting in (
        "memory_limit = '80MB'",
        f"temp_directory = '{tmp_path / 'aside'}'",
        "max_temp_directory_size = '1MB'",
    ):
        engine.raw.execute(f"SET {setting}")
    with pytest.raises(NeedsPerson) as e:
        import_file(engine, "orders", path, "auto", tmp_path / "rejects", datetime(2026, 6, 17, 10))
    assert e.value.code == "disk_full"
    assert engine.execute("SELECT count(*) FROM orders") == [(0,)]
    engine.close()


def test_a_reject_file_that_cannot_be_written_takes_the_import_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    path = shop.file(f"{EVENTS}\nu2,2026-06-02,visit\nu3,bad,visit\n")
    with monkeypatch.context() as broken:
        broken.setattr("tools.ledger._worded", full)
        assert shop.refused("events", path) == "disk_full"
    assert stored(shop) == BEFORE
    assert list((shop.root / "rejects").iterdir()) == []
    assert counts(shop.run("events", path)[1]) == (2, 1, 1, 0)


# --- a kill in the middle ------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from bot.cli import main
from tools.engine import Engine
at, run, step = int(sys.argv[1]), Engine.execute, 0
def execute(self, sql, parameters=()):
    global step
    step += 1
    if step == at:
        os.kill(os.getpid(), signal.SIGKILL)
    found = run(self, sql, parameters)
    if at == 0:
        print(sql.split(" ")[0], file=sys.stderr)
    return found
Engine.execute = execute
sys.exit(main(sys.argv[2:]))
"""
TABLES = [
    ("events", EVENTS, "u{n},2026-06-01 10:00:00,visit"),
    ("orders", "order_id,user_id,kind,created_at,amount", "o{n},u{n},normal,2026-06-01,5元"),
]


def large(shop: Shop, header: str, line: str, total: int) -> Path:
    return shop.file("\n".join([header, *(line.format(n=n) for n in range(2, total + 2))]) + "\n", "large.csv")


def whole_afterwards(shop: Shop, table: str, path: Path, total: int) -> None:
    """The next import of the file works, whatever the kill has left, and everybody is known."""
    status, report = shop.run(table, path)
    assert (status, report["read"], report["accepted"]) == (0, total, total)
    assert shop.rows(f"select count(*) from {table}") == [(str(total + (table == "events")),)]
    assert shop.rows("select count(*), count(distinct user_id) from people") == [(str(total + 1), str(total + 1))]
    assert not [p for p in os.listdir(shop.root) if p.startswith(".import")]


@pytest.mark.parametrize(("table", "header", "line"), TABLES)
def test_a_kill_before_any_statement_leaves_the_data_as_before(shop: Shop, table: str, header: str, line: str) -> None:
    total = 3000
    path = large(shop, header, line, total)
    shutil.copytree(shop.root, shop.files / "copy")

    def run(root: Path, at: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", KILLED, str(at), "--shop", str(root), "import", table, str(path), "--json"]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    steps = [word for word in run(shop.files / "copy", 0).stderr.split() if word.isupper()]
    commit = len(steps) - steps[::-1].index("COMMIT")  # counted from 1
    begin = steps.index("BEGIN") + 1
    assert commit - begin > 5
    before = shop.rows(f"select count(*) from {table}")
    for at in (begin, *random.Random(table).sample(range(begin + 1, commit), 3), commit):
        assert run(shop.root, at).returncode == -signal.SIGKILL
        assert shop.rows(f"select count(*) from {table}") == before, steps[at - 1]
    whole_afterwards(shop, table, path, total)


@pytest.mark.parametrize(("table", "header", "line"), TABLES)
def test_a_kill_at_any_moment_leaves_the_data_as_before_or_whole(
    shop: Shop, table: str, header: str, line: str
) -> None:
    total = 80_000
    path = large(shop, header, line, total)
    shutil.copytree(shop.root, shop.files / "copy")
    before = shop.rows(f"select count(*) from {table}")[0][0]

    def start(root: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", IMPORT, "--shop", str(root), "import", table, str(path)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)

    began = time.monotonic()
    assert start(shop.files / "copy").wait() == 0
    takes = time.monotonic() - began
    for _ in range(3):
        process = start(shop.root)
        time.sleep(takes * random.uniform(0.4, 0.95))
        process.kill()
        process.wait()
        count = shop.rows(f"select count(*) from {table}")[0][0]
        assert count in (before, str(int(before) + total))
        if count != before:
            break
    whole_afterwards(shop, table, path, total)
