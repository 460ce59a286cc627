"""Charts: what is drawn comes from facts, can be read, and is written whole; also from many threads at once."""

from __future__ import annotations

import csv
import os
import re
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from bot.grounding import numerals
from bot.wiring import WarRoom
from tests import tiny_shop
from tests.shops import dated, load
from tools import cells, chart_data, chart_page, chart_splits, charts, metrics, tables
from tools.context import Context
from tools.engine import Engine
from tools.errors import AskAgain, NeedsPerson
from tools.facts import Chart, FactSheet
from tools.periods import window
from tools.shop import Shop, Thresholds, load_shop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL = ["all", "old", "new", "member", "fan"]
LONG = (
    "cart_fav_unpaid and member and not coupon_unredeemed and not last_push and not live_member and not challenge_open"
)
NOW = datetime(2026, 6, 17, 10)
D = date


def funnel_figure(ctx: Context, *args: Any) -> Figure:
    return charts.draw_funnel(chart_data.funnel_data(ctx, *args))


def trend_figure(ctx: Context, *args: Any) -> Figure:
    return charts.draw_trend(chart_data.trend_data(ctx, *args))


def sizes_figure(ctx: Context, *args: Any) -> Figure:
    return charts.draw_sizes(chart_data.sizes_data(ctx, *args))


def split_figure(ctx: Context, *args: Any) -> Figure:
    data = chart_splits.split_data(ctx, *args)
    return charts.draw_trend(data) if isinstance(data, chart_data.TrendData) else charts.draw_sizes(data)


PICTURES = {
    "funnel of the panel": (funnel_figure, NOW, (PANEL, D(2026, 6, 16), D(2026, 6, 17))),
    "funnel, long name": (funnel_figure, NOW, ([LONG, "all"], D(2026, 6, 1), D(2026, 6, 15))),
    "funnel last year": (funnel_figure, NOW, (PANEL, D(2025, 6, 16), D(2025, 6, 20))),
    "amounts, whole campaign": (trend_figure, NOW, ("paid_amount", "all", D(2026, 5, 1), D(2026, 6, 17))),
    "people, five days": (trend_figure, NOW, ("buyers", "all", D(2026, 6, 13), D(2026, 6, 17))),
    "people, thirty days": (trend_figure, NOW, ("visitors", LONG, D(2026, 5, 19), D(2026, 6, 17))),
    "ratio": (trend_figure, NOW, ("visit_cart_rate", "member", D(2026, 5, 24), D(2026, 6, 16))),
    "one day": (trend_figure, NOW, ("paid_amount", "all", D(2026, 6, 17), D(2026, 6, 17))),
    "double 11": (trend_figure, NOW, ("paid_amount", "all", D(2025, 10, 1), D(2025, 11, 14))),
    "after the data": (trend_figure, datetime(2026, 6, 20, 9), ("buyers", "all", D(2026, 6, 10), D(2026, 6, 20))),
    "review": (trend_figure, datetime(2026, 6, 25, 9), ("paid_amount", "all", D(2026, 5, 1), D(2026, 6, 25))),
    "by hour, today": (split_figure, NOW, ("paid_amount", "all", D(2026, 6, 17), D(2026, 6, 17), "hour")),
    "by hour, a ratio": (split_figure, NOW, ("visit_cart_rate", "member", D(2026, 6, 10), D(2026, 6, 16), "hour")),
    "by item": (split_figure, NOW, ("carters", LONG, D(2026, 6, 1), D(2026, 6, 17), "item")),
    "by category": (split_figure, NOW, ("aov", "last_seen_within:30", D(2026, 6, 16), D(2026, 6, 16), "category")),
    "by channel": (split_figure, NOW, ("touch_roi", "all", D(2026, 6, 1), D(2026, 6, 16), "channel")),
    "by lifecycle": (split_figure, NOW, ("crowd_size", "all", D(2026, 6, 16), D(2026, 6, 16), "lifecycle")),
    "item in the crowd": (trend_figure, NOW, ("buyers", "item:i0009", D(2026, 6, 14), D(2026, 6, 17))),
    "sizes": (sizes_figure, NOW, (["cart_unpaid", "last_push", LONG, "balance_due", "dormant_vip", "all"],)),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PICTURES)
def test_every_numeral_drawn_is_a_display_of_a_fact(demo: WarRoom, name: str, lang: str) -> None:
    draw, at, arguments = PICTURES[name]
    ctx = demo.context(at, lang)
    drawn = chart_page.texts(draw(ctx, *arguments))
    allowed = {n for f in ctx.sheet.facts for n in numerals(f.display)}
    assert len(drawn) > 5
    assert any(numerals(t) for t in drawn)
    assert not {n for t in drawn for n in numerals(t)} - allowed
    # Every whole display of a number, not only its digits: no sum and no rounding of the chart's own.
    shown = {f.display for f in ctx.sheet.facts}
    for text in drawn:
        for number in re.findall(r"¥[\d,.]+|[\d,.]+%|[\d,]+ (?:人|people|person)", text):
            assert number in shown, text


@pytest.mark.parametrize("name", PICTURES)
def test_the_query_of_every_fact_gives_its_value(demo: WarRoom, name: str) -> None:
    draw, at, arguments = PICTURES[name]
    ctx = demo.context(at, "zh")
    draw(ctx, *arguments)
    for fact in ctx.sheet.facts:
        (row,) = demo.engine.query(fact.query)
        (value,) = row.values()
        if fact.unit == "date":
            assert str(value)[:16] == fact.value
        else:
            assert value == (pytest.approx(fact.value) if isinstance(fact.value, float) else fact.value), fact.label


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PICTURES)
def test_texts_stand_apart_inside_the_page_and_large_enough(demo: WarRoom, name: str, lang: str) -> None:
    from matplotlib.text import Text

    draw, at, arguments = PICTURES[name]
    figure = draw(demo.context(at, lang), *arguments)
    width, height = figure.canvas.get_width_height()
    assert width == chart_page.WIDTH
    assert 500 < height < 2400
    found = [t for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text()]
    boxes = [(t.get_text(), t.get_window_extent()) for t in found]
    for text, box in boxes:
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height, text  # noqa: PT018
    for (a, first), (b, second) in combinations(boxes, 2):
        apart = first.x1 <= second.x0 or second.x1 <= first.x0 or first.y1 <= second.y0 + 1 or second.y1 <= first.y0 + 1
        assert apart, f"{a!r} touches {b!r}"
    for drawn in found:
        assert float(drawn.get_fontsize()) * chart_page.DPI / 72 > chart_page.SMALL - 0.01, drawn.get_text()


def test_every_character_drawn_is_in_the_font(demo: WarRoom) -> None:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    known = [set(TTFont(chart_page.font_file(bold)).getBestCmap()) for bold in (False, True)]
    for draw, at, arguments in PICTURES.values():
        for lang in ("zh", "en"):
            drawn = {ord(c) for t in chart_page.texts(draw(demo.context(at, lang), *arguments)) for c in t}
            assert drawn <= known[0] & known[1]


def test_what_the_font_cannot_show_is_left_out() -> None:
    assert chart_page.drawable("开门红🔥 第一天\n\t🛍️") == "开门红 第一天"
    assert chart_page.drawable("$3 off, $5 back") == "$3 off, $5 back"


def test_a_name_with_emoji_and_dollars_is_drawn_as_it_is(demo: WarRoom, recwarn: pytest.WarningsRecorder) -> None:
    from matplotlib.text import Text

    own = "🔥$1 狂欢$ 日"
    campaigns = tuple(
        replace(c, phases=tuple(replace(p, name=p.name.model_copy(update={"zh": own})) for p in c.phases))
        for c in demo.shop.campaigns
    )
    base = demo.context(NOW, "zh")
    ctx = replace(base, shop=replace(demo.shop, campaigns=campaigns))
    figure = trend_figure(ctx, "paid_amount", "all", D(2026, 6, 16), D(2026, 6, 17))
    figure.canvas.draw()
    (name,) = (t for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text() == "$1 狂欢$ 日")
    plain = figure.canvas.get_renderer().get_text_width_height_descent(  # type: ignore[attr-defined]
        name.get_text(), name.get_fontproperties(), ismath=False
    )
    assert name.get_window_extent().width == pytest.approx(plain[0]), "dollars do not make a formula"
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def bars(figure: Figure, gid: str) -> list[Any]:
    from matplotlib.artist import Artist

    return [a for a in figure.findobj(Artist) if a.get_gid() == gid]


def test_the_target_line_goes_through_the_targets(demo: WarRoom) -> None:
    ctx = demo.context(NOW, "zh")
    figure = trend_figure(ctx, "paid_amount", "all", D(2026, 6, 13), D(2026, 6, 16))
    (line,) = bars(figure, "target")
    (base,) = bars(figure, "base")
    wanted = demo.engine.query(
        "SELECT value FROM targets WHERE crowd = 'all' AND metric = 'paid_amount' "
        "AND date BETWEEN DATE '2026-06-13' AND DATE '2026-06-16' ORDER BY date"
    )
    paid = demo.engine.query(
        "SELECT sum(amount) AS value FROM orders WHERE paid_at >= '2026-06-13' AND paid_at < '2026-06-17' "
        "GROUP BY paid_at::DATE ORDER BY paid_at::DATE"
    )
    heights = [base.get_y() - y for y in line.get_ydata()]
    columns = [b.get_height() for b in bars(figure, "bar")]
    scale = heights[0] / wanted[0]["value"]
    assert heights[::2] == pytest.approx([row["value"] * scale for row in wanted])
    assert heights[1::2] == heights[::2]
    assert columns == pytest.approx([row["value"] * scale for row in paid])


def test_no_target_no_line(demo: WarRoom) -> None:
    figure = trend_figure(demo.context(NOW, "zh"), "visitors", "all", D(2026, 6, 13), D(2026, 6, 16))
    assert not bars(figure, "target")
    assert "当天目标" not in chart_page.texts(figure)


def test_today_is_hollow_until_now_and_a_whole_day_is_not(demo: WarRoom) -> None:
    figure = trend_figure(demo.context(NOW, "zh"), "buyers", "all", D(2026, 6, 15), D(2026, 6, 17))
    assert (len(bars(figure, "bar")), len(bars(figure, "partial"))) == (2, 1)
    assert "截至 10:00" in chart_page.texts(figure)
    ended = trend_figure(
        demo.context(datetime(2026, 6, 16, 23, 59, 59), "zh"), "buyers", "all", D(2026, 6, 15), D(2026, 6, 16)
    )
    assert (len(bars(ended, "bar")), len(bars(ended, "partial"))) == (2, 0)
    assert not [t for t in chart_page.texts(ended) if "截至" in t]


def test_days_after_the_data_have_no_bar(demo: WarRoom) -> None:
    ctx = demo.context(datetime(2026, 6, 20, 9), "zh")
    data = chart_data.trend_data(ctx, "visitors", "all", D(2026, 6, 15), D(2026, 6, 20))
    assert [d.value is None for d in data.days] == [False, False, False, True, True, True]
    assert [d.partial for d in data.days] == [False, False, True, False, False, False]
    assert data.notes
    assert [h.what for h in data.heads] == ["6 月 16 日", "6 月 17 日（截至 09:59）"]
    assert chart_page.texts(charts.draw_trend(data)).count("—") == 3


def test_the_day_in_which_the_data_ends_stays_hollow_on_later_days(demo: WarRoom) -> None:
    ctx = demo.context(datetime(2026, 6, 18, 9), "zh")
    data = chart_data.trend_data(ctx, "paid_amount", "all", D(2026, 6, 15), D(2026, 6, 17))
    assert [d.partial for d in data.days] == [False, False, True]
    assert [h.what for h in data.heads] == ["6 月 16 日", "6 月 17 日（截至 09:59）"]


@pytest.mark.parametrize(("last_hour", "whole"), [(19, True), (14, False)])
def test_a_quiet_shops_day_is_whole_when_its_orders_end_as_late_as_usual(
    tmp_path: Path, last_hour: int, whole: bool
) -> None:
    paid = [datetime(2026, 6, 16 - d, 19 if d else last_hour) for d in range(8)]
    orders = [
        {"order_id": f"o{i}", "user_id": "a", "kind": "normal", "created_at": at, "paid_at": at, "amount": 10}
        for i, at in enumerate(paid)
    ]
    visits = [{"user_id": "a", "ts": datetime(2026, 6, 17, 8), "kind": "visit"}]
    shop = Shop(
        tmp_path, "x", "x", ZoneInfo("Asia/Shanghai"), "CNY", None, tuple(map(dated, tiny_shop.CAMPAIGNS)), Thresholds()
    )
    ctx = context(
        shop, load(tmp_path / "data.duckdb", {"orders": orders, "events": visits}), at=datetime(2026, 6, 17, 9)
    )
    data = chart_data.trend_data(ctx, "buyers", "all", D(2026, 6, 15), D(2026, 6, 16))
    assert [d.partial for d in data.days] == [False, not whole]


def test_phases_are_those_of_the_days(demo: WarRoom) -> None:
    data = chart_data.trend_data(demo.context(NOW, "zh"), "buyers", "all", D(2026, 5, 30), D(2026, 6, 17))
    expected = [("第一波预热", 0, 2), ("第一波尾款/开门红", 2, 5), ("第二波预热", 5, 17), ("正式售卖", 17, 19)]
    assert [(b.name, b.begin, b.end) for b in data.bands] == expected
    between = chart_data.trend_data(demo.context(NOW, "zh"), "buyers", "all", D(2025, 7, 5), D(2025, 7, 9))
    assert between.bands == ()


# ---- a shop that can be checked by eye ---------------------------------------------------------------------
@pytest.fixture
def tiny(tmp_path: Path) -> Context:
    shop = Shop(
        root=tmp_path, name="x", signature="x", timezone=ZoneInfo("Asia/Shanghai"), currency="USD", clock=tiny_shop.AS_OF,
        campaigns=tuple(dated(c) for c in tiny_shop.CAMPAIGNS), settings=Thresholds(),
    )  # fmt: skip
    return context(shop, load(tmp_path / "data.duckdb", tiny_shop.TABLES))


def no_search() -> Any:
    raise AssertionError("charts do not search")


def context(shop: Shop, engine: Engine, lang: str = "en", at: datetime = tiny_shop.AS_OF) -> Context:
    return Context(shop, at, lang, lambda: engine, no_search, FactSheet(at, lang, shop.currency))


def test_the_funnel_by_hand(tiny: Context) -> None:
    data = chart_data.funnel_data(tiny, PANEL, *tiny_shop.WINDOW)
    for block, crowd in zip(data.blocks, PANEL, strict=True):
        expected = [tiny_shop.EXPECTED_METRICS[key, crowd] for key in ("visitors", "carters", "buyers")]
        assert [s.people for s in block.stages] == expected
    charts.draw_funnel(data).canvas.draw()


def test_a_ratio_without_a_denominator_is_a_dash(tiny: Context) -> None:
    # u07 pays a balance on a day without a visit: buyers, and nobody who came in.
    data = chart_data.funnel_data(tiny, ["fan and not member"], D(2026, 6, 16), D(2026, 6, 16))
    (block,) = data.blocks
    assert [s.people for s in block.stages] == [0, 0, 1]
    assert block.rate == "visit → pay —"
    assert [s.rate for s in block.stages] == [None, "visit → cart —", "cart → pay —"]
    shown = chart_page.texts(charts.draw_funnel(data))
    assert {"0 people", "1 person"} <= set(shown)


def test_days_without_a_ratio_break_the_line(tiny: Context) -> None:
    data = chart_data.trend_data(tiny, "visit_cart_rate", "all", D(2026, 6, 14), D(2026, 6, 17))
    assert [d.value is None for d in data.days] == [True, True, False, False]
    figure = charts.draw_trend(data)
    figure.canvas.draw()
    assert chart_page.texts(figure).count("—") == 2
    assert len(bars(figure, "partial")) == 1


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("chart_empty", lambda c: charts.trend(c, "deposit_buyers", "all", D(2026, 6, 11), D(2026, 6, 12))),
        ("chart_empty", lambda c: charts.funnel(c, ["all"], D(2026, 5, 2), D(2026, 5, 3))),
        ("chart_empty", lambda c: charts.sizes(c, ["member and not member"])),
        ("chart_no_crowds", lambda c: charts.sizes(c, [])),
        ("chart_too_many", lambda c: charts.sizes(c, [f"last_paid_within:{i}" for i in range(1, 14)])),
        ("chart_too_long", lambda c: charts.trend(c, "buyers", "all", D(2026, 1, 1), D(2026, 6, 17))),
        ("window_in_future", lambda c: charts.trend(c, "buyers", "all", D(2026, 6, 18), D(2026, 6, 19))),
        ("unknown_crowd", lambda c: charts.funnel(c, ["nobody"], D(2026, 6, 16), D(2026, 6, 17))),
        ("unknown_metric", lambda c: charts.trend(c, "happiness", "all", D(2026, 6, 16), D(2026, 6, 17))),
    ],
)
def test_what_cannot_be_drawn_is_said(tiny: Context, code: str, call: Any) -> None:
    with pytest.raises(AskAgain) as e:
        call(tiny)
    assert e.value.code == code
    assert all(e.value.message(lang) and e.value.hint(lang) for lang in ("zh", "en"))
    assert not tiny.sheet.facts
    assert not (tiny.shop.root / "charts").exists()


# ---- the files ---------------------------------------------------------------------------------------------
def png_size(data: bytes) -> tuple[int, int]:
    """(width, height) of a PNG whose chunks are all whole."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, kinds, size = 8, [], (0, 0)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
        kinds.append(kind)
        at += 12 + length
    assert kinds[-1] == b"IEND"
    return size


def draw_all(ctx: Context) -> list[Chart]:
    days = (D(2026, 6, 15), D(2026, 6, 17))
    return [
        charts.funnel(ctx, PANEL, *days),
        charts.trend(ctx, "visit_cart_rate", "all", *days),
        charts.sizes(ctx, ["member", "cart_unpaid"]),
    ]


def test_files_are_pngs_of_a_phones_width(tiny: Context) -> None:
    made = draw_all(tiny)
    assert len({c.id for c in made}) == 3
    for chart in made:
        path = Path(chart.path)
        assert path.parent == tiny.shop.root / "charts"
        width, height = png_size(path.read_bytes())
        assert width == chart_page.WIDTH
        assert height > 400
        assert width + height <= 10000  # Telegram's limit for photos
    assert [p.name for p in (tiny.shop.root / "charts").iterdir() if p.suffix != ".png"] == []
    assert draw_all(tiny) == made, "the same numbers give the same file"


def test_only_the_newest_files_are_kept(tiny: Context) -> None:
    folder = tiny.shop.root / "charts"
    folder.mkdir()
    for i in range(60):
        path = folder / f"old-{i:02}.png"
        path.write_bytes(b"x")
        os.utime(path, (1_000_000 + i, 1_000_000 + i))
    chart = charts.sizes(tiny, ["member"])
    kept = {p.name for p in folder.iterdir()}
    assert kept == {Path(chart.path).name, *(f"old-{i}.png" for i in range(11, 60))}


def test_a_folder_that_cannot_be_written_is_said(tiny: Context) -> None:
    (tiny.shop.root / "charts").write_text("in the way")
    with pytest.raises(NeedsPerson) as e:
        charts.sizes(tiny, ["member"])
    assert e.value.code == "chart_not_saved"


def test_eight_threads_draw_what_one_draws(demo_root: Path, tmp_path: Path) -> None:
    def contexts() -> list[Context]:
        return [replace(room.context(NOW, lang), shop=shop) for lang in ("zh", "en")]

    with WarRoom(demo_root) as room:
        shop = replace(load_shop(demo_root), root=tmp_path)
        alone = [c for ctx in contexts() for c in draw_all(ctx)]
        before = {c.path: Path(c.path).read_bytes() for c in alone}
        with ThreadPoolExecutor(8) as pool:
            rounds = list(pool.map(lambda _: [c for ctx in contexts() for c in draw_all(ctx)], range(8)))
    assert all(made == alone for made in rounds)
    assert {p: Path(p).read_bytes() for p in before} == before
    assert len(list((tmp_path / "charts").iterdir())) == len(alone)


def test_drawing_leaves_matplotlibs_global_state_alone(demo_root: Path, tmp_path: Path) -> None:
    code = f"""
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from bot.wiring import WarRoom
from tools import charts, metrics, tables
assert "matplotlib" not in sys.modules, "imported before anything is drawn"
with WarRoom(Path({str(demo_root)!r})) as room:
    ctx = room.context(datetime(2026, 6, 17, 10), "zh")
    charts.sizes(replace(ctx, shop=replace(room.shop, root=Path({str(tmp_path)!r}))), ["all", "member"])
import matplotlib
assert matplotlib.rcParams["font.family"] == ["sans-serif"], matplotlib.rcParams["font.family"]
print([m for m in ("matplotlib.pyplot", "mpl_font") if m in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert run.stdout.strip() == "[]", run.stderr


# ---- tables (tools/tables.py) --------------------------------------------------------------------------------
def read_back(path: Path) -> list[list[str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "a spreadsheet in China reads UTF-8 only with this mark"
    with path.open(encoding="utf-8-sig", newline="") as f:
        return list(csv.reader(f))


def test_a_table_holds_the_rows_of_the_question(tiny: Context, tmp_path: Path) -> None:
    path = tmp_path / "panel.csv"
    keys = ["visitors", "paid_amount", "visit_cart_rate"]
    assert tables.panel_csv(tiny, keys, ["会员", "fan", "member"], *tiny_shop.WINDOW, None, path) == 2
    header, member, fan = read_back(path)
    assert header == ["crowd", "from", "until", "visitors (people)", "paid amount (USD)", "visit-to-cart rate"]
    for row, crowd in ((member, "member"), (fan, "fan")):
        people, paid, rate = (tiny_shop.EXPECTED_METRICS[key, crowd] for key in keys)
        assert people is not None
        assert row[1:4] == ["2026-06-16 00:00", "2026-06-17 10:00", str(people)]
        assert row[4] == ("" if paid is None else f"{paid:.2f}")
        assert row[5] == ("" if rate is None else f"{rate * 100:.2f}%")


def test_a_table_by_day_keeps_a_crowds_days_together(tiny: Context, tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    assert tables.panel_csv(tiny, ["buyers"], ["all", "new"], D(2026, 6, 15), D(2026, 6, 17), "day", path) == 6
    rows = read_back(path)[1:]
    assert [r[0] for r in rows] == ["whole shop"] * 3 + ["new customers"] * 3
    spans = [
        ["2026-06-15 00:00", "2026-06-15 23:59"],
        ["2026-06-16 00:00", "2026-06-16 23:59"],
        ["2026-06-17 00:00", "2026-06-17 10:00"],
    ]
    assert [r[1:3] for r in rows] == spans * 2
    over = window(D(2026, 6, 15), D(2026, 6, 17), tiny.at)
    scope = metrics.scope_of(over, tiny.shop.campaigns, tiny.shop.settings)
    cells = metrics.compute(tiny.engine, ["buyers"], ["all", "new"], over, scope, "day")
    assert [int(r[3]) for r in rows] == [c.value for crowd in ("all", "new") for c in cells if c.crowd == crowd]


def test_a_table_by_item_has_titles_and_ids_the_largest_first(tiny: Context, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    assert tables.panel_csv(tiny, ["buyers", "paid_amount", "touch_roi"], ["all"], *tiny_shop.WINDOW, "item", path) == 3
    header, *rows = read_back(path)
    assert header == ["crowd", "from", "until", "item id", "item", "buyers (people)", "paid amount (USD)"]
    # u02 and u03 paid the serum; u02 the cream, of unknown amount; u07 the balance of the box
    assert rows[0][3:] == ["I1", "Serum", "2", "300.00"]
    assert sorted(r[3:] for r in rows[1:]) == [["I2", "Cream", "1", ""], ["I3", "Gift box", "1", "300.00"]]


def test_a_table_by_hour_runs_in_time_and_by_channel_counts_messages(tiny: Context, tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    tables.panel_csv(tiny, ["buyers"], ["all"], *tiny_shop.WINDOW, "hour", path)
    assert [r[3:] for r in read_back(path)] == [
        ["hour", "buyers (people)"], ["10:00", "1"], ["12:00", "1"], ["20:00", "1"],
    ]  # fmt: skip
    tables.panel_csv(tiny, ["touch_sent", "touch_roi"], ["all"], *tiny_shop.WINDOW, "channel", path)
    header, *rows = read_back(path)
    assert header[3:] == ["channel", "messages sent", "touch ROI"]
    assert {r[3]: r[4] for r in rows} == {"SMS": "3", "push": "1", "group message": "1", "unknown": "1"}
    assert not any("%" in r[5] for r in rows)


def test_columns_of_hours_by_hand(tiny: Context) -> None:
    data = chart_splits.split_data(tiny, "buyers", "all", D(2026, 6, 16), D(2026, 6, 16), "hour")
    assert isinstance(data, chart_data.TrendData)
    assert len(data.days) == 24
    assert {i: d.value for i, d in enumerate(data.days) if d.value} == {12: 1, 20: 1}
    assert [h.shown for h in data.heads] == ["2 people", "1 person"]
    today = chart_splits.split_data(tiny, "buyers", "all", D(2026, 6, 17), D(2026, 6, 17), "hour")
    assert isinstance(today, chart_data.TrendData)
    assert [d.value for d in today.days] == [0] * 10 + [1] + [None] * 13
    assert [i for i, d in enumerate(today.days) if d.partial] == [10]


def test_bars_of_a_split_by_hand(tiny: Context) -> None:
    data = chart_splits.split_data(tiny, "touch_sent", "all", *tiny_shop.WINDOW, "channel")
    assert isinstance(data, chart_data.SizesData)
    assert (data.rows[0].name, data.rows[0].value, data.rows[0].shown) == ("SMS", 3, "3")
    assert len(data.rows) == 4


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("no_such_split_of", ("touch_roi", "item")),
        ("unknown_by", ("buyers", "moon")),
        ("chart_empty", ("deposit_buyers", "category")),
    ],
)
def test_a_split_that_cannot_be_drawn_is_said(tiny: Context, code: str, arguments: tuple[str, str]) -> None:
    key, by = arguments
    with pytest.raises(AskAgain) as e:
        charts.split(tiny, key, "fan", D(2026, 6, 17), D(2026, 6, 17), by)
    assert e.value.code == code
    assert all(e.value.message(lang) and e.value.hint(lang) for lang in ("zh", "en"))


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("昨天每小时成交金额", "split"),
        ("各渠道触达效果", "split"),
        ("本周每天的加购人数", "trend"),
        ("会员昨天的客单价", "trend"),
    ],
)
def test_the_picture_fits_the_answer(demo: WarRoom, question: str, kind: str) -> None:
    from bot.conversation import Question, answer
    from bot.exports import chart_of

    assert chart_of(demo, answer(demo, Question(question))).id.startswith(kind)


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+86", "-1", "@SUM(A1)", "＝1+1", "－2", "\t=1", "\r=1", " =1", "\u3000＋1"]
)
def test_no_cell_runs_as_a_formula(text: str, tmp_path: Path) -> None:
    assert cells.plain(text) == "'" + text
    people = [{**row, "city": text} for row in tiny_shop.TABLES["customers"]]
    engine = load(tmp_path / "data.duckdb", {**tiny_shop.TABLES, "customers": people})
    campaigns = tuple(dated(c) for c in tiny_shop.CAMPAIGNS)
    shop = Shop(tmp_path, "x", "x", ZoneInfo("Asia/Shanghai"), "CNY", None, campaigns, Thresholds())
    path = tmp_path / "cities.csv"
    tables.panel_csv(context(shop, engine, "zh"), ["visitors"], ["all"], *tiny_shop.WINDOW, "city", path)
    header, *rows = read_back(path)
    assert header == ["人群", "开始", "截至", "城市", "进店访客数（人）"]
    # The shop stores texts without outer blanks; whoever has no customer row has no city.
    assert {r[3] for r in rows} == {cells.plain(text.strip()), "未知"}


def test_ordinary_texts_stay_as_they_are() -> None:
    for text in ("上海", "V1", "—", "a=b", "2026-06-17", ""):
        assert cells.plain(text) == text


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("unknown_metric", (["happiness"], ["all"], *tiny_shop.WINDOW, None)),
        ("unknown_crowd", (["buyers"], ["nobody"], *tiny_shop.WINDOW, None)),
        ("unknown_by", (["buyers"], ["all"], *tiny_shop.WINDOW, "moon")),
        ("window_in_future", (["buyers"], ["all"], D(2026, 7, 1), D(2026, 7, 2), None)),
    ],
)
def test_a_table_that_cannot_be_made_leaves_no_file(
    tiny: Context, tmp_path: Path, code: str, arguments: tuple[Any, ...]
) -> None:
    keys, crowds, first, last, by = arguments
    with pytest.raises(AskAgain) as e:
        tables.panel_csv(tiny, keys, crowds, first, last, by, tmp_path / "t.csv")
    assert e.value.code == code
    assert not (tmp_path / "t.csv").exists()


def test_a_table_that_cannot_be_written_is_said(tiny: Context, tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson) as e:
        tables.panel_csv(tiny, ["buyers"], ["all"], *tiny_shop.WINDOW, None, tmp_path / "nowhere" / "t.csv")
    assert e.value.code == "table_not_saved"
    assert all(e.value.message(lang) and e.value.hint(lang) for lang in ("zh", "en"))
