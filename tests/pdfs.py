"""PDF files for the tests, written by hand: Chinese text, rules of tables, an empty picture page, a password."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """`x`, `y` in points from the lower left corner of an A4 page."""

    x: float
    y: float
    size: float
    text: str


@dataclass(frozen=True)
class Rule:
    x0: float
    y0: float
    x1: float
    y1: float


Page = Sequence[Text | Rule]
_FONT = (
    b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UTF16-H/DescendantFonts[2 0 R]>>",
    b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 3 0 R/DW 1000"
    b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>>>",
    b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 800"
    b"/Descent -200/CapHeight 700/StemV 80>>",
)


def pdf(pages: Sequence[Page], *, locked: bool = False) -> bytes:
    """A file with these pages; `locked`: it asks for a password that nobody knows."""
    objects = [*_FONT, b""]
    kids = []
    for page in pages:
        drawn = "\n".join(map(_drawn, page)).encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
        objects.append(
            b"<</Type/Page/Parent 4 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 1 0 R>>>>/Contents %d 0 R>>"
            % len(objects)
        )
        kids.append(len(objects))
    objects[3] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % k for k in kids))
    objects.append(b"<</Type/Catalog/Pages 4 0 R>>")
    root = len(objects)
    if locked:
        objects.append(b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>" % (b"11" * 32, b"22" * 32))
    out = b"%PDF-1.4\n"
    places = []
    for n, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    encrypt = b"/Encrypt %d 0 R/ID[<aa><aa>]" % len(objects) if locked else b""
    tail = b"trailer<</Size %d/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, encrypt, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table) + tail


def _drawn(item: Text | Rule) -> str:
    if isinstance(item, Rule):
        return f"{item.x0} {item.y0} m {item.x1} {item.y1} l S"
    return f"BT /F1 {item.size} Tf {item.x} {item.y} Td <{item.text.encode('utf-16-be').hex()}> Tj ET"


def table(
    rows: Sequence[Sequence[str | None]], x: float, y: float, width: float = 110, height: float = 24
) -> list[Text | Rule]:
    """A ruled table whose upper left corner is at (x, y); None continues the cell above."""
    out: list[Text | Rule] = []
    columns = len(rows[0])
    bottom = y - height * len(rows)
    out += [Rule(x + width * c, y, x + width * c, bottom) for c in range(columns + 1)]
    for r, row in enumerate([*rows, [""] * columns]):
        for c, cell in enumerate(row):
            if cell is not None:
                out.append(Rule(x + width * c, y - height * r, x + width * (c + 1), y - height * r))
                if cell:
                    out.append(Text(x + width * c + 6, y - height * r - 17, 11, cell))
    return out
