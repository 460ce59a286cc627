"""The shops that one bot serves. Answering blocks, so it happens in a few threads, never on the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import prompts
from bot.conversation import Question, answer
from bot.wiring import WarRoom
from tools.errors import NeedsPerson, WarRoomError

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
log = logging.getLogger(__name__)
_THREADS = 4


class Rooms:
    """Shop key → open WarRoom. A shop whose shop.yaml changed is opened anew before its next question."""

    def __init__(self, roots: tuple[Path, ...], memory_url: str | None = None) -> None:
        self._roots = {root.resolve().name: root for root in roots}
        if len(self._roots) < len(roots):
            raise NeedsPerson("shops_same_name", names=", ".join(root.name for root in roots))
        self._memory_url = memory_url
        self._pool = ThreadPoolExecutor(_THREADS, "answer")
        self._lock = threading.Lock()
        self._open: dict[str, tuple[float, WarRoom]] = {}
        self._busy: dict[int, int] = {}  # how many threads are in a room; by id, for a room that was replaced
        for key in self._roots:
            self.room(key).warm()
            self._pool.submit(self._first_question, key)

    def _first_question(self, shop: str) -> None:
        """One question nobody asked, so that the first real one does not wait for what is loaded on first use."""
        try:
            for text in (prompts.text("question.today", "zh"), prompts.text("question.metrics", "zh")):
                self._work(shop, lambda room: answer(room, Question(text)))  # noqa: B023  # run before the next round
            self._work(shop, lambda room: room.search.search(text, 1))
        except WarRoomError as e:
            log.warning("%s: %s", shop, e)

    @property
    def keys(self) -> list[str]:
        return list(self._roots)

    def name(self, shop: str) -> str:
        return self.room(shop).shop.name

    def root(self, shop: str) -> Path:
        return self._roots[shop]

    def room(self, shop: str) -> WarRoom:
        """The shop's room. A broken edit of shop.yaml is logged and the last good one stays."""
        path = self._roots[shop] / "shop.yaml"
        with self._lock:
            known = self._open.get(shop)
            try:
                stamp = path.stat().st_mtime
            except OSError:
                stamp = known[0] if known else 0.0
            if known is None or stamp != known[0]:
                try:
                    fresh = WarRoom(self._roots[shop], memory_url=self._memory_url)
                except WarRoomError as e:
                    if known is None:
                        raise
                    log.error("%s: %s The settings from before stay in use.", shop, e)
                    self._open[shop] = (stamp, known[1])
                    return known[1]
                self._open[shop] = (stamp, fresh)
                if known is not None and not self._busy.get(id(known[1])):
                    known[1].close()
            return self._open[shop][1]

    async def run(self, shop: str, work: Callable[[WarRoom], T]) -> T:
        """`work` on the shop's room in a thread; whoever waits to import gets the data file afterwards."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(self._work, shop, work))

    def _work(self, shop: str, work: Callable[[WarRoom], T]) -> T:
        with self._used(self.room(shop)) as room:
            try:
                return work(room)
            finally:
                room.give_way()

    def give_way(self) -> None:
        """Let an import in another process have the data where nobody asks anything just now."""
        with self._lock:
            rooms = [room for _, room in self._open.values()]
        for room in rooms:
            room.give_way()

    @contextmanager
    def _used(self, room: WarRoom) -> Iterator[WarRoom]:
        with self._lock:
            self._busy[id(room)] = self._busy.get(id(room), 0) + 1
        try:
            yield room
        finally:
            with self._lock:
                self._busy[id(room)] -= 1
                if not self._busy[id(room)]:
                    del self._busy[id(room)]
                    if all(room is not kept for _, kept in self._open.values()):
                        room.close()  # it was replaced while somebody was in it

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        for _, room in self._open.values():
            room.close()
