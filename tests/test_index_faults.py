"""What happens to the index when processes die, build at once, or the disk and what is on it fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import Mock

import pytest
from pytest_socket import socket_allow_hosts

from knowledge.index import Index
from knowledge.settings import IndexSettings
from knowledge.store import Store
from knowledge.unavailable import IndexUnavailable
from tests.chroma import chroma_url  # noqa: F401
from tests.test_index import made, quick

ROOT = Path(__file__).parent.parent
# Builds an index of argv[3] passages in a process of its own; stops in the middle of it when there is a file to say so.
BUILD = """
import sys, time
from pathlib import Path
from knowledge import embeddings, index as module
from knowledge.settings import IndexSettings
from tests.test_index import made, quick

folder, url, size, mark = Path(sys.argv[1]), sys.argv[2] or None, int(sys.argv[3]), sys.argv[4]
module._BATCH = max(8, size // 6)
embeddings.embed = quick

def halfway(done, total):
    if mark and done >= total // 2:
        Path(mark).touch()
        time.sleep(600)

index = module.Index(folder, IndexSettings(chroma=url), {})
built = index.ready(made(size), halfway)
print(int(built), len(index.nearest("加购", size) or []))
"""


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Takes the place of the top rule of that name: this machine, and only it, can be reached."""
    socket_allow_hosts(["127.0.0.1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same vectors here as in the processes that are started."""
    monkeypatch.setattr("knowledge.embeddings.embed", quick)


@pytest.fixture(params=["folder", "server"])
def settings(request: pytest.FixtureRequest) -> IndexSettings:
    if request.param == "folder":
        return IndexSettings()
    return IndexSettings(chroma=request.getfixturevalue("chroma_url"))


def building(folder: Path, settings: IndexSettings, size: int, mark: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILD, str(folder), settings.chroma or "", str(size), mark]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def without_copies(folder: Path) -> None:
    for copy in folder.glob("vectors-*.npy"):
        copy.unlink()


def test_the_old_index_answers_when_a_builder_is_killed_and_the_next_one_finishes(
    tmp_path: Path, settings: IndexSettings
) -> None:
    folder, mark = tmp_path / "index", tmp_path / "halfway"
    old, new = made(20), made(40)
    Index(folder, settings, {}).ready(old)
    without_copies(folder)
    process = building(folder, settings, len(new), str(mark))
    try:
        deadline = time.monotonic() + 60
        while not mark.exists():
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    index = Index(folder, settings, {})
    assert not index.ready(old), "the old one is whole"
    assert len(index.nearest("加购", 40) or []) == 20
    assert index.ready(new)
    assert len(index.nearest("加购", 40) or []) == 40
    without_copies(folder)
    assert not Index(folder, settings, {}).ready(new)


def test_processes_that_build_at_once_leave_one_whole_index(tmp_path: Path, settings: IndexSettings) -> None:
    folder = tmp_path / "index"
    processes = [building(folder, settings, 60) for _ in range(3)]
    said = [p.communicate(timeout=120) for p in processes]
    assert [p.returncode for p in processes] == [0, 0, 0], said
    assert sorted(out for out, _ in said) == ["0 60\n", "0 60\n", "1 60\n"], "one of them built it"
    assert len(Index(folder, settings, {})._store.ours()) == 1


def test_a_folder_is_opened_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chroma makes its tables when it opens a folder: two that do so at once end with "already exists" or "locked"."""
    inside, most = [0], [0]

    def client(folder: Path, url: str | None, token: str | None) -> object:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.02)
        inside[0] -= 1
        return Mock(list_collections=Mock(return_value=[]))

    monkeypatch.setattr("knowledge.store._client", client)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: Store(tmp_path / "index", None, None).ours(), range(8))) == [[]] * 8
    assert most == [1]


def test_machines_that_build_at_once_leave_one_whole_index(
    tmp_path: Path,
    chroma_url: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two machines share no lock: the first is overtaken in the middle of its work."""
    settings = IndexSettings(chroma=chroma_url)
    folder, some = tmp_path / "index", made(600)
    overtaken: list[bool] = []

    def overtake(done: int, total: int) -> None:
        if not overtaken:
            other = Index(folder, settings, {})
            monkeypatch.setattr(other._store, "alone", nullcontext)
            overtaken.append(other.ready(some))

    first = Index(folder, settings, {})
    first.ready(some, overtake)
    assert overtaken == [True]
    assert len(Index(folder, settings, {})._store.ours()) == 1
    without_copies(folder)
    last = Index(folder, settings, {})
    assert not last.ready(some)
    assert len(last.nearest("加购", 600) or []) == 600


def test_a_builder_taken_for_dead_starts_again(tmp_path: Path, settings: IndexSettings) -> None:
    some = made(300)
    deleted: list[str] = []
    index = Index(tmp_path / "index", settings, {})

    def deletes(done: int, total: int) -> None:
        if not deleted:
            other = Index(tmp_path / "index", settings, {})
            for c in other._store.ours():
                deleted.append(c.name)
                other._store.delete(c)

    assert index.ready(some, deletes)
    assert len(deleted) == 1
    assert len(index.nearest("加购", 300) or []) == 300


@pytest.mark.parametrize("how", ["garbage", "cut", "no tables", "graph", "no graph"])
def test_a_broken_folder_is_set_aside_and_built_again(tmp_path: Path, how: str) -> None:
    """Each kind of damage in a process of its own: Chroma keeps what it has open."""
    folder = tmp_path / "index"
    settings = IndexSettings()
    first = building(folder, settings, 1200).communicate(timeout=120)
    assert first[0] == "1 1200\n", first[1]
    without_copies(folder)
    state = folder / "chroma.sqlite3"
    size = state.stat().st_size
    if how == "garbage":
        state.write_bytes(os.urandom(size))
    elif how == "cut":
        os.truncate(state, size // 3)
    elif how == "no tables":
        os.truncate(state, 0)
    graphs = [p for p in folder.iterdir() if p.is_dir()]
    assert any(list(graph.iterdir()) for graph in graphs), "there is something to break"
    for graph in graphs:
        if how == "graph":
            for part in graph.iterdir():
                part.write_bytes(b"nothing of use")
        elif how == "no graph":
            shutil.rmtree(graph)
    again = building(folder, settings, 1201).communicate(timeout=120)
    assert again[0] == "1 1201\n", again[1]
    after = building(folder, settings, 1201).communicate(timeout=120)
    assert after[0] == "0 1201\n", after[1]


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(IndexUnavailable) as e:
        Index(tmp_path / "file" / "index").ready(made(3))
    assert e.value.code == "index_folder"
    assert e.value.details["path"] == str(tmp_path / "file" / "index")


def test_a_full_disk_is_said_so_and_what_was_there_stays(tmp_path: Path) -> None:
    """The process may write no file bigger than the index is: to SQLite and to us that is a disk without room."""
    folder = tmp_path / "index"
    assert building(folder, IndexSettings(), 20).communicate(timeout=120)[0] == "1 20\n"
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({(folder / 'chroma.sqlite3').stat().st_size + 4096},) * 2)\n"
    )
    command = [sys.executable, "-c", limited + BUILD, str(folder), "", "400", ""]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode != 0
    assert "index_folder" in done.stderr, done.stderr[-800:]
    assert building(folder, IndexSettings(), 20).communicate(timeout=120)[0] == "0 20\n", "the old one is whole"
    assert not (folder / "broken").exists()


def test_a_folder_without_permission_is_said_so(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder = tmp_path / "index"
    folder.mkdir(mode=0o500)
    with pytest.raises(IndexUnavailable) as e:
        Index(folder).ready(made(3))
    assert e.value.code == "index_folder"
