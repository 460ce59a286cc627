"""Crowd expressions: how they are read and written, and what each filter counts, against plain Python on generated shops."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from knowledge import catalog
from tests import oracle, tiny_shop
from tests.shops import load
from tests.test_generated_shops import AS_OFS, CAMPAIGNS, fill, shops
from tools import audience, filters
from tools.audience import Tree
from tools.engine import Engine
from tools.errors import AskAgain
from tools.expressions import joined
from tools.scope import Moments, Scope
from tools.shop import Thresholds

Tables = dict[str, list[dict[str, Any]]]
SCOPE = Scope(tiny_shop.AS_OF, CAMPAIGNS[-1], Thresholds())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load(tmp_path_factory.mktemp("filters") / "data.duckdb", tiny_shop.TABLES)


# --- reading and writing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("加购未付款且（会员或粉丝）", "cart_unpaid and (member or fan)"),
        ("会员非老客", "member and not old"),
        ("会员 不是 老客", "member and not old"),
        ("members and not (fans or old customers)", "member and not (fan or old)"),
        ("members who have bought and fans", "member_bought and fan"),
        ("carted or favourited and un-paid", "cart_fav_unpaid"),
        ("未购非会员或已购非会员", "nonmember_unbought or nonmember_bought"),
        ('"people at the last step" and member', "last_push and member"),
        ("CART-UNPAID AND Member", "cart_unpaid and member"),
        ("member and (fan and old)", "member and fan and old"),
        ("member and fan or old", "(member and fan) or old"),
        ("not member and fan", "not member and fan"),
        ("not (member and fan)", "not (member and fan)"),
        ("会员且city：上海", "member and city:上海"),
        ('city:"New York" and member', 'city:"New York" and member'),
        ('city:"上海"', "city:上海"),
        ('item:"一件 ""特"" 品"', 'item:"一件 ""特"" 品"'),
        ("min_amount:1,234.50", "min_amount:1234.5"),
        ("MIN_AMOUNT:￥500元", "min_amount:500"),
        ("max_amount:0", "max_amount:0"),
        ("last_paid_within:030d or last_seen_within:7天", "last_paid_within:30 or last_seen_within:7"),
    ],
)
def test_an_expression_is_read_in_any_wording(text: str, canonical: str) -> None:
    tree = audience.parse(text)
    assert audience.canonical(tree) == canonical
    assert audience.parse(canonical) == tree


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("会员卡用户", "unknown_crowd", "会员卡用户"),
        ("members who bought", "unknown_crowd", "members who bought"),
        ("火星人且会员", "unknown_crowd", "「火星人」"),
        ("member fan", "unknown_crowd", "member fan"),
        ("member city:上海", "bad_expression", "city:上海"),
        ("cart_unpaid and (member", "bad_expression", "("),
        ("member)", "bad_expression", ")"),
        ("member and", "bad_expression", "…"),
        ("", "bad_expression", "…"),
        ("（" * 500, "bad_expression", "（"),
        ("shoe:42", "unknown_filter", "shoe:42"),
        ("城市:上海", "unknown_filter", "城市:上海"),
        ('city:""', "unknown_filter", "city"),
        ("min_amount:五百", "bad_filter_value", "min_amount:五百"),
        ("min_amount:-5", "bad_filter_value", "-5"),
        ("max_amount:1.005", "bad_filter_value", "1.005"),
        ("min_amount:1e5", "bad_filter_value", "1e5"),
        ("last_paid_within:0", "bad_filter_value", "0"),
        ("last_paid_before:99999", "bad_filter_value", "99999"),
        ("last_seen_within:1.5", "bad_filter_value", "1.5"),
    ],
)
def test_what_cannot_be_read_is_asked_back(text: str, code: str, part: str) -> None:
    with pytest.raises(AskAgain) as e:
        audience.parse(text)
    assert e.value.code == code
    assert part in e.value.message("zh")
    assert e.value.hint("zh")
    assert e.value.hint("en")


def test_the_nearest_filter_is_named_first() -> None:
    with pytest.raises(AskAgain) as e:
        filters.condition("min_amout=500")
    assert e.value.hint("zh").startswith("可以写：min_amount=…, ")
    assert "min_amout=500" in e.value.message("zh")


LEAVES = [
    "member", "fan", "old", "cart_unpaid", "nonmember_unbought", "cart_fav_unpaid", "coupon_unredeemed", "member_bought",
]  # fmt: skip
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8).filter(
    str.strip
)
CENTS = st.integers(0, 10**9)
CONDITIONS = st.one_of(
    st.builds(filters.normal, st.sampled_from(["city", "member_level", "item", "category"]), VALUES),
    st.builds(lambda c, n: filters.normal(f"{c}_amount", f"{n / 100:.2f}"), st.sampled_from(["min", "max"]), CENTS),
    st.builds(lambda n: filters.normal("last_seen_within", str(n)), st.integers(1, 999)),
)  # fmt: skip


def trees(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[Tree]:
    """Expressions of every shape, chains leaning either way."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner), st.tuples(st.sampled_from(["and", "or"]), inner, inner)
        ),
        max_leaves=8,
    )


def spelled(tree: Tree, lang: str) -> str:
    """The tree with a pair of brackets for each part, as nobody but a test writes it."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "not":
        return f"not ({spelled(tree[1], lang)})" if lang == "en" else f"非（{spelled(tree[1], lang)}）"
    op = {"zh": {"and": "且", "or": "或"}, "en": {"and": " AND ", "or": " or "}}[lang][tree[0]]
    left, right = (spelled(t, lang) for t in tree[1:])
    return f"({left}){op}({right})" if lang == "en" else f"（{left}）{op}（{right}）"


def leaning(tree: Tree) -> Tree:
    """The same tree with its chains leaning left."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "not":
        return "not", leaning(tree[1])
    return joined(tree[0], leaning(tree[1]), leaning(tree[2]))


@settings(max_examples=300, deadline=None)
@given(tree=trees(st.one_of(st.sampled_from(LEAVES), CONDITIONS)), lang=st.sampled_from(["zh", "en"]))
def test_what_is_written_is_read_again(tree: Tree, lang: str) -> None:
    read = audience.parse(spelled(tree, lang))
    assert read == leaning(tree)
    assert audience.parse(audience.canonical(read)) == read
    assert audience.canonical(audience.parse(audience.canonical(read))) == audience.canonical(read)


@settings(max_examples=200, deadline=None)
@given(tree=trees(st.sampled_from(sorted(catalog.crowds()))), lang=st.sampled_from(["zh", "en"]))
def test_the_name_of_an_expression_is_an_expression(tree: Tree, lang: str) -> None:
    tree = leaning(tree)
    assert audience.parse(audience.label(tree, lang)) == tree


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("city:上海", "上海", "上海"),
        ("member and city:上海", "上海会员", "members (上海)"),
        ("(member or fan) and city:上海", "上海（会员或粉丝）", "(members or fans) (上海)"),
        (
            "city:上海 and min_amount:500",
            "近一年实付满 500 的上海客户",
            "上海 customers (paid 500 or more within a year)",
        ),
        ("last_seen_within:7", "近 7 天来过的人", "people seen within 7 days"),
        ("member and not city:上海", "会员且非上海", "members and not 上海"),
    ],
)
def test_how_a_filter_reads(text: str, zh: str, en: str) -> None:
    tree = audience.parse(text)
    assert (audience.label(tree, "zh"), audience.label(tree, "en")) == (zh, en)


# --- what they count ---------------------------------------------------------------------------------------------


def plain(condition: str, tables: Tables, at: datetime) -> set[str]:
    """The people of a filter, by loops over the rows."""
    column, value = filters.split(condition)
    if column in ("city", "member_level"):
        known = {oracle.user_of(c) for c in tables["customers"] if c.get(column) == value}
        return known & oracle.members(tables, at) if column == "member_level" else known
    if column in ("item", "category"):
        start, end = oracle.wave_window(at, oracle.the_campaign(at, tiny_shop.CAMPAIGNS, column))
        category = {i["item_id"]: i["category_id"] for i in tables["items"]}
        rows = [e for e in tables["events"] if start <= e["ts"] <= end]
        rows += [o for o in tables["orders"] if o["paid_at"] is not None and start <= o["paid_at"] <= end]
        if column == "item":
            return {oracle.user_of(r) for r in rows if r["item_id"] == value}
        return {oracle.user_of(r) for r in rows if (r.get("category_id") or category.get(r["item_id"])) == value}
    if column in ("min_amount", "max_amount"):
        year = oracle.lines_paid(tables, at - timedelta(hours=365 * 24), at)
        out = set()
        for person in oracle.everyone(tables, at):
            amount = oracle.total(o["amount"] for o in year if oracle.user_of(o) == person)
            if amount is not None:
                cents, bound = round(amount * 100), round(float(value) * 100)
                if cents >= bound if column == "min_amount" else cents <= bound:
                    out.add(person)
        return out
    since = at - timedelta(hours=24 * int(value))
    if column == "last_seen_within":
        return {oracle.user_of(e) for e in tables["events"] if since <= e["ts"] <= at}
    last: dict[str, datetime] = {}
    for o in tables["orders"]:
        if o["paid_at"] is not None and o["paid_at"] <= at:
            person = oracle.user_of(o)
            last[person] = max(last.get(person, o["paid_at"]), o["paid_at"])
    return {p for p, t in last.items() if (t >= since) == (column == "last_paid_within")}


def meant(tree: Tree, tables: Tables, at: datetime) -> set[str]:
    """The people of an expression, by set algebra."""
    if isinstance(tree, str):
        if ":" in tree:
            return plain(tree, tables, at)
        return oracle.action_crowd(tree, tables, at, tiny_shop.CAMPAIGNS, oracle.Settings())
    if tree[0] == "not":
        return oracle.everyone(tables, at) - meant(tree[1], tables, at)
    left, right = (meant(t, tables, at) for t in tree[1:])
    return left & right if tree[0] == "and" else left | right


def found(engine: Engine, texts: list[str], at: datetime) -> dict[str, set[str]]:
    """The people of each expression, from one statement."""

    def build(moments: Moments) -> Any:
        crowds = audience.people_of(engine, texts, moments)
        return ibis.union(*(p.mutate(n=ibis.literal(n)) for n, p in enumerate(crowds)))

    out: dict[str, set[str]] = {text: set() for text in texts}
    rows, _ = engine.rows(("people of", *texts), build, Scope(at, CAMPAIGNS[-1], Thresholds()))
    for row in rows:
        assert row["user_id"] not in out[texts[row["n"]]], "an expression holds nobody twice"
        out[texts[row["n"]]].add(row["user_id"])
    return out


EACH = [
    "city:上海", "member_level:A", "item:i1", "item:i2", "category:c1", "category:c2", "min_amount:0", "min_amount:0.01",
    "min_amount:250", "min_amount:500", "max_amount:0", "max_amount:249.99", "max_amount:500", "last_paid_within:1",
    "last_paid_within:7", "last_paid_within:365", "last_paid_before:7", "last_paid_before:90", "last_seen_within:1",
    "last_seen_within:3", "last_seen_within:30", "member and city:上海", "not item:i1", "cart_unpaid and not min_amount:250",
    "(item:i1 or category:c2) and not (last_paid_within:30 or city:上海)", "city:上海 and city:北京",
]  # fmt: skip
GENERATED = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def towns(draw: st.DrawFn) -> Tables:
    tables = draw(shops())
    for customer in tables["customers"]:
        customer["city"] = draw(st.sampled_from(["上海", "北京", None]))
    for order in tables["orders"]:
        order["category_id"] = draw(st.sampled_from(["c1", "c2", None]))
    return tables


def around(*edges: datetime) -> Tables:
    """A visit of i1 and a paid line of i2 a second before, at and a second after each edge, by somebody else each."""
    moments = [e + timedelta(seconds=d) for e in edges for d in (-1, 0, 1)]
    visits = [{"user_id": f"v{n}", "ts": t, "kind": "visit", "item_id": "i1"} for n, t in enumerate(moments)]
    lines = [
        {
            "order_id": f"o{n}", "user_id": f"b{n}", "item_id": "i2", "kind": "normal", "created_at": t, "paid_at": t,
            "amount": 250.0 + (n % 3 - 1) / 100,
        }
        for n, t in enumerate(moments)
    ]  # fmt: skip
    items = [
        {"item_id": "i1", "title": "i1", "category_id": "c1"},
        {"item_id": "i2", "title": "i2", "category_id": "c2"},
    ]
    given: Tables = {"events": visits, "orders": lines, "items": items}
    rows = {name: given.get(name, []) for name in tiny_shop.TABLES}
    return {
        name: [{c: row.get(c) for c in catalog.tables()[name].columns} for row in found] for name, found in rows.items()
    }


@GENERATED
@given(shop=towns(), at=st.sampled_from(AS_OFS))
@example(shop=tiny_shop.TABLES, at=tiny_shop.AS_OF)
@example(shop=around(datetime(2026, 6, 4), datetime(2026, 6, 21)), at=datetime(2026, 6, 25))
@example(
    shop=around(*(tiny_shop.AS_OF - timedelta(days=d) for d in (0, 1, 7, 90, 365)), datetime(2026, 6, 4)),
    at=tiny_shop.AS_OF,
)
def test_every_filter_equals_plain_python(engine: Engine, shop: Tables, at: datetime) -> None:
    fill(engine, shop)
    assert found(engine, EACH, at) == {text: meant(audience.parse(text), shop, at) for text in EACH}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    shop=towns(),
    at=st.sampled_from(AS_OFS),
    tree=trees(st.sampled_from(["member", "fan", "old", "cart_unpaid", "city:上海", "min_amount:250", "item:i1"])),
)
def test_expressions_are_set_algebra(engine: Engine, shop: Tables, at: datetime, tree: Tree) -> None:
    fill(engine, shop)
    text = audience.canonical(audience.parse(spelled(tree, "zh")))
    assert found(engine, [text], at)[text] == meant(tree, shop, at)
    counted = audience.sizes(engine, [text], Scope(at, CAMPAIGNS[-1], Thresholds()))[text]
    assert counted.people == len(meant(tree, shop, at))


HAND = {
    # u03 and u10 have events or a paid line of I2's category C2 in the wave (u03's line of I2 is paid a second after T)
    "category:C2": {"u01", "u02", "u04", "u10"},
    # visited, carted, favourited or paid in the wave; u05 carted a second before it but visited later, u11 after T
    "item:I1": {"u01", "u02", "u03", "u05"},
    # u03 100 + 150, u07 280 + 300, u02 150 and an unknown amount; u09's 2000 is a second too old, u03's 999 a second ahead
    "min_amount:250": {"u03", "u07"},
    "max_amount:150": {"u01", "u02", "u04", "u05", "u06", "u08", "u09", "u10", "u11", "u12"},
    # u07 paid on 06-16, u02 on 06-16 12:00, u03 at T
    "last_paid_within:1": {"u02", "u03", "u07"},
    # u06 paid last a second more than 180 days ago, u08 last summer, u09 over a year ago
    "last_paid_before:180": {"u06", "u08", "u09"},
}


def test_filters_by_hand(engine: Engine) -> None:
    fill(engine, tiny_shop.TABLES)
    assert found(engine, list(HAND), tiny_shop.AS_OF) == HAND


# --- values that the shop does not have --------------------------------------------------------------------------

SHELF: Tables = {
    "customers": [
        {"user_id": "a", "city": "Shanghai", "member_level": "VIP"},
        {"user_id": "b", "city": "O'Brien; DROP TABLE customers; --"},
        {"user_id": "c", "city": "MOMENT('at')"},
    ],
    "items": [
        {"item_id": "i1", "title": "山茶花修护精华", "category_id": "护肤"},
        {"item_id": "i2", "title": "晨光透亮精华液", "category_id": "护肤"},
        {"item_id": "i3", "title": "云雾 保湿面霜", "category_id": "面霜"},
    ],
    "events": [
        {"user_id": "a", "ts": tiny_shop.AS_OF, "kind": "visit", "item_id": "i1"},
        {"user_id": "b", "ts": tiny_shop.AS_OF, "kind": "visit", "item_id": "i9", "category_id": "c9"},
    ],
    "orders": [],
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load(tmp_path_factory.mktemp("shelf") / "data.duckdb", SHELF)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("city:shanghai", "city:Shanghai"),
        ("item:i1", "item:i1"),
        ("item:山茶花修护精华", "item:i1"),
        ("item:山茶花", "item:i1"),
        ('item:"云雾 保湿面霜"', "item:i3"),
        ("item:i9", "item:i9"),
        ("category:护肤", "category:护肤"),
        ("category:c9", "category:c9"),
        ("not (item:山茶花 or member)", "not (item:i1 or member)"),
        ("min_amount:5", "min_amount:5"),
    ],
)
def test_values_are_read_as_the_shop_has_them(shelf: Engine, text: str, read: str) -> None:
    assert audience.canonical(audience.read(shelf, text)) == read


@pytest.mark.parametrize(
    ("text", "code", "nearest"),
    [
        ("city:Shanghi", "unknown_filter_value", "city:Shanghai"),
        ("member_level:VIP2", "unknown_filter_value", "member_level:VIP"),
        ("category:护服", "unknown_filter_value", "category:护肤"),
        ("item:精华", "several_items", "item:i1 (山茶花修护精华), item:i2 (晨光透亮精华液)"),
        ("item:山茶花面霜", "unknown_filter_value", "item:i1 (山茶花修护精华)"),
    ],
)
def test_values_that_the_shop_does_not_have_are_asked_back(shelf: Engine, text: str, code: str, nearest: str) -> None:
    with pytest.raises(AskAgain) as e:
        audience.read(shelf, text)
    assert e.value.code == code
    assert nearest in e.value.message("zh")
    assert nearest in e.value.message("en")


def test_a_shop_without_the_data_says_so(tmp_path: Path) -> None:
    empty = load(tmp_path / "data.duckdb", {})
    for text in ("city:上海", "item:面霜", "category:护肤"):
        with pytest.raises(AskAgain, match="Nearest: —"):
            audience.read(empty, text)


@pytest.mark.parametrize("person", ["b", "c"])
def test_a_value_is_never_sql(shelf: Engine, person: str) -> None:
    city = next(c["city"] for c in SHELF["customers"] if c["user_id"] == person)
    text = audience.canonical(audience.read(shelf, filters.normal("city", city)))
    assert found(shelf, [text], tiny_shop.AS_OF)[text] == {person}
    profile = audience.profile(shelf, text, SCOPE)
    assert profile.size == 1
    assert shelf.query(profile.query("size")) == [{"people": 1}]
    assert len(shelf.query("SELECT user_id FROM customers")) == 3
