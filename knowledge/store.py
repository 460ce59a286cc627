"""Chroma, a folder in the workspace or a server by URL: opening it, and its errors as ours. The only importer of chromadb."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from knowledge.embeddings import Vectors
from knowledge.unavailable import IndexUnavailable

_WINDOWS = sys.platform == "win32"
_STATE = "chroma.sqlite3"
# Measured on 60,000 vectors of texts like ours: 99.9 % of the 50 nearest are found in some 8 ms, against 85 % in 3 ms with
# Chroma's own ef_search of 100. A denser graph finds as many in half the time, but takes three times as long to fill.
_GRAPH = {"space": "cosine", "ef_search": 800}
_FETCHED = 1000  # passages read back at once
_ASIDE = "broken"
_BUILDING, _OPENING = ".building", ".opening"
_SHOP = "shop-id"
_LISTED = 10_000  # collections of a server looked through at once
_CONNECT, _ANSWER = 5.0, 60.0  # s
_SEGMENT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What SQLite and the system say when the folder, not what is in it, is the trouble.
_DISK = re.compile(
    r"read-?only|disk is full|unable to open|permission|is locked|os error (?:13|17|20|28|30)\b"
    r"|code: (?:5|8|13|14|261|517|778|1032|1034|1290|1546|4618|4874|5386)\b",
    re.I,
)


class Gone(Exception):
    """A collection is no longer there: somebody has replaced it."""


class Damaged(IndexUnavailable):
    """What is in the folder cannot be read. It can be made again."""


class Store:
    """One shop's collections. `folder` is the workspace's index folder; the vectors are there, or on the server at `url`.

    Every method that talks to Chroma raises IndexUnavailable, and Gone or Damaged where that is what happened.
    """

    def __init__(self, folder: Path, url: str | None, token: str | None) -> None:
        self.folder = folder
        self.url = url
        self._token = token
        self._opened: Any = None
        self._state: tuple[int, int] | None = None

    @property
    def place(self) -> str:
        """Where the vectors are, as a person calls it."""
        return self.url or str(self.folder)

    @property
    def shared(self) -> bool:
        """Whether other machines may write to it too: a server, or a folder where the system knows no lock."""
        return self.url is not None or _WINDOWS

    @cached_property
    def prefix(self) -> str:
        """How the names of the shop's collections begin. On a server no two workspaces share one, not even copies of one."""
        if self.url is None:
            return "passages-"
        own = self.folder / _SHOP
        with self.disk():
            if not own.exists():
                own.write_text(uuid.uuid4().hex, encoding="ascii")
            identity = f"{own.read_text(encoding='ascii')}\0{self.folder.resolve()}"
        return f"warroom-{sha256(identity.encode()).hexdigest()[:12]}-"

    def ours(self) -> list[Any]:
        """The shop's collections, by name."""
        with self._talking() as client:
            found = client.list_collections(limit=_LISTED)
        return sorted((c for c in found if c.name.startswith(self.prefix)), key=lambda c: str(c.name))

    def create(self, rest: str, metadata: dict[str, Any]) -> Any:
        """An empty collection whose name ends with `rest`."""
        with self._talking() as client:
            return client.create_collection(
                self.prefix + rest,
                metadata=metadata,
                embedding_function=None,
                configuration={"hnsw": _GRAPH},
            )

    def mark(self, collection: Any, metadata: dict[str, Any]) -> None:
        """Put `metadata` in the place of what the collection had, at once."""
        with self._talking():
            collection.modify(metadata=metadata)

    def delete(self, collection: Any) -> None:
        """Take a collection away; somebody else may have been quicker."""
        try:
            with self._talking() as client:
                client.delete_collection(collection.name)
        except Gone:
            return

    def add(self, collection: Any, keys: Sequence[str], vectors: Vectors, digests: Sequence[str]) -> None:
        with self._talking():
            collection.add(ids=list(keys), embeddings=vectors, metadatas=[{"digest": d} for d in digests])

    def size(self, collection: Any) -> int:
        with self._talking():
            return int(collection.count())

    def pages(self, collection: Any) -> Iterator[tuple[list[str], list[str], Vectors]]:
        """(keys, digests, vectors) of everything in a collection, some at a time."""
        for offset in range(0, self.size(collection), _FETCHED):
            with self._talking():
                found = collection.get(limit=_FETCHED, offset=offset, include=["embeddings", "metadatas"])
            digests = [str((m or {}).get("digest", "")) for m in found["metadatas"]]
            yield found["ids"], digests, np.asarray(found["embeddings"], dtype=np.float32)

    def nearest(self, collection: Any, vector: Vectors, n: int) -> list[tuple[str, float]]:
        """The n nearest (key, cosine), best first."""
        with self._talking():
            found = collection.query(query_embeddings=vector[None, :], n_results=n, include=["distances"])
        return [(key, 1.0 - float(d)) for key, d in zip(found["ids"][0], found["distances"][0], strict=True)]

    def set_aside(self) -> None:
        """Move what cannot be read into a folder `broken` within, in the place of what was there before.

        Nothing is moved when another process has done so since we opened it.
        """
        seen = self._state
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        with self.alone(), self.disk():
            if _state_of(self.folder) != seen:
                return
            aside = self.folder / _ASIDE
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
            for left in self.folder.iterdir():
                if left.name.startswith(_STATE) or _SEGMENT.fullmatch(left.name):
                    left.rename(aside / left.name)

    def sweep(self) -> None:
        """Take away the vectors of deleted collections, which Chroma leaves in its folder. Only by who is alone."""
        if self.url is None:
            _sweep(self.folder)

    def alone(self) -> AbstractContextManager[None]:
        """One process of this machine at a time builds."""
        return self._locked(_BUILDING)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Wait for a lock in the folder; the system lets it go when its process dies. Windows has no such lock."""
        with self.disk():
            lock = (self.folder / name).open("w")
        with lock:
            if not _WINDOWS:
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def disk(self) -> Iterator[None]:
        """The index folder, there and writable, or IndexUnavailable."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as e:
            raise IndexUnavailable("index_folder", path=str(self.folder), detail=str(e)) from e

    @contextmanager
    def _talking(self) -> Iterator[Any]:
        """The client; its errors, and those of its transport, become ours."""
        import httpx
        from chromadb.errors import AuthorizationError, ChromaAuthError, ChromaError, NotFoundError

        try:
            if self._opened is None:
                with self._locked(_OPENING):  # processes that make Chroma's tables at once trip over each other
                    self._state = _state_of(self.folder)
                    self._opened = _client(self.folder, self.url, self._token)
                    self._state = _state_of(self.folder)
            yield self._opened
        except NotFoundError as e:
            raise Gone from e
        except (AuthorizationError, ChromaAuthError) as e:
            raise IndexUnavailable("index_refused", url=self.place) from e
        except (ChromaError, httpx.HTTPError, OSError, ValueError) as e:
            raise self._fault(e) from e
        except Exception as e:
            if type(e) is not Exception:  # the client raises a bare one for an answer that it cannot read
                raise
            raise self._fault(e) from e

    def _fault(self, e: Exception) -> IndexUnavailable:
        detail = str(e)[:200] or type(e).__name__
        if self.url is not None:
            return IndexUnavailable("index_server_down", url=self.url, detail=detail)
        if isinstance(e, OSError) or _DISK.search(detail):
            return IndexUnavailable("index_folder", path=str(self.folder), detail=detail)
        return Damaged("index_damaged", path=str(self.folder), detail=detail)


def _client(folder: Path, url: str | None, token: str | None) -> Any:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    quiet = Settings(anonymized_telemetry=False)
    if url is None:
        try:
            return chromadb.PersistentClient(path=str(folder), settings=quiet)
        except BaseException:  # or the library would go on with what it failed to open, even when that is mended
            SharedSystemClient._identifier_to_system.pop(str(folder), None)
            raise
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    _probe(url, headers)
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    client = chromadb.HttpClient(host=str(parts.hostname), port=port, ssl=secure, headers=headers, settings=quiet)
    client._server._session.timeout = _ANSWER  # the library waits without end, and has no setting for it
    return client


def _probe(url: str, headers: dict[str, str]) -> None:
    """Find out that a server is not there, is no Chroma, or refuses us: the library itself would wait without end."""
    import httpx

    answer = httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", headers=headers, timeout=_CONNECT)
    if answer.status_code in (401, 403):
        raise IndexUnavailable("index_refused", url=url)
    if answer.status_code != 200 or "nanosecond heartbeat" not in answer.text:
        raise IndexUnavailable("index_server_down", url=url, detail=f"HTTP {answer.status_code}, not a Chroma server")


def _state_of(folder: Path) -> tuple[int, int] | None:
    """Which state file the folder has: another one after somebody has set it aside."""
    try:
        found = (folder / _STATE).stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _sweep(folder: Path) -> None:
    with closing(sqlite3.connect(folder / _STATE)) as state:
        try:
            living = {row[0] for row in state.execute("SELECT id FROM segments")}
        except sqlite3.Error:  # another Chroma keeps its books elsewhere: then the folders stay
            return
    for left in folder.iterdir():
        if _SEGMENT.fullmatch(left.name) and left.name not in living:
            shutil.rmtree(left, ignore_errors=True)
