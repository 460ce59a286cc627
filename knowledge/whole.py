"""Files that are written whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of `path` once it is written. OSError, and nothing left of it, when that fails."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as f:
        new = Path(f.name)
        try:
            yield f
            f.close()
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
