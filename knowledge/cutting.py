"""Blocks cut into what a person reads in one go: sections, paragraphs, lists, table rows, each with a path to cite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.loaders.blocks import Block, Grid
from knowledge.noise import sentences

WHOLE = 350  # characters that a passage may have
_JOINED = 220  # up to which paragraphs that stand side by side are read together
_SHORT = 40  # what is shorter goes with its neighbour
_NAMED_BY = 24  # characters of its beginning that name a section without a heading
_MARKS = re.compile(r"^(?:[-*+>•·●○▪■◆]\s*|\d{1,3}[.)、](?!\d)\s*)+")
ENTRIES = re.compile(r"[^|｜丨]*(?:[|｜丨][^|｜丨]*){2,}")  # side by side: a menu or a row, which names nothing
_CLAUSE = re.compile(r"(?<=[;；])|(?<=[,，、：:])")
_BARE = re.compile(
    r"[a-zA-Z]{0,4}[-_ ]?(?:[\d\W_]+|\d+[年月日号时点分元件个%]?)+"
)  # dates, numbers, codes: they name nothing
_LEADS_IN = (":", "：")
_Piece = tuple[str, int | None, Grid | None, int]


@dataclass(frozen=True)
class Part:
    """One passage of a document. `path`: its headings, outermost first; without any, how it begins. `text` is verbatim.

    `context`: words that search may match and nobody quotes (a table's titles). `page` counts from 1. `joins`: what stands
    between the passage before and this one, which together are then one stretch of the file; None where they are not.
    `shown`: a table row as a person reads it, each cell behind its title; empty where `text` says all.
    """

    path: str
    text: str
    context: str = ""
    page: int | None = None
    joins: str | None = None
    shown: str = ""


@dataclass(frozen=True)
class Table:
    """A table under its `path`; `rows` have a cell for each of `header`, merged ones filled down."""

    path: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def parts(blocks: Sequence[Block]) -> list[Part]:
    """The passages of a document in reading order."""
    out: list[Part] = []
    for path, body in _chapters(blocks):
        pieces = list(_packed(body))
        for n, (text, page, grid, gap) in enumerate(pieces):
            where = [*path, f"p.{page}"] if page else path
            if grid is not None:
                out += [
                    Part(" › ".join([*where, *names]), row, context, page, shown=shown)
                    for names, row, context, shown in _rows(grid)
                ]
            else:
                named = [*where, begin(text)] if len(pieces) > 1 or not path or page else where
                joins = "\n" * gap if n and gap and pieces[n - 1][2] is None else None
                out.append(Part(" › ".join(named), text, page=page, joins=joins))
    return out


def tables(blocks: Sequence[Block]) -> list[Table]:
    """The tables of a document with the headings that they stand under."""
    return [
        Table(" › ".join(path), b.grid.header, tuple(r.cells for r in b.grid.rows))
        for path, body in _chapters(blocks)
        for b in body
        if b.grid is not None
    ]


def _chapters(blocks: Sequence[Block]) -> Iterator[tuple[list[str], list[Block]]]:
    """(the headings above, the blocks below them) of each stretch between two headings."""
    above: list[tuple[int, str]] = []
    body: list[Block] = []
    for block in blocks:
        if block.kind != "heading":
            body.append(block)
            continue
        if body:
            yield [title for _, title in above], body
        body = []
        above = [*((n, title) for n, title in above if n < block.level), (block.level, block.text)]
    if body:
        yield [title for _, title in above], body


def _packed(body: Sequence[Block]) -> Iterator[_Piece]:
    """The blocks below a heading as passages: (text, page, None, line ends before it), a table as its page and itself."""
    whole = all(b.grid is None and b.gap for b in body[1:]) and not body[0].grid
    limit = WHOLE if whole and sum(len(b.text) + b.gap for b in body) <= WHOLE else _JOINED
    held: list[Block] = []
    for block in (piece for b in body for piece in _short_enough(b)):
        if block.grid is not None:
            yield from _text(held)
            held = []
            yield "", block.page, block.grid, 0
            continue
        size = sum(len(b.text) + b.gap for b in [*held[1:], block]) + (len(held[0].text) if held else 0)
        if held and (not block.gap or size > _limit(held, block, limit)):
            lead = held[-1:] if len(held) > 1 and _is_lead(held[-1], block) else []
            yield from _text(held[: len(held) - len(lead)])
            held = lead
        held.append(block)
    yield from _text(held)


def _limit(held: Sequence[Block], block: Block, limit: int) -> int:
    """How long the passage may become with `block`: lists keep together, and nothing is left alone that is short."""
    listed = block.kind == "item" and (held[-1].kind == "item" or held[-1].text.rstrip().endswith(_LEADS_IN))
    short = len(block.text) < _SHORT or sum(len(b.text) for b in held) < _SHORT
    return WHOLE if listed or short or _is_lead(held[-1], block) else limit


def _is_lead(block: Block, following: Block) -> bool:
    together = len(block.text) + following.gap + len(following.text)
    return bool(following.gap) and block.text.rstrip().endswith(_LEADS_IN) and together <= WHOLE


def _text(held: Sequence[Block]) -> Iterator[_Piece]:
    if held:
        text = held[0].text + "".join("\n" * b.gap + b.text for b in held[1:])
        yield text, held[0].page, None, held[0].gap


def _short_enough(block: Block) -> Iterator[Block]:
    """The block, cut behind sentences into pieces of much the same length when it is too long."""
    if block.grid is not None or len(block.text) <= WHOLE:
        yield block
        return
    units = [u for s in _units(block.text) for u in s]
    wanted = len(block.text) / -(-len(block.text) // (WHOLE - _SHORT))
    run, first = "", True
    rest = len(block.text)
    for unit in units:
        full = len(run) + len(unit) > WHOLE or (len(run) + len(unit) / 2 > wanted and rest > _SHORT)
        if run.strip() and full:
            yield replace(block, text=run.strip(), gap=block.gap if first else 0)
            run, first = "", False
        run += unit
        rest -= len(unit)
    if run.strip():
        yield replace(block, text=run.strip(), gap=block.gap if first else 0)


def _units(text: str) -> Iterator[list[str]]:
    """Sentences; of one that is too long its clauses, else its lines and widths."""
    for sentence in sentences(text):
        if len(sentence) <= WHOLE:
            yield [sentence]
            continue
        clauses = [c for line in sentence.splitlines(keepends=True) for c in _CLAUSE.split(line) if c]
        yield [c[i : i + WHOLE] for c in clauses for i in range(0, len(c), WHOLE)]


def _rows(grid: Grid) -> Iterator[tuple[list[str], str, str, str]]:
    """(names for the path, the row as it stands, words for search, the row with its titles) of each row."""
    header = grid.header
    titles = [h for h in header if h]
    if not grid.sure and len(header) == 2 and titles:  # what looks like a header may be the first pair of a form
        yield [short(titles[0])], " | ".join(titles), "", ""
        header, titles = (), []
    groups = max((row.own for row in grid.rows), default=0)  # columns whose cells span several rows
    for row in grid.rows:
        cells = [" ".join(c.split()) for c in row.cells]
        names = [_titled(header, i, c) for i, c in enumerate(cells[:groups]) if c]
        own = next((i for i in range(groups, len(cells)) if cells[i]), None)
        if own is not None:
            telling = next((c for c in cells[own:] if c and not _BARE.fullmatch(c)), "")
            said = "" if telling in ("", cells[own]) else f" · {short(telling)}"
            names.append(_titled(header, own, cells[own]) + said)
        context = " ".join([*titles, *(c for c in row.cells[: row.own] if c)])
        shown = " · ".join(_with_title(header, i, c) for i, c in enumerate(cells) if c) if titles else ""
        yield names, row.text, context, shown


def _titled(header: Sequence[str], i: int, cell: str) -> str:
    return _with_title(header, i, short(cell))


def _with_title(header: Sequence[str], i: int, cell: str) -> str:
    title = " ".join(header[i].split()) if i < len(header) else ""
    return f"{short(title)} {cell}" if title else cell


def begin(piece: str) -> str:
    """How a piece begins: its first line without list marks, cut at a sentence or a readable width."""
    lines = [line.strip() for line in piece.splitlines() if line.strip()]
    line = next((x for x in lines if not ENTRIES.fullmatch(x)), lines[0])
    line = _MARKS.sub("", line) or line
    return short(sentences(line)[0].strip() or line)


def short(text: str) -> str:
    return text if len(text) <= _NAMED_BY else text[:_NAMED_BY].rstrip() + "…"
