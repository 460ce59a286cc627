"""The known words of one question by what they mean: crowds at once or apart, who is left out, metrics, the channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bot.understanding import people
from bot.understanding.lexicon import Match, Slot, fold, words

# Of people who are a metric themselves what they did is one too: 活跃会员里成交了多少人.
_WHO_DID = {
    ("active_members", "buyers"): "active_member_buyers",
    ("active_fans_only", "buyers"): "active_fan_only_buyers",
    ("rv_active", "buyers"): "rv_active_buyers",
    ("rv_active", "paid_amount"): "rv_active_amount",
}


class Slots:
    """The matches of one question by what they mean."""

    def __init__(self, matches: Sequence[Match], text: str) -> None:
        self.matches = matches
        self.text = text

    def all(self, slot: Slot) -> list[str]:
        return list(dict.fromkeys(v for m in self.matches if (v := m.value(slot)) is not None))

    def first(self, slot: Slot) -> str | None:
        values = self.all(slot)
        return values[0] if values else None

    def has(self, slot: Slot) -> bool:
        return any(m.value(slot) is not None for m in self.matches)

    @property
    def crowds(self) -> list[str]:
        """The crowds named (people.py)."""
        return people.crowds(self.matches, self.text)

    def negated(self, match: Match) -> bool:
        """非会员, 不是会员的, 除了上海, not members, non-members."""
        return people.negated(match, self.matches, self.text)

    @property
    def filters(self) -> list[str]:
        return list(
            dict.fromkeys(("not " if self.negated(m) else "") + v for m in self.matches if (v := m.value("filter")))
        )

    def _joined(self, start: int, end: int) -> bool:
        between = self.text[start:end]
        return any(m.value("joiner") is not None and start <= m.start < end for m in self.matches) or any(
            c in between for c in ",，、/;；vs"
        )

    @property
    def metrics(self) -> list[str]:
        named = self.all("metric")
        if self._conversion_of_messages and all(m.startswith("touch_") for m in named):
            return list(dict.fromkeys([*named, "touch_conversion_rate"]))
        found = [m for m in self.matches if m.value("metric")]
        for who, did in pairwise(found):
            both = _WHO_DID.get((who.value("metric") or "", did.value("metric") or ""))
            if both and not self._joined(who.end, did.start):
                return [both if m == who.value("metric") else m for m in named if m != did.value("metric")]
        return named

    @property
    def _conversion_of_messages(self) -> bool:
        """短信的转化率: of the rates that are called so, a channel's is that of its messages."""
        return self.has("channel") and "conversion_rate" in (self.first("ambiguous_metric") or "").split(",")

    @property
    def channel(self) -> str | None:
        """The channel named, also inside the name of a metric of messages (短信点击率)."""
        inside = [m.text for m in self.matches if (m.value("metric") or "").startswith("touch_")]
        named = ((c, w) for c, group in words().channels.items() for w in group if any(fold(w) in t for t in inside))
        return self.first("channel") or next((c for c, _ in named), None)

    @property
    def intents(self) -> list[str]:
        return self.all("intent")

    def match(self, slot: Slot) -> Match:
        return next(m for m in self.matches if m.value(slot) is not None)


def settled(matches: Sequence[Match], dated: bool) -> list[Match]:
    """A word that names both a crowd and a metric (new members) is the metric where the question is about some days, a
    comparison or a split, else the crowd."""
    dated = dated or any(m.value("compare") or m.value("by") for m in matches)
    dropped: Slot = "crowd" if dated else "metric"
    return [
        replace(m, meanings=tuple(x for x in m.meanings if x[0] != dropped))
        if m.value("crowd") and m.value("metric")
        else m
        for m in matches
    ]
