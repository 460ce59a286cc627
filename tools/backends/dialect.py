"""One dialect for the small statements that tools write by hand, DuckDB's; here they become another engine's.

Statements that Ibis compiled are in the engine's own dialect already. Wrapped into a hand-written one (`SELECT "people" FROM
(…) WHERE "part" = 'size'`), they are kept apart by marks that nobody can guess, so that no text of a user is taken for one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlglot.expressions as exp

_TOKEN = secrets.token_hex(8)
_BEGIN, _END = f"/* {_TOKEN} */", f"/* end {_TOKEN} */"
_MARKED = re.compile(re.escape(_BEGIN) + "(.*?)" + re.escape(_END), re.DOTALL)
_STAND_IN = "SELECT 1 AS _own_{}"


def marked(sql: str) -> str:
    """`sql`, known from here on as a statement in the engine's own dialect."""
    return f"{_BEGIN}{sql}{_END}"


def translated(sql: str, dialect: str, table: Callable[[str], exp.Expr | None]) -> str:
    """A hand-written statement in DuckDB's dialect, alone or around marked ones, in `dialect`; a marked one as it is.

    `table` says what stands for a table of ours; None leaves its name.
    """
    alone = _MARKED.fullmatch(sql)
    if alone:
        return alone[1]
    own: list[str] = []

    def kept_aside(match: re.Match[str]) -> str:
        own.append(match[1])
        return _STAND_IN.format(len(own) - 1)

    text = _rewritten(_MARKED.sub(kept_aside, sql), dialect, table)
    # From the last on: _own_1 begins _own_10.
    for i in reversed(range(len(own))):
        text = text.replace(_STAND_IN.format(i), own[i])
    return text


def _rewritten(sql: str, dialect: str, table: Callable[[str], exp.Expr | None]) -> str:
    import sqlglot
    import sqlglot.expressions as exp

    tree = sqlglot.parse_one(sql, read="duckdb")
    within = {cte.alias for cte in tree.find_all(exp.CTE)}
    for node in list(tree.find_all(exp.Table)):
        stand_in = None if node.db or node.name in within else table(node.name)
        if stand_in is not None:
            alias = node.alias or node.name
            node.replace(exp.alias_(stand_in, alias, table=True))
    return tree.transform(_functions(dialect)).sql(dialect=dialect)


@cache
def _functions(dialect: str) -> Callable[[exp.Expr], exp.Expr]:
    """What sqlglot leaves as DuckDB has it and the engine does not know."""
    import sqlglot.expressions as exp

    def changed(node: Any) -> Any:
        if isinstance(node, exp.Div):  # DuckDB divides whole numbers and decimals as floats
            return exp.Div(this=exp.cast(node.this, "double"), expression=node.expression, typed=False, safe=False)
        if isinstance(node, exp.Anonymous) and node.name.lower() == "date_sub" and len(node.expressions) == 3:
            return _whole_units(*node.expressions, dialect=dialect)
        return node

    return changed


def _whole_units(unit: exp.Expr, begin: exp.Expr, end: exp.Expr, *, dialect: str) -> exp.Expr:
    """date_sub('hour', begin, end): the whole units that have passed."""
    import sqlglot
    import sqlglot.expressions as exp

    if dialect == "spark":
        return exp.Anonymous(this="TIMESTAMPDIFF", expressions=[exp.var(unit.name.upper()), begin, end])
    seconds = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}[unit.name]
    span = exp.Extract(this=exp.var("EPOCH"), expression=exp.paren(exp.Sub(this=end, expression=begin)))
    whole = exp.Anonymous(
        this="TRUNC", expressions=[exp.Div(this=span, expression=sqlglot.exp.Literal.number(seconds))]
    )
    return exp.cast(whole, "bigint")
