"""The people of a crowd expression (tools/expressions.py): sizes and profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools import filters
from tools.crowds import CROWDS, both, either, without
from tools.expressions import Tree, canonical, changed, crowds_in, is_filter, label, mentions, parse
from tools.scope import Moments, Scope
from tools.sql import quote

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

__all__ = [
    "Counted", "Profile", "Tree", "canonical", "crowds_in", "expression", "has_carts", "label", "mentions", "parse", "people_of",
    "profile", "read", "size_query", "sizes",
]  # fmt: skip

TOP_ITEMS = 5


def read(engine: Reader, text: str) -> Tree:
    """The tree of an expression that a person wrote, its filters held against the shop's data (tools/filter_values.py).

    AskAgain when a crowd, a filter or a value is unknown (with the nearest), or the expression does not close.
    """
    from tools.filter_values import known

    return changed(parse(text), lambda condition: known(engine, condition))


def expression(engine: Reader, text: str, at: Moments) -> ir.Table:
    """The people of a crowd expression: a table of distinct `user_id`."""
    return _people(engine, parse(text), at, {})


def people_of(engine: Reader, texts: Sequence[str], at: Moments) -> list[ir.Table]:
    """The people of each expression; crowds that several of them mention are computed once."""
    done: dict[str, ir.Table] = {}
    return [_people(engine, parse(text), at, done) for text in texts]


def _people(engine: Reader, tree: Tree, at: Moments, done: dict[str, ir.Table]) -> ir.Table:
    # One expression object per crowd lets the compiler share it as one common table expression.
    if isinstance(tree, str):
        if tree not in done:
            done[tree] = filters.people(engine, tree, at) if is_filter(tree) else CROWDS[tree](engine, at)
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


@dataclass(frozen=True)
class Counted:
    """A number of people and the query that gives it."""

    people: int
    query: str


def size_query(engine: Reader, text: str, scope: Scope) -> str:
    """The statement that gives the size of one crowd expression as `people`."""

    def build(at: Moments) -> ir.Table:
        people = expression(engine, text, at)
        return people.aggregate(people=people.count())

    return engine.statement(("size", canonical(parse(text))), build, scope)


def sizes(engine: Reader, expressions: Sequence[str], scope: Scope) -> dict[str, Counted]:
    """The size of each crowd expression at the scope's moment, all from one statement."""
    if not expressions:
        return {}
    trees = [parse(text) for text in expressions]

    def build(at: Moments) -> ir.Table:
        import ibis

        found = enumerate(people_of(engine, expressions, at))
        parts = [people.aggregate(people=people.count()).mutate(n=ibis.literal(i)) for i, people in found]
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
    return mentions(tree, lambda key: not is_filter(key) and catalog.crowds()[key].cart)


def profile(engine: Reader, text: str, scope: Scope) -> Profile:
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


def _profile(engine: Reader, tree: Tree, carts: bool, at: Moments) -> ir.Table:
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


def _levels(engine: Reader, people: ir.Table, at: Moments) -> ir.Table:
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


def _unpaid_items(engine: Reader, people: ir.Table, at: Moments) -> ir.Table:
    """`user_id`, `item_id`, `quantity`, `price` of items carted in this wave and not paid since by that person."""
    e = engine.table("events")
    carts = e.filter(e.kind == "cart", e.ts >= at.wave_start, e.ts <= at.wave_until, e.item_id.notnull())
    carts = carts.semi_join(people, "user_id")
    # Of two carts in one second the larger quantity counts, so that the result does not depend on the order of rows.
    per_second = carts.group_by("user_id", "item_id", "ts").agg(quantity=carts.quantity.fill_null(1).max())
    last = per_second.group_by("user_id", "item_id").agg(carted_at=per_second.ts.max())
    same = ["user_id", "item_id", ("carted_at", "ts")]
    last = last.join(per_second, same).select("user_id", "item_id", "carted_at", "quantity")
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


def _top_items(engine: Reader, wanted: ir.Table) -> ir.Table:
    import ibis

    per = wanted.group_by("item_id").agg(people=wanted.user_id.nunique())
    top = per.order_by(per.people.desc(), per.item_id).limit(TOP_ITEMS)
    titles = engine.table("items").select("item_id", "title")
    t = top.left_join(titles, "item_id").drop("item_id_right")
    return t.select(
        part=ibis.literal("item"), key=t.item_id, title=t.title, people=t.people, amount=ibis.null("float64")
    )
