"""Who may open the data file: DuckDB lets one process write, or many read. Those who read hold the file for as long as
they like, so somebody who wants to write would wait for a moment that never comes: he says so by holding this gate.

The gate is an advisory lock on a file beside the data, never on the data file itself: closing any other handle on that would
drop DuckDB's own lock. The system lets the lock go when its process dies, so nothing is left behind.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_PAUSE = 0.02  # seconds between two looks at a closed gate


class Gate:
    """The gate of one data file. Readers only look whether it is open; a writer holds it until he is done."""

    def __init__(self, data: Path) -> None:
        self._path = data.with_name(data.name + ".lock")
        self._held: int | None = None

    def closed(self) -> bool:
        """Whether somebody writes or waits to write."""
        file = self._open(os.O_RDONLY)
        if file is None:
            return False
        try:
            return not lock(file, alone=False)
        finally:
            os.close(file)

    def pass_by(self, until: float) -> bool:
        """Wait, until `time.monotonic()` is `until` at most, for an open gate; returns whether it is."""
        while self.closed():
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        return True

    def hold(self, until: float) -> bool:
        """Take the gate, waiting as `pass_by` does; returns whether it is ours. Without the right to make the file there
        is no gate, and DuckDB's own lock alone decides."""
        if self._held is not None:
            return True
        file = self._open(os.O_RDWR | os.O_CREAT)
        if file is None:
            return True
        while not lock(file, alone=True):
            if time.monotonic() >= until:
                os.close(file)
                return False
            time.sleep(_PAUSE)
        self._held = file
        return True

    def leave(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _open(self, flags: int) -> int | None:
        try:
            return os.open(self._path, flags, 0o666)
        except OSError:  # no gate yet, or a workspace that cannot be written
            return None


def lock(file: int, *, alone: bool) -> bool:
    """Try to lock; released when `file` is closed. On Windows there is no gate: everybody passes."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
