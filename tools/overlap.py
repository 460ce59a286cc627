"""How far crowds hold the same people: the size of each pair's overlap, and who is in some, in all, in just one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from tools import audience
from tools.errors import AskAgain
from tools.scope import Moments, Scope

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader


@dataclass(frozen=True)
class Overlap:
    """`matrix[i][j]` people are in crowd i and in crowd j; the diagonal holds the sizes. `query` gives all in one row."""

    crowds: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    in_any: int
    in_all: int
    in_one: int
    query: str

    def share(self, i: int, j: int) -> float | None:
        """The part of crowd i that is in crowd j; None where nobody is in i."""
        return self.matrix[i][j] / self.matrix[i][i] if self.matrix[i][i] else None

    def number_query(self, column: str) -> str:
        """The statement that gives one number: `both_I_J` (I ≤ J, from 0), `in_any`, `in_all` or `in_one`."""
        return f"SELECT {column} FROM (\n{self.query}\n) AS overlap"

    def pair_query(self, i: int, j: int) -> str:
        return self.number_query(_pair(i, j))


def overlap(engine: Reader, expressions: Sequence[str], scope: Scope) -> Overlap:
    """The overlap of crowd expressions (each counted once) at the scope's moment, from one statement.

    AskAgain when fewer than two different crowds are given, or an expression cannot be read.
    """
    trees = {audience.canonical(t): t for t in map(audience.parse, expressions)}
    crowds = tuple(trees)
    if len(crowds) < 2:
        raise AskAgain("overlap_of_one", crowd=next(iter(crowds), "—"))
    shape = ("overlap", *crowds)
    rows, sql = engine.rows(shape, lambda at: _counted(_combinations(engine, crowds, at), len(crowds)), scope)
    found = rows[0]
    numbers = range(len(crowds))
    return Overlap(
        crowds=crowds,
        matrix=tuple(tuple(found[_pair(i, j)] for j in numbers) for i in numbers),
        in_any=found["in_any"],
        in_all=found["in_all"],
        in_one=found["in_one"],
        query=sql,
    )


def _pair(i: int, j: int) -> str:
    return f"both_{min(i, j)}_{max(i, j)}"


def _combinations(engine: Reader, crowds: Sequence[str], at: Moments) -> ir.Table:
    """`in_0`…, 0 or 1 each, and `people`: a row for each combination of crowds that somebody is in."""
    import ibis

    people = audience.people_of(engine, crowds, at)
    listed = ibis.union(*(p.select("user_id", crowd=ibis.literal(i, "int64")) for i, p in enumerate(people)))
    flags = {f"in_{i}": (listed.crowd == i).cast("int64").max() for i in range(len(crowds))}
    each = listed.group_by("user_id").agg(**flags)
    return each.group_by(*flags).agg(people=each.count())


def _counted(t: ir.Table, n: int) -> ir.Table:
    """One row with every number of the overlap."""
    inside = [t[f"in_{i}"] for i in range(n)]

    def people(weight: Any) -> Any:
        return (weight * t.people).sum().fill_null(0).cast("int64")

    pairs = {_pair(i, j): people(inside[i] * inside[j]) for i in range(n) for j in range(i, n)}
    crowds = reduce(lambda a, b: a + b, inside)
    return t.aggregate(
        **pairs,
        in_any=people((crowds > 0).cast("int64")),
        in_all=people((crowds == n).cast("int64")),
        in_one=people((crowds == 1).cast("int64")),
    )
