"""What cannot be told from the data that is there, and what would be needed for it (knowledge/needs.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from knowledge import catalog

Kind = Literal["crowd", "metric", "by", "compare"]


@dataclass(frozen=True)
class Held:
    """What the tables hold: the columns with a value by table (a table without rows is not in it), the kinds of events."""

    columns: Mapping[str, frozenset[str]]
    kinds: frozenset[str]


@dataclass(frozen=True)
class Blind:
    """`key` (a crowd, a metric, a breakdown, a comparison) says nothing because of `because`: a table without rows, a
    column without a value (table.column) or a kind of events that never occurs (events:kind); `a|b`: one would do."""

    key: str
    kind: Kind
    because: str

    def as_json(self) -> dict[str, str]:
        return {"key": self.key, "kind": self.kind, "because": self.because}


def blind(held: Held) -> list[Blind]:
    """One entry for each thing and each need of it that is not met, in the catalogue's order."""
    needs = catalog.needs()
    wanted: dict[Kind, dict[str, list[str]]] = {
        "crowd": {key: needs.crowds[key] for key in catalog.crowds()},
        "metric": {key: metric_needs(key) for key in catalog.metrics()},
        "by": needs.by,
        "compare": needs.compare,
    }
    out = []
    for kind, things in wanted.items():
        for key, terms in things.items():
            causes = dict.fromkeys(cause for term in terms if (cause := unmet(term, held)) is not None)
            out += [Blind(key, kind, cause) for cause in causes]
    return out


def metric_needs(key: str) -> list[str]:
    """What a metric needs: its own list, else that of what it is the quotient of; a peers' average needs the peers."""
    own = catalog.needs().metrics
    definition = catalog.metrics()[key]
    if key in own:
        return own[key]
    if definition.peer_of:
        return catalog.needs().compare["peers"]
    parts = (definition.numerator, definition.denominator)
    return list(dict.fromkeys(term for part in parts if part in own for term in own[part]))


def unmet(need: str, held: Held) -> str | None:
    """None when one of the need's terms is met; else the need, with tables that hold no rows in place of their columns."""
    causes = []
    for term in need.split("|"):
        table, column, kind = catalog.need_parts(term)
        if table not in held.columns:
            causes.append(table)
        elif (column and column not in held.columns[table]) or (kind and kind not in held.kinds):
            causes.append(term)
        else:
            return None
    return "|".join(dict.fromkeys(causes))
