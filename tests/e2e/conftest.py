"""End-to-end tests talk HTTP to servers they start themselves, so this machine, and only it, can be reached."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import SocketConnectBlockedError, socket_allow_hosts

from bot.state import State
from tests.e2e.server import TelegramServer
from tests.e2e.shops import copied

HERE = ["127.0.0.1", "localhost"]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the place of the top rule of that name: connections to loopback only, and no name is looked up elsewhere."""
    socket_allow_hosts(HERE, allow_unix_socket=True)
    real = socket.getaddrinfo

    def local_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in (None, "", *HERE):
            raise SocketConnectBlockedError(HERE, str(host))
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.fixture(scope="module")
def shop(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo shop for the tests of one file."""
    return copied(demo_root, tmp_path_factory.mktemp("shop") / "huayang")


@pytest.fixture(scope="module")
def state(shop: Path, telegram: TelegramServer) -> Iterator[State]:
    """The state of `shop`, seen beside the bot that the file's own `telegram` (of the module's scope) has started."""
    opened = State.open(f"sqlite:///{shop / 'state.sqlite'}")
    yield opened
    opened.close()
