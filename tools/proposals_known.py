"""The campaigns that a document's tasks may belong to, and their phases by the names people give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from knowledge import catalog
from tools.campaigns import Campaign, date_campaign
from tools.proposals_dates import Day, Span, folded
from tools.proposals_words import kind_of

_ANY_YEAR = 2024  # templates are compared by month and day
_WAVE = re.compile(
    r"第\s*([一二三四1-4])\s*[波轮阶]|(?<![a-z])wave\s*([1-4])|(?<![a-z])(first|second|third|fourth) wave"
)
_WAVES = {w: n for n, group in enumerate(("一1", "二2", "三3", "四4"), start=1) for w in group} | {
    "first": 1, "second": 2, "third": 3, "fourth": 4,
}  # fmt: skip


@dataclass(frozen=True)
class KnownPhase:
    key: str
    names: tuple[str, ...]
    first: Day
    last: Day


@dataclass(frozen=True)
class KnownCampaign:
    """A campaign of the shop, or (`draft`) the calendar found in the same document. `names`: every name it goes by;
    `own`: not one of the built-in calendars."""

    key: str
    names: tuple[str, ...]
    phases: tuple[KnownPhase, ...]
    draft: bool = False
    own: bool = False

    def phase(self, name: str) -> KnownPhase | None:
        """The phase that a document calls `name`: by its name, by wave and kind, or by kind where there is one of it."""
        wanted = squeezed(name)
        for p in self.phases:
            if wanted and wanted in {squeezed(n) for n in p.names}:
                return p
        kind, wave = kind_of(name), wave_of(name)
        same = [p for p in self.phases if kind and p.key.rstrip("0123456789") == kind]
        if wave is not None:
            return next((p for p in same if p.key == f"{kind}{wave}"), same[0] if len(same) == wave == 1 else None)
        return same[0] if len(same) == 1 else None

    def holds(self, span: Span) -> bool:
        """Whether the days of `span` lie in the campaign, whatever the year."""
        first, last = self.phases[0].first.order, self.phases[-1].last.order
        ends = [d.order for d in (span.first, span.last) if d is not None]
        return all(first <= d <= last if first <= last else d >= first or d <= last for d in ends)


def known_campaigns(campaigns: Sequence[Campaign]) -> list[KnownCampaign]:
    """The shop's campaigns, of each key the latest, and the templates."""
    templates = catalog.campaign_templates()
    latest = {key: date_campaign(t, _ANY_YEAR, key) for key, t in templates.items()}
    latest |= {c.key: c for c in sorted(campaigns, key=lambda c: c.first)}
    return [
        KnownCampaign(
            c.key,
            (c.key, c.name.zh, c.name.en, *c.aliases),
            tuple(
                KnownPhase(p.key, (p.key, p.name.zh, p.name.en), _day(p.first), _day(p.last)) for p in c.phases
            ),
            own=c.key not in templates,
        )
        for c in latest.values()
    ]  # fmt: skip


def _day(day: date) -> Day:
    return Day(day.month, day.day)


def wave_of(name: str) -> int | None:
    """1 in 第一波预热, 2 in wave 2; None where no wave is named."""
    m = _WAVE.search(folded(name))
    return _WAVES[next(g for g in m.groups() if g)] if m else None


def squeezed(name: str) -> str:
    """How phase names are compared: without numbering, marks and blanks, 期 and phase at the end."""
    bare = re.sub(r"^\s*(?:\d{1,2}\s*[、.．)）]\s*|[（(]\d{1,2}[)）]\s*)", "", name)
    return re.sub(r"(?:期|阶段|phase)$", "", re.sub(r"[\W_]+", "", folded(bare)))
