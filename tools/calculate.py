"""Numbers worked out from facts, so that a sum, a difference or a rate in a text has a query like every other number.

An expression is read as a Python expression, of which only names of facts, + - * /, brackets and two functions are taken.
Nothing is ever evaluated: units are worked out beside the value (people − people is people, CNY / people is CNY, ratio −
ratio is points).
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from knowledge import catalog
from knowledge.catalog import Unit
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import Fact, ToolResult

_LONGEST = 300  # characters
_MOST = 40  # numbers and signs
# What a unit counts; a ratio counts nothing. A day has 24 hours, yet days and hours are not mixed: nobody reads "3.6 days".
_COUNTED: dict[str, str] = {"people": "people", "CNY": "CNY", "count": "count", "hours": "hours", "days": "days"}
_SIGNS = {ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷"}
_WHOLE = {"zh": "整体", "en": "the whole"}
Sort = Literal["ratio", "points", "times", "counted"]


@dataclass(frozen=True)
class _Worth:
    """A part of an expression: its value, how a person and how the engine writes it, and what it counts.

    `up` counts per `down` (CNY per people); `sort` tells apart what counts nothing: a ratio, a difference of ratios, a multiple.
    """

    value: float
    said: str
    sql: str
    facts: tuple[Fact, ...]
    up: str = ""
    down: str = ""
    sort: Sort = "counted"
    change: bool = False
    atom: bool = True


def calculate(ctx: Context, expression: str) -> ToolResult:
    """Work out a number from numbers that tools gave before in this answer: a difference, a sum, a share, a change in percent.

    Use it whenever you want to write a number that no tool returned; never calculate yourself.
    expression: ids of numbers, + - * / and brackets, ratio(a, b) for a ÷ b, percent_change(now, before). Examples: "f1 - f3",
    "ratio(f7, f4)", "percent_change(f2, f5)", "1 - f9". No numbers of your own. Units are worked out: people − people are people,
    CNY / people is CNY, ratio − ratio is points.
    AskAgain when an id is unknown or has no number, units do not fit, a divisor is 0, or a sum would count people twice.
    """
    text = unicodedata.normalize("NFKC", expression).replace("×", "*").replace("÷", "/").replace("−", "-").strip()
    worth = _Reader(ctx).read(text)
    shown = f"{worth.value:,.2f}" if worth.sort == "times" else None
    key = "calculated.change" if worth.change else "calculated.value"
    crowds = {f.crowd for f in worth.facts}
    fact = ctx.sheet.add(
        ctx.say(key, expression=worth.said),
        worth.value,
        _unit(worth),
        f"SELECT {worth.sql}",
        shown=shown,
        crowd=next(iter(crowds)) if len(crowds) == 1 else None,
    )
    # Its inputs' queries are in the engine's own words already, and it is as old as they are.
    fact.query = f"SELECT {worth.sql}"
    fact.as_of = max(f.as_of for f in worth.facts)
    line = ctx.say("calculated.line", label=fact.label, value=fact.display)
    return ToolResult(kind="calculated", facts=[fact], data={"line": line})


def _unit(worth: _Worth) -> Unit:
    if worth.sort == "counted":
        return worth.up  # type: ignore[return-value]
    return "points" if worth.sort == "points" else "ratio"


class _Reader:
    """Reads one expression; AskAgain where it is none."""

    def __init__(self, ctx: Context) -> None:
        self.facts = {f.id: f for f in ctx.sheet.facts}

    def read(self, text: str) -> _Worth:
        if len(text) > _LONGEST:
            raise AskAgain("calculate_unreadable")
        try:
            tree = ast.parse(text, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
            raise AskAgain("calculate_unreadable") from e
        if sum(isinstance(n, ast.Name | ast.BinOp | ast.Constant) for n in ast.walk(tree)) > _MOST:
            raise AskAgain("calculate_unreadable")
        worth = self._of(tree.body)
        if not worth.facts:
            raise AskAgain("calculate_constant")
        return worth

    def _of(self, node: ast.expr) -> _Worth:
        if isinstance(node, ast.Name):
            return self._fact(node.id.lower())
        if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
            if isinstance(node.op, ast.Sub) and _is_one(node.left):
                return _rest(self._of(node.right))
            if isinstance(node.op, ast.Sub) and _is_one(node.right) and _is_quotient(node.left):
                return _less_one(self._of(node.left))
            return _joined(_SIGNS[type(node.op)], self._of(node.left), self._of(node.right))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self._of(node.operand)
            return _same(inner, -inner.value, f"−{_in(inner)}", f"-({inner.sql})")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2 and not node.keywords:
            name, (a, b) = node.func.id.lower(), map(self._of, node.args)
            if name == "ratio":
                return _joined("÷", a, b)
            if name == "percent_change":
                return _less_one(_joined("÷", a, b))
        if isinstance(node, ast.Constant):
            raise AskAgain("calculate_constant")
        raise AskAgain("calculate_unreadable")

    def _fact(self, name: str) -> _Worth:
        fact = self.facts.get(name)
        if fact is None:
            if not re.fullmatch(r"f\d{1,4}", name):  # a word of the asker's must not come back as if it had a source
                raise AskAgain("calculate_unreadable")
            raise AskAgain("calculate_unknown", id=name, known=_known(self.facts))
        if isinstance(fact.value, str) or fact.value is None or fact.unit in ("date", "text"):
            raise AskAgain("calculate_none", id=fact.id, label=fact.label)
        sql = f"({fact.query}) * 1e0"
        if fact.unit in _COUNTED:
            return _Worth(float(fact.value), fact.label, sql, (fact,), up=_COUNTED[fact.unit])
        multiple = fact.metric is not None and catalog.metrics()[fact.metric].multiple
        sort: Sort = "times" if multiple else "points" if fact.unit == "points" else "ratio"
        return _Worth(float(fact.value), fact.label, sql, (fact,), sort=sort)


def _known(facts: dict[str, Fact]) -> str:
    """The ids that there are, as a range: f1–f38."""
    ids = list(facts)
    return "-" if not ids else ids[0] if len(ids) == 1 else f"{ids[0]}–{ids[-1]}"


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value == 1


def _is_quotient(node: ast.expr) -> bool:
    return (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.lower() == "ratio"
    )


def _in(part: _Worth) -> str:
    return part.said if part.atom else f"({part.said})"


def _same(part: _Worth, value: float, said: str, sql: str, *, change: bool = False) -> _Worth:
    """Another value of the same kind, made of the same facts."""
    return _Worth(value, said, sql, part.facts, part.up, part.down, part.sort, change, atom=False)


def _rest(part: _Worth) -> _Worth:
    """1 − a share."""
    if part.sort != "ratio":
        raise AskAgain("calculate_units", left=_WHOLE, right=part.said)
    return _same(part, 1 - part.value, f"100% − {_in(part)}", f"1e0 - ({part.sql})")


def _less_one(part: _Worth) -> _Worth:
    """now ÷ before − 1: a change in percent."""
    if part.sort not in ("ratio", "times"):
        raise AskAgain("calculate_units", left=part.said, right=_WHOLE)
    return _Worth(
        part.value - 1, f"{part.said} − 100%", f"({part.sql}) - 1e0", part.facts, sort="ratio", change=True, atom=False
    )


def _joined(sign: str, a: _Worth, b: _Worth) -> _Worth:
    """The two put together. AskAgain when their units do not fit."""
    facts = tuple({f.id: f for f in (*a.facts, *b.facts)}.values())
    said = f"{_in(a)} {sign} {_in(b)}"
    if sign in "+−":
        sort = _added(sign, a, b)
        value = a.value + b.value if sign == "+" else a.value - b.value
        sql = f"({a.sql}) {'+' if sign == '+' else '-'} ({b.sql})"
        return _Worth(value, said, sql, facts, a.up, a.down, sort, change=sign == "−", atom=False)
    if sign == "÷":
        if b.value == 0:
            raise AskAgain("calculate_zero", label=b.said)
        value, sql = a.value / b.value, f"({a.sql}) / ({b.sql})"
        above, below = Counter((a.up, b.down)), Counter((a.down, b.up))
    else:
        value, sql = a.value * b.value, f"({a.sql}) * ({b.sql})"
        above, below = Counter((a.up, b.up)), Counter((a.down, b.down))
    up, down = ([unit for unit in counted.elements() if unit] for counted in (above - below, below - above))
    if len(up) > 1 or len(down) > 1 or (down and not up):
        raise AskAgain("calculate_units", left=a.said, right=b.said)
    sort = "counted" if up else "times" if "times" in (a.sort, b.sort) and sign == "×" else "ratio"
    return _Worth(value, said, sql, facts, up[0] if up else "", down[0] if down else "", sort, atom=False)


def _added(sign: str, a: _Worth, b: _Worth) -> Sort:
    """What a sum or a difference is; AskAgain when the two count different things, or the same people twice."""
    if (a.up, a.down) != (b.up, b.down):
        raise AskAgain("calculate_units", left=a.said, right=b.said)
    if a.up and sign == "+":
        if a.down:  # two averages have no sum
            raise AskAgain("calculate_units", left=a.said, right=b.said)
        _refuse_twice(a, b)
    sorts = {a.sort, b.sort}
    if sorts == {"ratio"}:
        if sign == "+":
            _refuse_twice(a, b)
        return "points" if sign == "−" else "ratio"
    if sorts == {"ratio", "points"}:
        return "ratio"
    if len(sorts) > 1:
        raise AskAgain("calculate_units", left=a.said, right=b.said)
    return a.sort


def _refuse_twice(a: _Worth, b: _Worth) -> None:
    """People of two crowds, or of two periods, may be the same ones; so may the money that they paid."""
    crowds = {f.crowd for f in (*a.facts, *b.facts) if f.crowd}
    periods = {tuple(sorted((f.period or {}).items())) for f in (*a.facts, *b.facts)}
    if len(crowds) > 1 or (a.up == "people" and len(periods) > 1):
        raise AskAgain("calculate_twice", left=a.said, right=b.said)
