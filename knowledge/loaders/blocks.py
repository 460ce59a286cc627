"""What a loader makes of a file: headings, paragraphs, list items and tables in the order in which they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

BOLD = -1  # the level of a paragraph that is set in bold as a whole: it may be meant as a heading
Progress = Callable[[int, int], None]  # (what is done, of how many): pages, sheets, lines


class Unreadable(Exception):
    """A file that cannot be read. `code` names the texts of the error, `details` are their variables beside the file."""

    def __init__(self, code: str, **details: object) -> None:
        self.code = code
        self.details = details
        super().__init__(code)


@dataclass(frozen=True)
class Row:
    """`cells`: one a column, merged ones filled down; `text`: the row as it stands in the file; `own`: how many cells at the
    left were taken over from the rows above."""

    cells: tuple[str, ...]
    text: str
    own: int = 0


@dataclass(frozen=True)
class Grid:
    """A table. `sure`: the file marks the header as one; else it is only the first row and may be data."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    sure: bool = True


@dataclass(frozen=True)
class Block:
    """One piece of a document. `text` is verbatim.

    `level`: of a heading, 1 is the outermost; BOLD. `gap`: line ends between this block and the one before; 0 says that something
    between them was left out, so that they are never quoted in one. `page` counts from 1.
    """

    kind: Literal["heading", "text", "item", "code", "table"]
    text: str
    level: int = 0
    gap: int = 1
    page: int | None = None
    grid: Grid | None = None


@dataclass(frozen=True)
class Loaded:
    """`plain`: the file marks no headings, so that numbering and short lines tell them. `web`: it is a web page.
    `pictures`: pages without text. `dropped`: parts of a page that were left out with what is in them."""

    blocks: list[Block] = field(default_factory=list)
    plain: bool = False
    web: bool = False
    pictures: int = 0
    dropped: int = 0
