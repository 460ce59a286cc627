"""Shared fixtures. No test reaches the network: sockets are blocked for all of them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.wiring import WarRoom
from tests.postgres import new_database, postgres_url  # noqa: F401

SHARED = Path(__file__).parent.parent.parent / "shared"


@pytest.fixture(autouse=True)
def _no_network(socket_disabled: None) -> None:
    """pytest-socket refuses every connection."""


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    """The language of errors does not depend on the machine."""
    monkeypatch.setenv("WARROOM_LANG", "en")
    for name in ("WARROOM_SHOP", "WARROOM_MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def built_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the product's own passages, to be copied: building it costs seconds, so one worker does it for all."""
    from knowledge.search import Searcher

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built-index"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            Searcher(folder / "index").build()
            (folder / "done").touch()
    return folder / "index"


@pytest.fixture(scope="session")
def demo_root(built_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo shop as `warroom init --demo` makes it, with its index."""
    from tools import workspace

    root = tmp_path_factory.mktemp("demo") / "shop"
    workspace.create(root, name="", campaigns=(), demo=True)
    shutil.copytree(built_index, root / "index")
    return root


@pytest.fixture(scope="session")
def demo(demo_root: Path) -> Iterator[WarRoom]:
    with WarRoom(demo_root) as room:
        yield room


@pytest.fixture(scope="module")
def elsewhere(demo_root: Path, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarRoom]:  # noqa: F811
    """The demo shop with its data in PostgreSQL and nowhere else."""
    from bot.cli import main

    root = tmp_path_factory.mktemp("elsewhere") / demo_root.name
    shutil.copytree(demo_root, root, ignore=shutil.ignore_patterns("statements*.json"))
    with (root / "shop.yaml").open("a", encoding="utf-8") as f:
        f.write(f"engine: {json.dumps(new_database(postgres_url))}\n")
    assert main(["--shop", str(root), "publish"]) == 0
    (root / "data.duckdb").unlink()  # nothing can be answered from there
    with WarRoom(root) as room:
        yield room


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The source documents; the test is skipped where they are absent."""
    folder = SHARED / "seeds"
    if not folder.is_dir():
        pytest.skip("../shared is not here")
    return folder


@pytest.fixture
def real_data() -> Path:
    """The real data for local checks; the test is skipped where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("../shared is not here")
    return folder
