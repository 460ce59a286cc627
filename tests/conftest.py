"""Shared fixtures. No test reaches the network: sockets are blocked for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.wiring import WarRoom
from tests.postgres import postgres_url  # noqa: F401

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
def demo_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo shop as `warroom init --demo` makes it."""
    from tools import workspace

    root = tmp_path_factory.mktemp("demo") / "shop"
    workspace.create(root, name="", campaigns=(), demo=True)
    return root


@pytest.fixture(scope="session")
def demo(demo_root: Path) -> Iterator[WarRoom]:
    with WarRoom(demo_root) as room:
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
