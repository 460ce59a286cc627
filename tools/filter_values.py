"""Whether the value of a filter occurs in the shop: a slip gives nobody, so it is asked back with the nearest values."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tools.errors import AskAgain
from tools.expressions import Tree, filters_in
from tools.filters import CUSTOMER_COLUMNS, normal, split
from tools.names import fold
from tools.scope import Scope
from tools.shop import Thresholds

if TYPE_CHECKING:
    from tools.reader import Reader

_SHOWN = 5
_TIMELESS = Scope(datetime(9999, 12, 31), None, Thresholds())  # the statements here hold no moment


def known(engine: Reader, text: str) -> str:
    """The filter `text` with its value as the shop's data has it: an item's title, or a part of one that no other title has,
    becomes the item's id. AskAgain when nothing in the shop has the value, or several items have the title."""
    column, value = split(text)
    if column == "item":
        return normal(column, _item(engine, value))
    if column == "category":
        return normal(column, _category(engine, value))
    if column in CUSTOMER_COLUMNS:
        return normal(column, _one_of(column, value, values(engine, column)))
    return text


def values(engine: Reader, column: str) -> list[str]:
    """The values of a column of `customers` that people may be told apart by, in order."""
    found = engine.query(f"SELECT DISTINCT {column} AS v FROM customers WHERE {column} IS NOT NULL")
    return sorted(str(row["v"]) for row in found)


def _one_of(column: str, value: str, candidates: list[str]) -> str:
    """`value`, or the one candidate that is the same but for case; AskAgain with the nearest otherwise."""
    if value in candidates:
        return value
    alike = [c for c in candidates if fold(c) == fold(value)]
    if len(alike) == 1:
        return alike[0]
    raise _unknown(column, value, {c: c for c in candidates})


def _category(engine: Reader, value: str) -> str:
    rows = engine.query("SELECT DISTINCT category_id FROM items WHERE category_id IS NOT NULL")
    candidates = sorted(str(row["category_id"]) for row in rows)
    if value not in candidates and _happened(engine, "category_id", value):
        return value
    return _one_of("category", value, candidates)


def _item(engine: Reader, value: str) -> str:
    """The id that `value` is, or that of the one item whose title it is, or is a part of."""
    titles = _titles(engine)
    if value in titles:
        return value
    fitting = [i for i, title in titles.items() if fold(title) == fold(value)]
    if not fitting:
        if _happened(engine, "item_id", value):  # a shop need not have a table of items
            return value
        fitting = [i for i, title in titles.items() if fold(value) in fold(title)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise AskAgain("several_items", value=value, nearest=_list("item", {i: titles[i] for i in sorted(fitting)}))
    raise _unknown("item", value, titles)


def titles_of(engine: Reader, tree: Tree) -> dict[str, str]:
    """Item id → title of the items that filters of the expression ask for, where the shop has a title."""
    asked = [value for column, value in map(split, filters_in(tree)) if column == "item"]
    titles = _titles(engine) if asked else {}
    return {i: titles[i] for i in asked if titles.get(i, i) != i}


def _titles(engine: Reader) -> dict[str, str]:
    rows = engine.query("SELECT item_id, title FROM items")
    return {str(row["item_id"]): str(row["title"] or row["item_id"]) for row in rows}


def _happened(engine: Reader, column: str, value: str) -> bool:
    """Whether some event or order line has the value."""
    for table in ("events", "orders"):
        t = engine.table(table)
        rows, _ = engine.rows(
            ("happened", table, column, value),
            lambda at, t=t: t.filter(t[column] == value).select(column).limit(1),  # type: ignore[misc]
            _TIMELESS,
        )
        if rows:
            return True
    return False


def _unknown(column: str, value: str, candidates: dict[str, str]) -> AskAgain:
    """`candidates`: value → how a person calls it."""
    from rapidfuzz import fuzz, process

    wanted = fold(value)
    best = process.extract(
        wanted, {k: fold(shown) for k, shown in candidates.items()}, scorer=fuzz.WRatio, limit=_SHOWN
    )
    nearest = _list(column, {key: candidates[key] for _, _, key in best}) if best else "—"
    return AskAgain("unknown_filter_value", text=normal(column, value), nearest=nearest)


def _list(column: str, candidates: dict[str, str]) -> str:
    """Filters ready to be used, with what they stand for where that is not the value itself."""
    shown = list(candidates.items())[:_SHOWN]
    tail = ", …" if len(candidates) > _SHOWN else ""
    return ", ".join(normal(column, v) + ("" if name == v else f" ({name})") for v, name in shown) + tail
