"""Entries put into a list of a YAML file by editing its text, so that the merchant's comments, order and layout stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from knowledge import catalog
from knowledge.catalog import CatalogError


@dataclass(frozen=True)
class Block:
    """One entry of a block list as lines: its comments above it, then the entry; `indent` is where its dash stands."""

    comments: tuple[str, ...]
    lines: tuple[str, ...]
    indent: int

    def moved(self, indent: int, *, comments: bool) -> list[str]:
        """Its lines with the dash at `indent`."""
        out = [*self.comments, *self.lines] if comments else list(self.lines)
        by = indent - self.indent
        return [" " * by + x if by >= 0 else x[min(-by, len(x) - len(x.lstrip())) :] for x in out]


def blocks(text: str, key: str) -> list[Block]:
    """The entries of the list under `key` of a document that reads as YAML, as they are written; [] when they are in brackets."""
    seq = _list(text, key)
    if seq is None or seq.flow_style:
        return []
    lines = text.splitlines()
    return [
        Block(tuple(lines[lead:at]), tuple(lines[at:end]), seq.start_mark.column)
        for lead, at, end in _regions(seq, lines)
    ]


def spliced(text: str, key: str, replaced: Mapping[int, Block], added: Sequence[tuple[Block | None, Any]]) -> str:
    """`text` with entries of the list under `key` replaced (by their index) and others added at its end.

    An added entry is (its lines, its value); the value is used where the list stands in brackets or the lines are None.
    CatalogError when the result would not hold exactly the entries meant.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    end = "\r\n" if "\r\n" in text else "\n"
    old = text.removeprefix("\ufeff").replace("\r\n", "\n")
    new = _edited(old, key, replaced, added)
    _check(old, new, key, replaced, added)
    return mark + new.replace("\n", end)


def _edited(text: str, key: str, replaced: Mapping[int, Block], added: Sequence[tuple[Block | None, Any]]) -> str:
    if text and not text.endswith("\n"):
        text += "\n"
    seq = _list(text, key)
    if seq is None or not seq.value:
        return _begun(text, key, seq, added)
    if seq.flow_style:
        if replaced:
            raise CatalogError(f"{key}: the list stands in brackets; write an entry a line to have entries replaced")
        at = _before_bracket(text, seq.end_mark.index - 1)
        more = "".join(f", {_inline(value)}" for _, value in added)
        return text[:at] + more + text[at:]
    lines = text.splitlines()
    regions = _regions(seq, lines)
    indent = seq.start_mark.column
    tail = [x for block, value in added for x in _lines_of(block, value, indent)]
    lines[regions[-1][2] : regions[-1][2]] = tail
    for i in sorted(replaced, reverse=True):
        _, at, stop = regions[i]
        lines[at:stop] = replaced[i].moved(indent, comments=False)
    return "\n".join(lines) + "\n"


def _begun(text: str, key: str, seq: Any, added: Sequence[tuple[Block | None, Any]]) -> str:
    """A list that is not there yet or empty."""
    new = "\n".join(x for block, value in added for x in _lines_of(block, value, 2)) + "\n"
    if seq is not None:  # key: []
        line_end = text.find("\n", seq.end_mark.index)
        rest = text[seq.end_mark.index : line_end].rstrip()
        return text[: seq.start_mark.index].rstrip(" ") + rest + "\n" + new + text[line_end + 1 :]
    at = _empty_key(text, key)
    if at is not None:
        return text[:at] + new + text[at:]
    return f"{text}{key}:\n{new}"


def _lines_of(block: Block | None, value: Any, indent: int) -> list[str]:
    return [" " * indent + "- " + _inline(value)] if block is None else block.moved(indent, comments=True)


def _inline(value: Any) -> str:
    """A value in braces on one line."""
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**9).strip()


# --- where things stand ------------------------------------------------------------------------------------------


def _root(text: str) -> Any:
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _list(text: str, key: str) -> Any:
    """The node of the list under the top-level `key`; None when there is none."""
    root = _root(text)
    if not isinstance(root, yaml.MappingNode):
        return None
    return next((v for k, v in root.value if k.value == key and isinstance(v, yaml.SequenceNode)), None)


def _empty_key(text: str, key: str) -> int | None:
    """Behind the line of a `key:` that holds nothing."""
    root = _root(text)
    if not isinstance(root, yaml.MappingNode):
        return None
    node = next((k for k, _ in root.value if k.value == key), None)
    return None if node is None else text.find("\n", node.end_mark.index) + 1


def _regions(seq: Any, lines: Sequence[str]) -> list[tuple[int, int, int]]:
    """(first comment line, line of the dash, line behind the end) of each entry of a block list."""
    starts = [_dash(lines, item.start_mark.line) for item in seq.value]
    out = []
    for n, at in enumerate(starts):
        lead = at
        while lead and lines[lead - 1].lstrip().startswith("#"):
            lead -= 1
        stop = starts[n + 1] if n + 1 < len(starts) else seq.value[n].end_mark.line + 1
        stop = min(stop, len(lines))
        while stop > at + 1 and (not lines[stop - 1].strip() or lines[stop - 1].lstrip().startswith("#")):
            stop -= 1
        if n + 1 == len(starts):
            stop = _own_end(lines, at, stop, seq.start_mark.column)
        out.append((lead, at, stop))
    return out


def _dash(lines: Sequence[str], at: int) -> int:
    """The line of an entry's dash, which may stand above its value."""
    while at and not lines[at].lstrip().startswith("-"):
        at -= 1
    return at


def _own_end(lines: Sequence[str], at: int, stop: int, indent: int) -> int:
    """The last entry ends where a line stands no further right than its dash."""
    for n in range(at + 1, stop):
        line = lines[n]
        if line.strip() and len(line) - len(line.lstrip()) <= indent and not line.lstrip().startswith("#"):
            return _own_end_of_comments(lines, at, n)
    return stop


def _own_end_of_comments(lines: Sequence[str], at: int, stop: int) -> int:
    while stop > at + 1 and (not lines[stop - 1].strip() or lines[stop - 1].lstrip().startswith("#")):
        stop -= 1
    return stop


def _before_bracket(text: str, at: int) -> int:
    """Behind the last entry of a list in brackets whose closing one stands at `at`; a comma at its end stays behind it."""
    at = len(text[:at].rstrip())
    return len(text[: at - 1].rstrip()) if text[at - 1 : at] == "," else at


def _check(
    old: str, new: str, key: str, replaced: Mapping[int, Block], added: Sequence[tuple[Block | None, Any]]
) -> None:
    """CatalogError unless `new` holds what `old` did, the entries replaced and those added, and nothing else."""
    before = catalog.read_yaml_text(old, key) or {}
    after = catalog.read_yaml_text(new, key)
    entries = list(before.get(key) or [])
    for i, block in replaced.items():
        entries[i] = catalog.read_yaml_text("\n".join(block.moved(0, comments=False)), key)[0]
    if after != {**before, key: entries + [value for _, value in added]}:
        raise CatalogError(
            f"{key}: the layout of the file does not let entries be added; write an entry a line below `{key}:`"
        )
