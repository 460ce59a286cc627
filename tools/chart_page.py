"""The page that charts are drawn on: WIDTH pixels wide, positions in pixels from the top left corner, text measured before
it is placed, and the PNG file. pyplot is not used, because it keeps global state; one lock stands around all drawing,
because the bot renders in several threads."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.context import Context
from tools.errors import Broken, NeedsPerson
from tools.facts import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, MARGIN, DPI = 1080, 56, 100  # pixels, pixels, pixels an inch
TITLE, BIG, LEAD, BODY, SMALL = 52, 60, 38, 32, 28  # sizes of type in pixels; nothing is smaller
INK, MUTED, WHITE = "#1d2733", "#5b6774", "#ffffff"

KEPT_FILES = 50
_LOCK = threading.Lock()


def page(title: str, when: str) -> tuple[Axes, float]:
    """An empty page with its title and period: (axes whose units are pixels from the top left, the last baseline)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, WIDTH / DPI), dpi=DPI, facecolor=WHITE)
    FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    y = 24.0
    for line in fit(ax, title, TITLE, WIDTH - 2 * MARGIN, 3, bold=True):
        y += 66
        put(ax, MARGIN, y, line, TITLE, bold=True)
    y += 54
    put(ax, MARGIN, y, when, BODY, MUTED, width=WIDTH - 2 * MARGIN)
    return ax, y


def finished(ax: Axes, y: float, notes: Sequence[str]) -> Figure:
    """The page with its notes, cut to the height that it needs."""
    from matplotlib.figure import Figure

    if notes:
        y += 16
    for note in notes:
        for line in fit(ax, note, SMALL, WIDTH - 2 * MARGIN, 3):
            y += 40
            put(ax, MARGIN, y, line, SMALL, MUTED)
    height = round(y + 48)
    figure = ax.figure
    assert isinstance(figure, Figure)
    figure.set_size_inches(WIDTH / DPI, height / DPI)
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(height, 0)
    return figure


def points(pixels: float) -> float:
    return pixels * 72 / DPI


def put(
    ax: Axes, x: float, y: float, text: str, size: float, color: str = INK, *, bold: bool = False,
    align: str = "left", width: float | None = None,
) -> float:  # fmt: skip
    """Write `text` with its baseline at y; with `width`, smaller where it would be wider. Returns its width in pixels."""
    text = drawable(text)
    wide = width_of(ax, text, size, bold=bold)
    if width is not None and wide > width:
        size, wide = size * width / wide, width
    ax.text(
        x, y, text, fontproperties=_font(bold), fontsize=points(size), color=color, ha=align, va="baseline",
        parse_math=False, zorder=6,
    )  # fmt: skip
    return wide


def box(ax: Axes, x: float, y: float, width: float, height: float, color: str, gid: str) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((x, y), width, height, facecolor=color, edgecolor="none", gid=gid, zorder=2))


def width_of(ax: Axes, text: str, size: float, *, bold: bool = False) -> float:
    """The width in pixels of `text` in type of `size` pixels."""
    font = _font(bold).copy()
    font.set_size(points(size))
    renderer = ax.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    return float(renderer.get_text_width_height_descent(drawable(text), font, ismath=False)[0])


def fit(ax: Axes, text: str, size: float, width: float, most: int, *, bold: bool = False) -> list[str]:
    """`text` in at most `most` lines of `width` pixels: broken between words or Chinese characters, cut with "…"."""
    words = re.findall(r"[\u0021-\u024f]+\s*|.", drawable(text))
    lines, rest = [""], list(words)
    while rest:
        if width_of(ax, (lines[-1] + rest[0]).rstrip(), size, bold=bold) <= width:
            lines[-1] += rest.pop(0)
        elif lines[-1] and len(lines) < most:
            lines.append("")
        else:
            break
    if rest:
        last = lines[-1] + "".join(rest)
        while last and width_of(ax, last.rstrip() + "…", size, bold=bold) > width:
            last = last[:-1]
        lines[-1] = last.rstrip() + "…"
    return [line.rstrip() for line in lines]


# ---- fonts and files ---------------------------------------------------------------------------------------
@cache
def _font(bold: bool) -> Any:
    """The Chinese font of the wheel mpl-font, by its file: importing the package would change matplotlib's settings."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(font_file(bold)))


def font_file(bold: bool) -> Path:
    """Broken when the font is not installed."""
    from importlib.util import find_spec

    spec = find_spec("mpl_font")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "fonts" / "noto" / f"NotoSansCJKsc-{'Bold' if bold else 'Regular'}.otf"
        if path.is_file():
            return path
    raise Broken("chart_no_font")


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(str(font_file(False))).get_charmap())


def drawable(text: str) -> str:
    """`text` in one line without what the font has no picture of (emoji in a name of the shop's own)."""
    known = _glyphs()
    return re.sub(r"\s+", " ", "".join(c for c in text if ord(c) in known or c.isspace())).strip()


def texts(figure: Figure) -> list[str]:
    """Every text that stands on the picture."""
    from matplotlib.text import Text

    return [t.get_text() for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text()]


def saved(ctx: Context, kind: str, title: str, draw: Callable[[], Figure]) -> Chart:
    """Draw and write charts/<kind>-<hash of the picture>.png whole or not at all; NeedsPerson when it cannot be written."""
    buffer = io.BytesIO()
    with _LOCK:
        draw().savefig(buffer, format="png", metadata={"Software": None})
    png = buffer.getvalue()
    folder = ctx.shop.root / "charts"
    path = folder / f"{kind}-{hashlib.sha256(png).hexdigest()[:16]}.png"
    try:
        folder.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as f:
                f.write(png)
            os.replace(part, path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        _prune(folder)
    except OSError as e:
        raise NeedsPerson("chart_not_saved", path=str(folder), detail=e.strerror or str(e)) from e
    return Chart(id=path.stem, title=title, path=str(path))


def _prune(folder: Path) -> None:
    """Keep the newest files; another thread may be pruning too."""
    ages = []
    for path in folder.iterdir():
        try:
            ages.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:
            continue
    for _, path in sorted(ages, reverse=True)[KEPT_FILES:]:
        path.unlink(missing_ok=True)
