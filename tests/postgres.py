"""A throwaway PostgreSQL cluster for tests: in a temporary folder, on a unix socket there, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

_SETTINGS = {"listen_addresses": "", "fsync": "off", "max_connections": "200", "log_min_messages": "fatal"}


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """`postgresql://…` of an empty cluster; `new_database` makes an empty one of one's own in it."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed: apt-get install postgresql")
    account = _account()
    if account is None:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody to run it")
    folder = Path(tempfile.mkdtemp(prefix="warroom-pg-", dir="/tmp"))  # a socket's path must be short
    try:
        if os.geteuid() == 0:
            os.chown(folder, account.pw_uid, account.pw_gid)
        yield from _running(programs, folder, account)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(url: str) -> str:
    """A URL of the cluster `url` under which nothing is there yet: a schema of its own, far cheaper than a database."""
    import psycopg

    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{url}&options=-csearch_path%3D{name}"


def _running(programs: Path, folder: Path, account: pwd.struct_passwd) -> Iterator[str]:
    data = folder / "data"
    as_user: dict[str, int | list[int]] = {}
    if os.geteuid() == 0:
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", "warroom", "-A", "trust", "-E", "UTF8", "--no-sync"],
        capture_output=True, text=True, cwd=folder, env=environment, check=False, **as_user,  # type: ignore[call-overload]
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"initdb failed: {made.stderr.strip()[-300:]}")
    options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server: subprocess.Popen[bytes] = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, *options],
            stdout=log, stderr=log, cwd=folder, env=environment, **as_user,  # type: ignore[call-overload]
        )  # fmt: skip
    try:
        url = f"postgresql://warroom@/postgres?host={folder}"
        _wait(url, server, folder / "log")
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # PostgreSQL's immediate stop: nothing is worth writing any more
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError as e:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"PostgreSQL did not start: {e} {log.read_text(errors='replace')[-300:]}")
        time.sleep(0.05)


def _programs() -> Path | None:
    """The folder of initdb and postgres: on the PATH, or where Debian keeps the newest version."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name.zfill(4), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def _account() -> pwd.struct_passwd | None:
    """Who runs the server: we, or somebody else where we are root, as whom it refuses to run."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
