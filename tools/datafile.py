"""The data file and who holds it: the only opener of a database.

While anybody has the file open for reading nobody can write, and the other way round (DuckDB). So whoever reads lets go in
between: `release`, or `give_way` when somebody waits, and the next use opens the file again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.errors import NeedsPerson
from tools.gate import Gate

WAIT = 10.0  # seconds to wait for those who hold the file
_PAUSE = 0.02  # seconds between two tries
# DuckDB keeps what it can in memory up to here and the rest in a folder beside the data; what it takes beyond is little.
MEMORY = 5 << 30


class DataFile:
    """One DuckDB file, opened at once, shared by the threads of this process. `on_shut` is told when it is let go."""

    def __init__(self, path: Path, *, read_only: bool, on_shut: Callable[[], None]) -> None:
        self.path = path
        self.read_only = read_only
        self._on_shut = on_shut
        self._gate = Gate(path)
        self._state = threading.Condition()  # guards the rest; never held while a statement runs
        self._users = 0
        self._leaving = False
        self._raw: Any = self._connect()

    @property
    def raw(self) -> Any:
        """DuckDB's connection, opened again when it was let go.

        NeedsPerson: there is no file or no right to it, it is broken, or others hold it for longer than WAIT.
        """
        with self._state:
            if self._raw is None:
                self._raw = self._connect()
            return self._raw

    @contextmanager
    def in_use(self) -> Iterator[Any]:
        """The connection, which stays open inside. Not to be nested: it waits for a release under way to be done."""
        with self._state:
            while self._leaving and self._users:
                self._state.wait()
            raw = self.raw
            self._users += 1
        try:
            yield raw
        finally:
            with self._state:
                self._users -= 1
                if not self._users and self._leaving:
                    self._shut()

    def release(self) -> None:
        """Let the file go as soon as nobody uses it."""
        with self._state:
            self._leaving = True
            if not self._users:
                self._shut()

    def give_way(self) -> bool:
        """Release if somebody waits to write; returns whether. Looking costs microseconds."""
        if self._raw is None or not self._gate.closed():
            return False
        self.release()
        return True

    def close(self) -> None:
        """Let the file go now, whoever uses it."""
        with self._state:
            self._shut()

    def stamp(self) -> tuple[Any, ...]:
        """Changes when the file, or what is written ahead of it, does; steady while it is open for reading."""
        found: list[Any] = []
        for part in (self.path, self.path.with_name(self.path.name + ".wal")):
            if part.exists():
                state = part.stat()
                found.append((state.st_ino, state.st_size, state.st_mtime_ns))
        return tuple(found)

    def _shut(self) -> None:
        self._leaving = False
        self._on_shut()
        if self._raw is not None:
            self._raw.close()
            self._raw = None
        if not self.read_only:
            self._gate.leave()
        self._state.notify_all()

    def _connect(self) -> Any:
        until = time.monotonic() + WAIT
        if self.read_only and not self.path.exists():
            raise NeedsPerson("no_data_file", path=str(self.path))
        if not (self._gate.pass_by(until) if self.read_only else self._gate.hold(until)):
            raise NeedsPerson("data_locked", path=str(self.path))
        try:
            while (raw := _open(self.path, self.read_only)) is None:
                if time.monotonic() >= until:
                    raise NeedsPerson("data_locked", path=str(self.path))
                time.sleep(_PAUSE)
        except BaseException:
            self._gate.leave()
            raise
        return raw


def _memory() -> int:
    """Bytes that DuckDB may take: MEMORY, on a small machine half of what there is."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2 * MEMORY
    return min(MEMORY, there // 2)


def _open(path: Path, read_only: bool) -> Any:
    """A connection, or None while others hold the file; NeedsPerson when it cannot be opened at all."""
    import duckdb

    try:
        raw = duckdb.connect(path, read_only=read_only, config={"memory_limit": f"{_memory()}B"})
        raw.execute("SELECT count(*) FROM duckdb_tables()").fetchall()
    except duckdb.Error as e:
        text = str(e).lower()
        # Another process holds it; or this one does, the other way round.
        if "could not set lock" in text or "different configuration" in text:
            return None
        allowed = os.access(path if path.exists() else path.parent, os.R_OK if read_only else os.W_OK)
        code = "data_broken" if allowed or not isinstance(e, duckdb.IOException) else "no_permission"
        raise NeedsPerson(code, path=str(path)) from e
    return raw
