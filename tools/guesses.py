"""Guesses for columns that a file does not name: which header it may be, by its name and by what its values look like.

A guess is a suggestion to a person; nothing is imported by one. What is shown of a file for that has nobody's data in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from knowledge import catalog
from knowledge.catalog import Column, TableDef
from tools import names
from tools.preview import HIDDEN, PERSONAL, first_rows, reads
from tools.records import is_parquet, open_parquet

if TYPE_CHECKING:
    from tools.engine import Engine

Why = Literal["name", "values", "usual", "file", "row", "none"]

_ROWS = 2000  # rows of a Parquet file that are looked at
# What many headers end in says nothing: 成交时间 and 付款时间 are as near as 成交 and 付款 are.
_GENERIC = re.compile(r"(时间|日期|金额|编号|编码|代码|单号|名称|号码|号|名|(?<![a-z])(id|no\.?|number|time|date|at))$")
_NAMED = 0.75  # a name as close as this tells the column, if its values may be of it
_FITS = 0.8  # the share of values that must be such as the column takes
_HALF = 0.5  # below this a likeness is chance
_RIVAL = 0.2  # another header that is worse by no more than this could be meant as well
_ENOUGH = 5  # values that something is concluded from
_ID = re.compile(r"(?=.*\d)[\w@.*-]{1,64}", re.ASCII)
_PHONE = re.compile(r"(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}")
_AMOUNT = re.compile(r"[¥￥$]?\s*[+-]?\d[\d,]*(\.\d+)?\s*(元|块|万|万元|%|％|件|个)?")
_LONG = 9  # digits from which a whole number is an id rather than an amount
_COUNT = 3  # digits up to which a number that repeats is a count rather than a person
_PRIVATE = re.compile(
    r"电话|手机|姓名|昵称|收货人|收件人|联系人|地址|身份证|微信|旺旺|邮箱|会员名|买家名|phone|mobile|name|nick|addr|mail|wechat|contact",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Guess:
    """What `column` may be given by: a `header` of the file, a `value` of every row, or, where nothing fits, neither.

    `why`: the header's name is close to `like`; its values look right; `value` is what rows usually are, or what the file is
    called after; "row": nobody knows the person, and the header that tells rows apart would make each row a person of its own.
    `rivals`: other headers whose values look as right.
    """

    column: str
    required: bool
    why: Why
    header: str | None = None
    value: str | None = None
    like: str = ""
    rivals: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether it may be offered as the answer: "row" changes what every number means, so it must be chosen in words."""
        return self.why not in ("row", "none") and not self.rivals


def beginning(
    engine: Engine, path: Path, table: str, zone: ZoneInfo, titles: Sequence[str] = ()
) -> tuple[list[str], list[list[str]]]:
    """(header, first rows as texts) of a file of any format; of a workbook, of the sheet that fits `table` best, by the
    catalogue's names and `titles`. `zone` is the shop's."""
    if not is_parquet(path):
        return first_rows(path, table, titles)
    with open_parquet(engine, path, zone) as records:
        found = engine.execute(f"SELECT * FROM ({records.texts(numbered=False)}) LIMIT {_ROWS}")
        return list(records.header), [["" if v is None else str(v) for v in row] for row in found]


def guesses(
    header: Sequence[str],
    records: Sequence[Sequence[str]],
    table: str,
    places: Mapping[str, int],
    given: Sequence[str] = (),
    stem: str = "",
) -> list[Guess]:
    """A guess for every required column without a place, and for other columns that an unused header is named like.

    `records`: the file's first rows. `places`: column → its place, as far as known. `given`: columns with a constant.
    `stem`: the file's name.
    """
    definition = catalog.tables()[table]
    open_columns = {n: c for n, c in definition.columns.items() if n not in places and n not in given}
    unused = [i for i in range(len(header)) if i not in places.values() and header[i]]
    values = {i: [r[i] for r in records if i < len(r) and r[i]] for i in unused}
    scored = [
        (score, name, i, why, like)
        for name, column in open_columns.items()
        for i in unused
        for score, why, like in [_score(name, column, definition, header[i], values[i], values)]
        if score > 0 and (column.required or why == "name" or name == "phone")
    ]
    found: dict[str, Guess] = {}
    taken: set[int] = set()
    for _, name, i, why, like in sorted(scored, key=lambda found: (-found[0], found[2])):
        if name not in found and i not in taken:
            taken.add(i)
            found[name] = Guess(name, definition.columns[name].required, why, header=header[i], like=like)
    for name, guess in found.items():
        if guess.required:
            best = max(score for score, n, i, _, _ in scored if n == name and header[i] == guess.header)
            near = [i for score, n, i, _, _ in scored if n == name and i not in taken and score > best - _RIVAL]
            found[name] = replace(guess, rivals=tuple(header[i] for i in near))
    for name, column in open_columns.items():
        if column.required and name not in found:
            found[name] = _without_header(name, column, definition, header, places, stem)
    return [found[name] for name in definition.columns if name in found]


def _score(
    name: str,
    column: Column,
    table: TableDef,
    title: str,
    values: Sequence[str],
    all_values: Mapping[int, Sequence[str]],
) -> tuple[float, Why, str]:
    """(0 when it is no candidate, why, the name that it is like)."""
    close, like = closeness(title, name, column)
    most = max(len(v) for v in all_values.values())
    fit = _kind_of(name, column, table)(values) if values else 0.5
    if fit < 0.5:
        return 0.0, "none", ""
    if close >= _NAMED:
        return 2 + close + (fit + len(values) / (most or 1)) / 10, "name", like
    if len(values) < _ENOUGH or fit < _FITS or (column.type == "text" and not column.required and name != "phone"):
        return 0.0, "none", ""
    return (close if close >= _HALF else 0.0) + fit + len(values) / most, "values", ""


def closeness(title: str, name: str, column: Column) -> tuple[float, str]:
    """(0 to 1: how near the title is to the column's key or an alias, that word)."""
    from rapidfuzz import fuzz

    folded = names.fold(title)
    stem = _stem(folded)

    def near(word: str) -> float:
        other = names.fold(word)
        core = _stem(other)
        stems = fuzz.ratio(stem, core) if stem and core else 0.0
        # 买家会员名 and 买家支付宝账号 are about the buyer. Only ids: 退款状态 is no amount.
        about = 80 if name.endswith("_id") and column.required and len(core) > 1 and core in stem else 0
        return max(fuzz.ratio(folded, other), stems * 0.95, about) / 100

    return max((near(word), word) for word in (name, *column.aliases))


def _stem(folded: str) -> str:
    return _GENERIC.sub("", folded).strip()


def _id_columns(table: TableDef) -> set[str]:
    return {n for n, c in table.columns.items() if c.required and n.endswith("_id")}


# --- what values look like ---------------------------------------------------------------------------------------


def _kind_of(name: str, column: Column, table: TableDef) -> Callable[[Sequence[str]], float]:
    """The measure, 0 to 1, of whether values may be the column's."""
    if name == "phone":
        return lambda values: _share(values, lambda v: bool(_PHONE.fullmatch(v)))
    if name == "user_id":
        return _persons
    if name in _id_columns(table):
        return _row_ids
    if column.type == "text" and column.required:
        return lambda values: _share(values, _is_words)
    if column.type == "text":
        return lambda values: 1 - _share(values, lambda v: _is_time(v) or (_is_amount(v) and "." in v))
    if column.type in ("money", "number"):
        return lambda values: _share(values, _is_amount)
    return lambda values: _share(values, lambda v: reads(column, v))


def _persons(values: Sequence[str]) -> float:
    """Ids that repeat: people come back. A phone number is a person too; a time, an amount, a count or a word is not."""
    ids = _share(values, lambda v: _is_id(v) or bool(_PHONE.fullmatch(v)))
    distinct = len(set(values))
    if all(v.isdecimal() and len(v) <= _COUNT for v in values):
        return 0.0
    if ids < _FITS:  # names: the shop's people may be known by them, if the header says so
        return (
            0.5 if distinct > len(values) * 0.2 and not _share(values, lambda v: _is_time(v) or _is_amount(v)) else 0.0
        )
    return ids if 1 < distinct < len(values) else 0.5


def _row_ids(values: Sequence[str]) -> float:
    """Ids nearly all different: an order has a few lines at most."""
    return _share(values, lambda v: _is_id(v) and not _PHONE.fullmatch(v)) * (
        1.0 if len(set(values)) >= len(values) * 0.3 else 0.4
    )


def _share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    return sum(map(test, values)) / len(values) if values else 0.0


def _is_time(value: str) -> bool:
    return len(value) >= 8 and not value.isdecimal() and reads(Column(type="time"), value)


def _is_amount(value: str) -> bool:
    return _AMOUNT.fullmatch(value) is not None and not (value.isdecimal() and len(value) >= _LONG)


def _is_id(value: str) -> bool:
    return _ID.fullmatch(value) is not None and not _is_time(value) and not (_is_amount(value) and "." in value)


def _is_words(value: str) -> bool:
    return not (value.isdecimal() or _is_time(value) or _is_amount(value) or _PHONE.fullmatch(value))


# --- columns that no header is for -------------------------------------------------------------------------------


def _without_header(
    name: str, column: Column, table: TableDef, header: Sequence[str], places: Mapping[str, int], stem: str
) -> Guess:
    if column.type == "choice":
        words = [
            (w, value) for value, ws in column.values.items() for w in (value, *ws) if names.fold(w) in names.fold(stem)
        ]
        if words:
            word, value = max(words, key=lambda pair: len(pair[0]))
            return Guess(name, True, "file", value=value, like=word)
        return Guess(name, True, "usual" if column.usual else "none", value=column.usual)
    row = table.key[0] if table.key else None
    if name == "user_id" and row is not None and row != name and row in places:
        return Guess(name, True, "row", header=header[places[row]])
    return Guess(name, True, "none")


# --- what is shown -----------------------------------------------------------------------------------------------


def samples(header: Sequence[str], records: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """(header, the first value there is), without anybody's data: phone numbers, names and addresses are masked."""
    out = []
    for i, title in enumerate(header):
        value = next((r[i] for r in records if i < len(r) and r[i]), "")
        out.append((title, _masked(title, value)))
    return out


def _masked(title: str, value: str) -> str:
    if not value or _is_time(value) or (_is_amount(value) and not _PRIVATE.search(title)):
        return HIDDEN if _PHONE.fullmatch(value) else value
    if _PRIVATE.search(title) or _PHONE.fullmatch(value):
        return HIDDEN
    digits = sum(c.isdigit() for c in value)
    if digits * 2 >= len(value) or value.casefold() in _choices():
        return PERSONAL.sub(HIDDEN, value)[:30]
    return f"{value[0]}**"  # a word could be anybody's name


@cache
def _choices() -> frozenset[str]:
    """The words of the catalogue's choices, which are nobody's data."""
    columns = (c for t in catalog.tables().values() for c in t.columns.values())
    return frozenset(w.casefold() for c in columns for value, words in c.values.items() for w in (value, *words))
