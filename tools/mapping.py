"""Which header of a file is which column: by the catalogue's names, or by what a merchant's mapping says.

A mapping file is YAML:

    table: orders
    columns: {user_id: 买家编号, order_id: 订单编号}   # column: the file's header
    constants: {kind: normal}                         # column: the value of every row

What a mapping says comes first; the catalogue's names work for every column that it does not name. One header feeds two
columns when the mapping says so. A workspace keeps the mappings that worked, newest first, in `mappings/<table>.yaml`; a kept
one is used for a file of its table that has all its headers. What the file itself has by the catalogue's names, and did not
have when the mapping was kept (`headers`), comes before a kept mapping: a guess of then must not hide the real column.
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

import prompts
from knowledge import catalog
from knowledge.catalog import CatalogError, Entry, TableDef
from tools import names
from tools.columns import reason, rules, stored
from tools.errors import AskAgain, NeedsPerson, refuse_no_file
from tools.sql import quote

if TYPE_CHECKING:
    from tools.engine import Engine

_KEPT = 20  # mappings of one table: more kinds of files than a shop has


class Mapping(Entry):
    """`columns`: column → header. `constants`: column → value of every row, as a file would write it. `headers`: of the file
    that it was made for, where known."""

    table: str
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    headers: list[str] = []

    def as_yaml(self) -> str:
        """The mapping as a file that `load` reads."""
        kept = {k: v for k, v in self.model_dump().items() if v}
        return str(yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, default_flow_style=None, width=120))


# --- from headers to columns -------------------------------------------------------------------------------------


def mapped(header: Sequence[str], table: TableDef) -> dict[str, int]:
    """column → its first place in the file, for the headers that the table knows by the catalogue's names."""
    words = {names.fold(word): name for name, column in table.columns.items() for word in (name, *column.aliases)}
    out: dict[str, int] = {}
    for i, title in enumerate(header):
        name = words.get(names.fold(title))
        if name is not None:
            out.setdefault(name, i)
    return out


def places(header: Sequence[str], table: TableDef, mapping: Mapping | None = None) -> dict[str, int]:
    """column → its place in the file, the mapping's first. A constant has no place.

    A header that the mapping uses feeds no other column by the catalogue's names, but a required one that would be missing
    without it: `user_id: 订单编号` leaves 订单编号 the order's number as well.
    """
    if mapping is None:
        return mapped(header, table)
    where = {names.fold(title): i for i, title in reversed(list(enumerate(header)))}
    said = {name: where[names.fold(title)] for name, title in mapping.columns.items() if names.fold(title) in where}
    taken = set(said.values())
    rest = {
        name: i
        for name, i in mapped(header, table).items()
        if name not in said and name not in mapping.constants and (i not in taken or table.columns[name].required)
    }
    found = {**said, **rest}
    return dict(sorted(((n, found[n]) for n in table.columns if n in found), key=lambda pair: pair[1]))


def missing(header: Sequence[str], table: TableDef, mapping: Mapping | None = None) -> list[str]:
    """The required columns that neither the file nor the mapping gives."""
    given = {*places(header, table, mapping), *(mapping.constants if mapping else ())}
    return [name for name, column in table.columns.items() if column.required and name not in given]


def map_header(
    header: Sequence[str], table: TableDef, file: str, key: str, mapping: Mapping | None = None
) -> dict[str, int]:
    """`places`, or AskAgain: a required column is missing, two headers name one column, the mapping names no header of it."""
    _refuse_absent(header, file, mapping)
    out = places(header, table, mapping)
    said = set(mapping.columns) | set(mapping.constants) if mapping else set()
    for i, title in enumerate(header):
        twice = next((name for name in mapped([title], table) if name in out and name not in said), None)
        if twice is not None and out[twice] != i:
            raise AskAgain("header_twice", file=file, column=twice, first=header[out[twice]], second=title)
    absent = missing(header, table, mapping)
    if absent:
        raise AskAgain(
            "header_missing",
            file=file,
            table=key,
            missing=", ".join(absent),
            accepted="; ".join("/".join([m, *table.columns[m].aliases[:3]]) for m in absent),
            seen=", ".join(header)[:300],
            mapping="",
        )
    return out


def used(header: Sequence[str], places: dict[str, int]) -> dict[str, str]:
    """header → the column that it feeds; several with a comma between them."""
    out: dict[str, list[str]] = {}
    for name, i in places.items():
        out.setdefault(header[i], []).append(name)
    return {title: ", ".join(columns) for title, columns in out.items()}


def _refuse_absent(header: Sequence[str], file: str, mapping: Mapping | None) -> None:
    titles = [names.fold(title) for title in header]
    for name, title in mapping.columns.items() if mapping else ():
        found = titles.count(names.fold(title))
        if not found:
            near = difflib.get_close_matches(title, header, n=1, cutoff=0.3)
            raise AskAgain(
                "mapping_header", file=file, column=name, header=title, seen=", ".join(header)[:300],
                nearest=near[0] if near else header[0],
            )  # fmt: skip
        if found > 1:
            raise AskAgain("header_twice", file=file, column=name, first=title, second=title)


# --- mapping files -----------------------------------------------------------------------------------------------


def load(path: Path, table: str) -> Mapping:
    """The mapping in `path`, for `table`. NeedsPerson, with file, key and suggestion, when it cannot be read or says
    something that cannot be; AskAgain when it is for another table."""
    refuse_no_file(path)
    try:
        found = _read(path)
    except CatalogError as e:
        raise NeedsPerson("bad_file", detail=str(e), file=str(path)) from e
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(path)) from e
    fitting = [m for m in found if m.table == table]
    if not fitting:
        raise AskAgain("mapping_table", file=path.name, table=found[0].table, wanted=table)
    return fitting[0]


def _read(path: Path) -> list[Mapping]:
    try:
        return parsed(path.read_text(encoding="utf-8-sig"), path.name)
    except UnicodeDecodeError as e:
        raise CatalogError(f"{path.name}: not UTF-8 text: {e}") from e


def parsed(text: str, file: str) -> list[Mapping]:
    """The mappings in a text, parted by `---`; CatalogError, which names `file`, when one is wrong."""
    try:
        # Every value stays as it is written: 007, 2026-06-01 and 12.50 are what a file could hold.
        documents = list(yaml.load_all(text, Loader=yaml.BaseLoader))
        for node in yaml.compose_all(text, Loader=yaml.BaseLoader):
            _refuse_twice(node, file)
    except yaml.YAMLError as e:
        raise CatalogError(f"{file}: not readable as YAML: {' '.join(str(e).split())}") from e
    found = [_checked(raw, file) for raw in documents if raw]
    if not found:
        raise CatalogError(f"{file}: (top): a mapping with `table` and `columns` or `constants` is needed")
    return found


def _refuse_twice(node: Any, file: str) -> None:
    """YAML lets the later of two equal keys win silently; here it would be two headers for one column."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, Any] = {}
    for key, value in node.value:
        if key.value in seen:
            both = " and ".join(repr(v.value) for v in (seen[key.value], value) if isinstance(v, yaml.ScalarNode))
            raise CatalogError(f"{file}: line {key.start_mark.line + 1}: {key.value} stands twice: {both}")
        seen[key.value] = value
        _refuse_twice(value, file)


def _checked(raw: Any, file: str) -> Mapping:
    if not isinstance(raw, dict):
        raise CatalogError(f"{file}: (top): write `table: …` and `columns: {{column: header}}`")
    cleaned = {k: {} if k in ("columns", "constants") and v == "" else v for k, v in raw.items()}
    mapping = catalog.validate(Mapping, cleaned, file)
    tables = catalog.tables()
    table = next((k for k, t in tables.items() if names.fold(mapping.table) in _words(k, t)), None)
    if table is None:
        raise CatalogError(f"{file}: table: there is no table {mapping.table!r}{_nearest(mapping.table, tables)}")
    columns = tables[table].columns
    for part, entries in (("columns", mapping.columns), ("constants", mapping.constants)):
        for name, value in entries.items():
            if name not in columns:
                turned = part == "columns" and value in columns
                advice = f"; write column: header, so {value}: {name}" if turned else _nearest(name, columns)
                raise CatalogError(f"{file}: {part}.{name}: {table} has no column {name!r}{advice}")
            if not value.strip():
                raise CatalogError(
                    f"{file}: {part}.{name}: is empty; write a {'header' if part == 'columns' else 'value'}"
                )
    both = next((name for name in mapping.constants if name in mapping.columns), None)
    if both is not None:
        raise CatalogError(f"{file}: constants.{both}: stands under columns too; keep one of them")
    one = next((n for n in mapping.constants if not may_be_constant(table, n)), None)
    if one is not None:
        raise CatalogError(
            f"{file}: constants.{one}: would make all rows one {one}; name a header under columns instead"
        )
    return mapping.model_copy(update={"table": table})


def may_be_constant(table: str, column: str) -> bool:
    """Not the ids that tell rows or people apart: one for every row would make all of them one."""
    return not (catalog.tables()[table].columns[column].required and column.endswith("_id"))


def _words(key: str, table: TableDef) -> set[str]:
    return {names.fold(word) for word in (key, table.name.zh, table.name.en)}


def _nearest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


def check_constants(engine: Engine, mapping: Mapping, zone: tzinfo, now: datetime) -> None:
    """AskAgain when a constant could stand in no row: it is judged by the very rules that rows are judged by.

    `zone` and `now` are the shop's."""
    definition, judged_by = catalog.tables()[mapping.table], rules(zone, now)
    for name, value in mapping.constants.items():
        column = definition.columns[name]
        row = ", ".join(
            f'{stored(n, c, quote(value) if n == name else "NULL", judged_by)} AS "{n}"'
            for n, c in definition.columns.items()
        )
        judged = reason(mapping.table, definition, {name: quote(value)}, judged_by)
        verdict = engine.execute(f"SELECT {judged} FROM (SELECT {row})")[0][0]
        if verdict is not None:
            why = verdict.split("\t")[1]
            raise AskAgain(
                "mapping_constant", column=name, value=value,
                why={lang: prompts.text(f"reason.{why}", lang) for lang in prompts.LANGS},
                choices={lang: ", ".join(column.values) or prompts.text(_FORMS[column.type], lang) for lang in prompts.LANGS},
            )  # fmt: skip


_FORMS = {
    "time": "form.moment", "day": "form.moment", "money": "form.number", "number": "form.number",
    "integer": "form.number", "flag": "form.flag", "text": "form.text",
}  # fmt: skip


# --- kept mappings -----------------------------------------------------------------------------------------------


def kept_file(root: Path, table: str) -> Path:
    """Where the workspace at `root` keeps the mappings of `table`."""
    return root / "mappings" / f"{table}.yaml"


def kept(root: Path, table: str) -> list[Mapping]:
    """The mappings that the workspace keeps for `table`, newest first; NeedsPerson when somebody has broken the file."""
    path = kept_file(root, table)
    if not path.exists():
        return []
    try:
        return [m for m in _read(path) if m.table == table]
    except CatalogError as e:
        raise NeedsPerson("bad_file", detail=str(e), file=str(path)) from e


def fitting(mappings: Sequence[Mapping], header: Sequence[str], table: TableDef) -> Mapping | None:
    """The first of `mappings` whose headers are all in the file, without what the file gives by itself since; None if none."""
    titles = {names.fold(title) for title in header}
    own = mapped(header, table)
    for mapping in mappings:
        if not {names.fold(title) for title in mapping.columns.values()} <= titles:
            continue
        then = mapped(mapping.headers, table)
        new = {name for name in own if name not in then}
        columns = {n: t for n, t in mapping.columns.items() if n not in new}
        constants = {n: v for n, v in mapping.constants.items() if n not in new}
        if columns or constants:
            return mapping.model_copy(update={"columns": columns, "constants": constants})
    return None


def keep(root: Path, mapping: Mapping) -> Path:
    """Keep `mapping`, which worked for a file with its `headers`, instead of an earlier one for such a file; returns where."""
    path = kept_file(root, mapping.table)
    others = [m for m in kept(root, mapping.table) if set(m.headers) != set(mapping.headers)]
    text = "---\n".join(m.as_yaml() for m in [mapping, *others][:_KEPT])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as f:
            f.write(text)
        Path(f.name).replace(path)
    except OSError as e:
        raise NeedsPerson("no_permission", path=str(e.filename or path)) from e
    return path
