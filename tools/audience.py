"""Crowds by name and by expression ("cart_unpaid and member and not coupon_unredeemed"): sizes and profiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools import names
from tools.columns import quote
from tools.crowds import CROWDS, both, either, without
from tools.errors import AskAgain
from tools.scope import Moments, Scope

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.engine import Engine

_TOKEN = re.compile(r"\s*(\(|\)|\w+:\"[^\"]*\"|[^\s()]+)")
_AND, _OR, _NOT = ("and", "且", "和", "并且"), ("or", "或", "或者"), ("not", "非", "不是", "排除")
TOP_ITEMS = 5

# A parsed expression: a key, a filter such as "city:上海", ("not", x), ("and", x, y) or ("or", x, y).
FILTERS = ("member_level", "city")
Tree = str | tuple[Any, ...]


def parse(expression: str) -> Tree:
    """The tree of a crowd expression with names resolved to keys. `not` binds tightest, then `and`, then `or`.

    AskAgain when a crowd is unknown (with the nearest) or the expression does not close.
    """
    expression = expression.strip()
    whole = names.fold(expression)
    for key, entry in catalog.crowds().items():
        if whole in map(names.fold, names.words_of(key, entry)):
            return key
    tokens = _TOKEN.findall(expression)
    tree, rest = _either(tokens, expression)
    if rest:
        raise AskAgain("bad_expression", text=expression, at=rest[0])
    return tree


def _either(tokens: list[str], text: str) -> tuple[Tree, list[str]]:
    left, rest = _both(tokens, text)
    while rest and rest[0].lower() in _OR:
        right, rest = _both(rest[1:], text)
        left = ("or", left, right)
    return left, rest


def _both(tokens: list[str], text: str) -> tuple[Tree, list[str]]:
    left, rest = _one(tokens, text)
    while rest and rest[0].lower() in _AND:
        right, rest = _one(rest[1:], text)
        left = ("and", left, right)
    return left, rest


def _one(tokens: list[str], text: str) -> tuple[Tree, list[str]]:
    if not tokens:
        raise AskAgain("bad_expression", text=text, at="…")
    head, rest = tokens[0], tokens[1:]
    if head.lower() in _NOT:
        inner, rest = _one(rest, text)
        return ("not", inner), rest
    if head == "(":
        inner, rest = _either(rest, text)
        if not rest or rest[0] != ")":
            raise AskAgain("bad_expression", text=text, at="(")
        return inner, rest[1:]
    if head == ")":
        raise AskAgain("bad_expression", text=text, at=")")
    column, colon, value = head.partition(":")
    if colon and value and column in FILTERS:
        return head, rest  # a value with blanks stands in double quotes
    return names.crowd_key(head), rest


def canonical(tree: Tree) -> str:
    """The tree as an expression of keys; the same for every way of writing it."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "not":
        inner = canonical(tree[1])
        return f"not {inner}" if isinstance(tree[1], str) else f"not ({inner})"
    parts = [canonical(t) if isinstance(t, str) or t[0] in ("not", tree[0]) else f"({canonical(t)})" for t in tree[1:]]
    return f" {tree[0]} ".join(parts)


def label(tree: Tree, lang: str) -> str:
    """A name that a person reads: 加购未付款且会员."""
    if isinstance(tree, str):
        return tree.partition(":")[2].strip('"') if ":" in tree else catalog.crowds()[tree].name.get(lang)
    if tree[0] == "not":
        return ("not " if lang == "en" else "非") + label(tree[1], lang)
    if tree[0] == "and" and isinstance(tree[2], str) and ":" in tree[2]:
        # 上海会员: a filter reads as an attribute of the people.
        value, people = label(tree[2], lang), label(tree[1], lang)
        return f"{people} ({value})" if lang == "en" else f"{value}{people}"
    joint = {"and": (" and ", "且"), "or": (" or ", "或")}[tree[0]][0 if lang == "en" else 1]
    return joint.join(label(t, lang) for t in tree[1:])


def expression(engine: Engine, text: str, at: Moments) -> ir.Table:
    """The people of a crowd expression: a table of distinct `user_id`."""
    return _people(engine, parse(text), at, {})


def _people(engine: Engine, tree: Tree, at: Moments, done: dict[str, ir.Table]) -> ir.Table:
    # One expression object per crowd lets the compiler share it as one common table expression.
    if isinstance(tree, str):
        if tree not in done:
            done[tree] = _filtered(engine, tree, at) if ":" in tree else CROWDS[tree](engine, at)
        return done[tree]
    op = tree[0]
    if op == "not":
        return without(_people(engine, "all", at, done), _people(engine, tree[1], at, done))
    left, right = tree[1], tree[2]
    if op == "and":
        if not isinstance(right, str) and right[0] == "not":
            return without(_people(engine, left, at, done), _people(engine, right[1], at, done))
        if not isinstance(left, str) and left[0] == "not":
            return without(_people(engine, right, at, done), _people(engine, left[1], at, done))
        return both(_people(engine, left, at, done), _people(engine, right, at, done))
    return either(_people(engine, left, at, done), _people(engine, right, at, done))


def _filtered(engine: Engine, text: str, at: Moments) -> ir.Table:
    """People by a column of their customer row; a member level counts only for members at that moment."""
    column, _, value = text.partition(":")
    c = engine.table("customers")
    c = c.filter(c[column] == value.strip('"'))
    return (c.filter(c.member_joined_at <= at.at) if column == "member_level" else c).select("user_id").distinct()


@dataclass(frozen=True)
class Counted:
    """A number of people and the query that gives it."""

    people: int
    query: str


def sizes(engine: Engine, expressions: Sequence[str], scope: Scope) -> dict[str, Counted]:
    """The size of each crowd expression at the scope's moment, all from one statement."""
    if not expressions:
        return {}
    trees = [parse(text) for text in expressions]

    def build(at: Moments) -> ir.Table:
        import ibis

        done: dict[str, ir.Table] = {}
        parts = []
        for i, tree in enumerate(trees):
            people = _people(engine, tree, at, done)
            parts.append(people.aggregate(people=people.count()).mutate(n=ibis.literal(i)))
        return ibis.union(*parts) if len(parts) > 1 else parts[0]

    rows, sql = engine.rows(("sizes", *map(canonical, trees)), build, scope)
    found = {row["n"]: row["people"] for row in rows}
    return {
        text: Counted(found[i], f'SELECT "people" FROM (\n{sql}\n) AS sizes WHERE "n" = {i}')
        for i, text in enumerate(expressions)
    }


@dataclass(frozen=True)
class Profile:
    """A crowd at a moment. `at_stake` is None for crowds without carts and where no price is known."""

    key: str
    size: int
    shop_size: int
    share: float | None
    at_stake: float | None
    top_items: list[tuple[str, str, int]]  # item_id, title, people
    by_level: dict[str, int]  # "" stands for people who are no members
    sql: str

    def query(self, part: str, key: str | None = None) -> str:
        """The statement that gives one number of this profile."""
        column = "amount" if part == "at_stake" else "people"
        where = f"\"part\" = '{part}'" + ("" if key is None else f' AND "key" = {quote(key)}')
        return f'SELECT "{column}" FROM (\n{self.sql}\n) AS profile WHERE {where}'

    def members_query(self) -> str:
        """The statement that gives the members of the crowd: everybody with a level."""
        where = "\"part\" = 'level' AND \"key\" <> ''"
        return f'SELECT coalesce(sum("people"), 0) FROM (\n{self.sql}\n) AS profile WHERE {where}'

    def share_query(self) -> str:
        return f"SELECT ({self.query('size')}) / ({self.query('shop')})"


def has_carts(tree: Tree) -> bool:
    """Whether money at stake means anything: some crowd of the expression is about carts."""
    return mentions(tree, lambda key: ":" not in key and catalog.crowds()[key].cart)


def mentions(tree: Tree, test: Callable[[str], bool]) -> bool:
    """Whether `test` holds for some crowd or filter of the expression that is not left out by a `not`."""
    if isinstance(tree, str):
        return test(tree)
    return tree[0] != "not" and any(mentions(t, test) for t in tree[1:])


def profile(engine: Engine, text: str, scope: Scope) -> Profile:
    """Size, share, money at stake, top items and split by member level of one crowd expression, from one statement."""
    tree = parse(text)
    carts = has_carts(tree)
    rows, sql = engine.rows(("profile", canonical(tree)), lambda at: _profile(engine, tree, carts, at), scope)
    by_part: dict[str, list[dict[str, Any]]] = {}
    for r in rows:
        by_part.setdefault(r["part"], []).append(r)
    size, shop_size = by_part["size"][0]["people"], by_part["shop"][0]["people"]
    top = sorted(by_part.get("item", []), key=lambda r: (-r["people"], r["key"]))
    levels = sorted(by_part.get("level", []), key=lambda r: (-r["people"], r["key"]))
    return Profile(
        key=canonical(tree),
        size=size,
        shop_size=shop_size,
        share=size / shop_size if shop_size else None,
        at_stake=by_part["at_stake"][0]["amount"] if carts else None,
        top_items=[(r["key"], r["title"] or r["key"], r["people"]) for r in top],
        by_level={r["key"]: r["people"] for r in levels},
        sql=sql,
    )


def _profile(engine: Engine, tree: Tree, carts: bool, at: Moments) -> ir.Table:
    """`part`, `key`, `title`, `people`, `amount`: one row a number of the profile."""
    import ibis

    done: dict[str, ir.Table] = {}
    people = _people(engine, tree, at, done)
    shop = _people(engine, "all", at, done)

    def row(part: str, t: ir.Table) -> ir.Table:
        return t.aggregate(people=t.count()).select(
            part=ibis.literal(part),
            key=ibis.null("string"),
            title=ibis.null("string"),
            people=ibis._.people,
            amount=ibis.null("float64"),
        )

    parts = [row("size", people), row("shop", shop), _levels(engine, people, at)]
    if carts:
        wanted = _unpaid_items(engine, people, at)
        parts += [_stake(wanted), _top_items(engine, wanted)]
    return ibis.union(*parts)


def _levels(engine: Engine, people: ir.Table, at: Moments) -> ir.Table:
    import ibis

    c = engine.table("customers")
    members = c.filter(c.member_joined_at <= at.at).select("user_id", level=c.member_level.fill_null("—"))
    t = people.left_join(members, "user_id").drop("user_id_right")
    counted = t.group_by(key=t.level.fill_null("")).agg(people=t.count())
    return counted.select(
        part=ibis.literal("level"),
        key=counted.key,
        title=ibis.null("string"),
        people=counted.people,
        amount=ibis.null("float64"),
    )


def _unpaid_items(engine: Engine, people: ir.Table, at: Moments) -> ir.Table:
    """`user_id`, `item_id`, `quantity`, `price` of items carted in this wave and not paid since by that person."""
    e = engine.table("events")
    carts = e.filter(e.kind == "cart", e.ts >= at.wave_start, e.ts <= at.wave_until, e.item_id.notnull())
    carts = carts.semi_join(people, "user_id")
    # Of two carts in one second the larger quantity counts, so that the result does not depend on the order of rows.
    per_second = carts.group_by("user_id", "item_id", "ts").agg(quantity=carts.quantity.fill_null(1).max())
    last = per_second.group_by("user_id", "item_id").agg(
        carted_at=per_second.ts.max(), quantity=per_second.quantity.argmax(per_second.ts)
    )
    o = engine.table("orders")
    paid = o.filter(o.paid_at <= at.at).group_by("user_id", "item_id").agg(paid_at=o.paid_at.max())
    t = last.left_join(paid, ["user_id", "item_id"]).drop("user_id_right", "item_id_right")
    t = t.filter(t.paid_at.isnull() | (t.paid_at < t.carted_at))
    i = engine.table("items").select("item_id", "promo_price", "list_price")
    t = t.left_join(i, "item_id").drop("item_id_right")
    return t.select("user_id", "item_id", "quantity", price=t.promo_price.fill_null(t.list_price))


def _stake(wanted: ir.Table) -> ir.Table:
    """Σ quantity × price; null where nothing has a price, 0 where nothing is wanted."""
    import ibis

    total = wanted.aggregate(n=wanted.count(), amount=(wanted.quantity * wanted.price).sum())
    return total.select(
        part=ibis.literal("at_stake"),
        key=ibis.null("string"),
        title=ibis.null("string"),
        people=ibis.null("int64"),
        amount=ibis.ifelse(total.n == 0, 0, total.amount).cast("float64"),
    )


def _top_items(engine: Engine, wanted: ir.Table) -> ir.Table:
    import ibis

    per = wanted.group_by("item_id").agg(people=wanted.user_id.nunique())
    top = per.order_by(per.people.desc(), per.item_id).limit(TOP_ITEMS)
    titles = engine.table("items").select("item_id", "title")
    t = top.left_join(titles, "item_id").drop("item_id_right")
    return t.select(
        part=ibis.literal("item"), key=t.item_id, title=t.title, people=t.people, amount=ibis.null("float64")
    )
