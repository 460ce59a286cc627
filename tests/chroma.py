"""A Chroma server of the tests' own: `chroma run` on a free port of this machine, in a temporary folder, gone afterwards."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

_PROGRAM = Path(sys.executable).parent / "chroma"


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("chroma"), free_port()) as url:
        yield url


@contextmanager
def serving(folder: Path, port: int) -> Iterator[str]:
    """The URL of a server that keeps its collections in `folder`."""
    if not _PROGRAM.exists():
        pytest.skip("chroma, the server's program, is not installed beside this Python")
    url = f"http://127.0.0.1:{port}"
    command = [str(_PROGRAM), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        _wait(url, server, folder / "log")
        yield url
    finally:
        server.kill()
        server.wait()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/api/v2/heartbeat", timeout=2, trust_env=False)
            return
        except httpx.HTTPError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"chroma did not start: {log.read_text(errors='replace')[-500:]}") from None
        time.sleep(0.05)
