"""Tables drawn with `|`, also those that a converter flattened: there a row below a merged cell lacks its first cells and
begins with what stood further right, and the empty cells stand at its end."""

from __future__ import annotations

import math
import re
from collections import Counter

from knowledge.loaders.blocks import Grid, Row

_RULE = re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|?)+\s*$")
_PADS = re.compile(r"^[\s|]+$")
_SPLIT = re.compile(r"(?<!\\)\|")
_WORTH_SHIFTING = 0.3  # by how much a row must fit better, per cell, to be moved to the right


def is_rule(line: str) -> bool:
    return _RULE.match(line) is not None and "-" in line


def is_table_start(lines: list[str], at: int) -> bool:
    return "|" in lines[at] and at + 1 < len(lines) and "|" in lines[at + 1] and is_rule(lines[at + 1])


def table_end(lines: list[str], at: int) -> int:
    """The line behind the table that begins at `at`."""
    end = at + 2
    while end < len(lines) and "|" in lines[end] and not is_table_start(lines, end):
        end += 1
    return end


def cells_of(line: str) -> list[str]:
    """The cells of a line; the marks at its ends are no cells."""
    line = line.strip()
    parts = _SPLIT.split(line.removeprefix("|"))
    if parts and not parts[-1].strip():
        parts.pop()
    return [p.strip() for p in parts]


def grid_of(lines: list[str]) -> Grid:
    """A table from its lines; merged cells are filled down."""
    header = tuple(cells_of(lines[0]))
    body: list[list[str]] = []
    texts: list[str] = []
    for line in lines[2:]:
        if _PADS.match(line):
            continue  # the end of a row that a line end within a cell has cut
        cells = cells_of(line)
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            body.append(cells)
            texts.append(line.strip(" \t|"))
    width = max(len(header), *(len(r) for r in body)) if body else len(header)
    flattened = not any(r[0] == "" for r in body) and not lines[0].lstrip().startswith("|")
    shifts = _shifts(body, width) if flattened else [0] * len(body)
    rows: list[Row] = []
    above: tuple[str, ...] = ("",) * width
    for cells, text, shift in zip(body, texts, shifts, strict=True):
        taken = shift if flattened else next((i for i, c in enumerate(cells) if c), 0)
        mine = [""] * shift + cells + [""] * (width - shift - len(cells))
        filled = tuple(above[i] if i < taken else c for i, c in enumerate(mine))
        rows.append(Row(filled, text, taken))
        above = filled
    return Grid((*header, *[""] * (width - len(header))), tuple(rows))


def _shifts(body: list[list[str]], width: int) -> list[int]:
    """How far each row is to be moved to the right. What a column's cells look like is learnt from the rows that are full and
    from those placed before; a short row goes where its cells look like their columns."""
    looks = [_Look() for _ in range(width)]
    for row in body:
        if len(row) == width:
            for look, cell in zip(looks, row, strict=True):
                look.learn(cell)
    out = []
    for n, row in enumerate(body):
        room = width - len(row)
        shift = 0
        if n and room and looks[0].seen:
            scores = [sum(looks[i + s].likes(c) for i, c in enumerate(row)) / len(row) for s in range(room + 1)]
            best = max(range(room + 1), key=lambda s: scores[s])
            shift = best if scores[best] > scores[0] + _WORTH_SHIFTING else 0
        if room:
            for i, cell in enumerate(row):
                looks[i + shift].learn(cell)
        out.append(shift)
    return out


class _Look:
    """What the cells of a column look like: which characters and pairs of characters they have, and how long they are."""

    def __init__(self) -> None:
        self.seen = 0
        self.grams: Counter[str] = Counter()
        self.total = 0
        self.length = self.square = 0.0  # sums of the logarithms of lengths, and of their squares
        self.values: set[str] = set()

    def learn(self, cell: str) -> None:
        if cell:
            grams, length = _grams(cell), math.log(len(cell))
            self.seen += 1
            self.grams.update(grams)
            self.total += len(grams)
            self.length += length
            self.square += length**2
            self.values.add(cell)

    def likes(self, cell: str) -> float:
        """The higher the better: mean log chance of the cell's pairs, how usual its length is, whether it stood here before."""
        if not self.seen:
            return -4.0
        grams = _grams(cell)
        chance = sum(math.log((self.grams[g] + 0.1) / (self.total + 100)) for g in grams) / len(grams) / 2
        mean = self.length / self.seen
        spread = 0.3 + math.sqrt(max(self.square / self.seen - mean**2, 0.0))
        length = -(((math.log(len(cell)) - mean) / spread) ** 2) / 4
        return chance + max(length, -3.0) + (1.0 if cell in self.values else 0.0)


def _grams(cell: str) -> list[str]:
    cell = re.sub(r"\d", "0", cell)  # 5.24 and 6.1 look alike
    return [*cell, *(cell[i : i + 2] for i in range(len(cell) - 1))]
