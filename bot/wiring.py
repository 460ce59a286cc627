"""Opens everything once, on first use, and closes it on exit."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.model_settings import ModelSettings, model_settings
from tools.context import Context
from tools.facts import FactSheet
from tools.shop import Shop, load_shop

if TYPE_CHECKING:
    from bot.answer import Answer
    from bot.state import State
    from bot.understanding.lexicon import Lexicon
    from knowledge.search import Searcher
    from tools.reader import Reader


_VALUES = 300  # of each column that a question may filter by
_TITLES = 5_000  # of items


class WarRoom:
    """One shop's engine, index, agent and memory."""

    def __init__(
        self,
        root: Path,
        progress: Callable[[int, int], None] | None = None,
        *,
        memory_url: str | None = None,
        state_url: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """`state_url`: where what models cost is kept, else the workspace's own state. NeedsPerson: a setting of the model
        in `env` (default: the process's environment) cannot be read."""
        self.shop: Shop = load_shop(root)
        self.model: ModelSettings | None = model_settings(os.environ if env is None else env)
        self._progress = progress
        self._memory_url = memory_url
        self._state_url = state_url
        self._opened: list[Callable[[], None]] = []
        self.recent: OrderedDict[Any, Answer] = OrderedDict()  # bot/recall.py
        self.recent_lock = threading.Lock()

    @cached_property
    def engine(self) -> Reader:
        from tools.engine import open_engine

        engine = open_engine(self.shop)
        self._opened.append(engine.close)
        return engine

    def local(self, query: str) -> str:
        """A query of ours as the shop's engine reads it: to run as it stands, wherever it is copied to."""
        return query if self.shop.warehouse is None else self.engine.local(query)

    @cached_property
    def search(self) -> Searcher:
        from knowledge.search import Searcher
        from tools.documents import folder_of
        from tools.own_tasks import stamp, strategies_for

        return Searcher(
            self.shop.index_dir,
            self._progress,
            folder_of(self.shop.root),
            settings=self.shop.knowledge,
            tasks=lambda: strategies_for(self.shop),
            stamp=lambda: stamp(self.shop.root),
        )

    @cached_property
    def lexicon(self) -> Lexicon:
        from bot.understanding.lexicon import lexicon_for

        return lexicon_for(self.shop.campaigns, self._filter_values())

    def _filter_values(self) -> dict[str, list[str]]:
        """The member levels, cities, items and categories of the shop, so that a question may name them."""
        from tools.filters import CUSTOMER_COLUMNS

        if not self.shop.has_data:
            return {}
        found: dict[str, list[str]] = {}
        for column in CUSTOMER_COLUMNS:
            sql = (
                f"SELECT {column} AS v FROM customers WHERE {column} IS NOT NULL "
                f"GROUP BY 1 ORDER BY count(*) DESC LIMIT {_VALUES}"
            )
            found[column] = [str(row["v"]) for row in self.engine.query(sql)]
        for kind, column in (("item", "title"), ("category", "category_id")):
            sql = f"SELECT DISTINCT {column} AS v FROM items WHERE {column} IS NOT NULL ORDER BY 1 LIMIT {_TITLES}"
            found[kind] = [str(row["v"]) for row in self.engine.query(sql)]
        return found

    @cached_property
    def agent(self) -> Any:
        """The agent without memory, for single questions."""
        from bot.agent import build

        return build()

    @cached_property
    def remembering_agent(self) -> Any:
        """The agent that keeps each session's exchanges in the workspace."""
        from bot.agent import build, open_memory

        saver, close = open_memory(self._memory_url or self.shop.memory_file)
        self._opened.append(close)
        return build(saver)

    @cached_property
    def conversing_agent(self) -> Any:
        """The agent with the language models of the settings."""
        from bot.agent import build_conversing

        assert self.model
        return build_conversing(self.model.endpoints)

    @cached_property
    def state(self) -> State:
        """Where the use of language models is noted."""
        from bot.state import State

        state = State.open(self._state_url or f"sqlite:///{self.shop.root.resolve() / 'state.sqlite'}")
        self._opened.append(state.close)
        return state

    def context(self, at: datetime | None, lang: str) -> Context:
        """The surroundings of one question at `at` (default: the shop's now)."""
        moment = at or self.shop.now()
        return Context(
            shop=self.shop,
            at=moment,
            lang=lang,
            open_engine=lambda: self.engine,
            open_search=lambda: self.search,
            sheet=FactSheet(moment, lang, self.shop.currency, self.local),
        )

    def warm(self) -> None:
        """Open what questions need now, in one thread, so that the first question does not pay for it."""
        if self.shop.has_data:
            assert self.engine
        assert self.lexicon
        assert self.remembering_agent
        assert self.agent
        if self.model is not None:
            assert self.conversing_agent
            assert self.state

    def forget_values(self) -> None:
        """After an import: the levels and cities that a question may name are read anew."""
        self.__dict__.pop("lexicon", None)

    def learn(self, path: Path) -> str:
        """Add a document to the shop's knowledge and index it; returns the name by which it is cited."""
        from tools import documents

        source = documents.add(self.shop.root, path).source
        self.search.build(self._progress)
        return source

    def stamp(self) -> tuple[Any, ...]:
        """Changes whenever the data, the shop's documents or its task list do."""
        from knowledge import documents
        from tools import own_tasks
        from tools.documents import folder_of

        data = self.engine.stamp() if self.shop.has_data else ()
        return (data, documents.stamp(folder_of(self.shop.root)), own_tasks.stamp(self.shop.root))

    def give_way(self) -> None:
        """Let go of the data file if somebody waits to write it; the next question opens it again."""
        if "engine" in self.__dict__:
            self.engine.give_way()

    def release(self) -> None:
        """Let go of the data file, to write it ourselves."""
        if "engine" in self.__dict__:
            self.engine.release()

    def close(self) -> None:
        for close in reversed(self._opened):
            close()
        self._opened.clear()

    def __enter__(self) -> WarRoom:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
