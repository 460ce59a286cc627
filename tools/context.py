"""What a tool works with: the shop, its data, its playbooks, the moment of the question and the answer's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import prompts
from tools.campaigns import Campaign, campaign_for, campaign_on
from tools.facts import FactSheet
from tools.scope import Scope
from tools.shop import Shop

if TYPE_CHECKING:
    from knowledge.search import Searcher
    from tools.reader import Reader


@dataclass(frozen=True)
class Context:
    """One question's surroundings. `open_engine` and `open_search` open on first use: not every tool needs them."""

    shop: Shop
    at: datetime
    lang: str
    open_engine: Callable[[], Reader]
    open_search: Callable[[], Searcher]
    sheet: FactSheet = field(compare=False)
    known: datetime | None = None  # planning ahead of data that goes on: nothing after this moment is looked at

    @property
    def engine(self) -> Reader:
        return self.open_engine()

    @property
    def campaign(self) -> Campaign | None:
        """The campaign of the moment: the one it is in, else the latest that began before it."""
        return campaign_for(self.at.date(), self.shop.campaigns)

    @property
    def inside(self) -> Campaign | None:
        """The campaign that the moment is in, if any."""
        return campaign_on(self.at.date(), self.shop.campaigns)

    @property
    def scope(self) -> Scope:
        return Scope(min(self.at, self.known or self.at), self.campaign, self.shop.settings)

    def local(self, query: str) -> str:
        """A query of ours as the shop's engine reads it: to run as it stands, wherever it is copied to."""
        return self.sheet.local(query)

    def seen_at(self, at: datetime) -> Context:
        """The same question looked at from another moment; facts added from here on are as of then."""
        self.sheet.at = at
        return replace(self, at=at)

    def say(self, key: str, **variables: object) -> str:
        """A fixed text in the answer's language."""
        return prompts.text(key, self.lang, **variables)
