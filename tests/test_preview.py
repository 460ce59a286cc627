"""A file is looked at before it is imported: the table guessed, columns mapped, nothing personal shown, nothing long read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from knowledge import catalog
from tests.test_import import Shop, counts
from tests.test_spreadsheet import AT, ORDERS, book
from tools import preview as previews
from tools.errors import NeedsPerson
from tools.preview import HIDDEN, Preview, preview


def look(tmp_path: Path, content: str | bytes, name: str = "file.csv", lang: str = "zh") -> Preview:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return preview(path, lang)


@pytest.mark.parametrize("table", list(catalog.tables()))
@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_table_is_known_by_its_headers_in_any_wording(tmp_path: Path, table: str, place: int) -> None:
    columns = catalog.tables()[table].columns
    header = [[n, *c.aliases][min(place, len(c.aliases))] for n, c in columns.items()]
    found = look(tmp_path, ",".join([*header, "备注"]) + "\n")
    if table == "peers" and place == 0:  # targets are called the same in the catalogue's own words
        assert found.alternatives == (("peers", 1.0),)
        return
    assert (found.kind, found.table, found.format, found.missing) == ("table", table, "csv", ())
    assert found.columns == dict(zip(header, columns, strict=True))
    assert found.ignored == ("备注",)
    assert found.score == 1.0


@pytest.mark.parametrize(
    ("content", "table"),
    [
        ("用户ID,时间,类型,商品ID\n", "events"),  # lacks the kind, and still is no list of customers
        ("uid,日期,行为\nu1,2026-06-01 10:00:00,加购\n", "events"),
        ("买家ID,创建时间,类型,订单号\n", "orders"),
        ("商品ID,标题,预售,定金\n", "items"),
        ("活动,人群,指标,目标值\n618,会员,支付金额,100000\n", "targets"),
        ("活动,人群,指标,同行均值\n618,会员,支付转化率,0.05\n", "peers"),
        ("日期,描述相符\n2026-06-01,4.8\n", "service"),
        ("user_id\nu1\n", "customers"),
    ],
)
def test_a_few_headers_are_enough(tmp_path: Path, content: str, table: str) -> None:
    assert look(tmp_path, content).table == table


def test_what_fits_two_tables_says_so_and_the_file_name_decides(tmp_path: Path) -> None:
    both = "活动,人群,指标,数值\n618,member,gmv,3\n"
    found = look(tmp_path, both, "同行同层.csv")
    assert (found.table, [t for t, _ in found.alternatives]) == ("peers", ["targets"])
    assert any("目标" in w for w in found.warnings)
    assert look(tmp_path, both, "targets_618.csv").table == "targets"


def test_values_decide_where_headers_fit_several(tmp_path: Path) -> None:
    header = "user_id,kind,claimed_at,coupon_id,order_id,created_at\n"
    coupons = look(tmp_path, header + "u1,首单券,2026-06-01,k1,-,-\n" * 5)
    orders = look(tmp_path, header + "u1,预售,-,-,o1,2026-06-01 10:00:00\n" * 5)
    assert (coupons.table, orders.table) == ("coupons", "orders")


def test_missing_doubled_and_unreadable_columns_are_said(tmp_path: Path) -> None:
    found = look(tmp_path, "订单编号,商品ID,下单时间,创建时间,实付金额\n" + "o1,i1,昨天,2026-06-01,abc\n" * 3)
    assert (found.kind, found.table, found.missing) == ("table", "orders", ("user_id", "kind"))
    said = "\n".join(found.warnings)
    assert "用户id" in said
    assert "创建时间" in said
    assert "实付金额" in said
    assert all(preview(tmp_path / "file.csv", "en").warnings)


def test_nothing_personal_is_shown(tmp_path: Path) -> None:
    people = "用户ID,手机号,昵称,城市,会员等级,入会时间,收件人,身份证\n"
    people += "u0001,13812345678,小红的店,杭州,金卡13912345678,2026-01-01,张三,330106199001011234\n" * 5
    found = look(tmp_path, people)
    assert found.table == "customers"
    assert len(found.sample) == 3
    shown = repr(asdict(found)["sample"])
    for secret in ("u0001", "138123", "小红", "杭州", "1391234", "张三", "330106"):
        assert secret not in shown
    assert found.sample[0]["会员等级"] == f"金卡{HIDDEN}"
    assert found.sample[0]["入会时间"] == "2026-01-01"
    orders = look(
        tmp_path, "订单号,uid,类型,下单时间,商品id,实付金额\n2026061713812345678,王五,现货,2026-06-17,100012345678,9\n"
    )
    assert list(orders.sample[0].values()) == [HIDDEN, HIDDEN, "现货", "2026-06-17", "100012345678", "9"]


def test_the_beginning_of_a_long_file_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "_HEAD", 40_000)
    line = 'u{0},2026-06-01 10:00:00,visit,"a ""quoted""\nname {0}"\n'
    path = tmp_path / "long.csv"
    path.write_text("user_id,ts,kind,source\n" + "".join(line.format(i) for i in range(10_000, 30_000)))
    found = preview(path, "zh")
    assert (found.table, found.counted) == ("events", False)
    assert found.rows == pytest.approx(20_000, rel=0.05)
    assert not found.warnings


def test_encodings_and_delimiters_of_the_import_are_those_of_the_preview(tmp_path: Path) -> None:
    text = "用户ID\t时间\t行为\nu1\t2026-06-01\t进店\n\n"
    for content in (text.encode("gb18030"), text.encode("utf-8-sig"), text.replace("\n", "\r\n").encode()):
        found = look(tmp_path, content, "事件.txt")
        assert (found.kind, found.table, found.rows, found.counted) == ("table", "events", 1, True)


def test_a_log_without_header(tmp_path: Path) -> None:
    found = look(tmp_path, "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,buy,1511561733\n")
    assert (found.format, found.table, found.rows) == ("taobao-userbehavior", "events", 2)
    assert found.sample[1] == {
        "user id": HIDDEN, "item id": "2333346", "category id": "2520771", "behaviour": "buy", "unix seconds": "1511561733",
    }  # fmt: skip


def test_a_spreadsheet_shows_the_sheet_that_fits_best(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["订单明细"], ORDERS, *[[f"o{i}", f"u{i}", "现货", AT, i + 0.5] for i in range(20)]]
    path = book(tmp_path / "a.xlsx", [["说明"], ["请勿外传"]], 六月=rows, 五月=rows[:10], 会员=[["备注"], ["x"]])
    found = preview(path, "zh")
    assert (found.format, found.table, found.sheet, found.rows) == ("xlsx", "orders", "六月", 20)
    assert list(found.sample[0].values()) == [HIDDEN, HIDDEN, "现货", "2026-06-01 20:00:05", "0.5"]
    assert any("五月" in w for w in found.warnings)
    lost = preview(book(tmp_path / "b.xlsx", [ORDERS, [6.1e18, "u", "现货", AT, 1]]), "zh")
    assert any("前 15 位" in w for w in lost.warnings)


def test_documents_and_files_that_are_nothing_of_ours(tmp_path: Path) -> None:
    found = look(tmp_path, "# 手册\n退货,换货都找客服。\n## 物流\n发极兔。\n", "手册.md")
    assert (found.kind, found.table, found.sections) == ("document", None, 2)
    found = look(tmp_path, "姓名,身高\n甲,180\n")
    assert (found.kind, found.ignored, found.sample) == ("unknown", ("姓名", "身高"), ())


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "file_empty"), ("a.csv", b"\x00\x01\x02", "file_binary"),
        ("a.md", b"\x89PNG\r\n\x1a\n\x00", "file_binary"),
        ("a.pdf", b"%PDF-1.4", "document_broken"), ("a.docx", b"PK\x03\x04", "document_broken"), ("a.doc", b"", "document_type"),
        ("a.xlsx", b"PK\x03\x04 cut", "xlsx_broken"), ("a.csv", b'uid,ts\n"open,1\n', "open_quote"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_as_the_import_says_it(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    with pytest.raises(NeedsPerson) as e:
        look(tmp_path, content, name)
    assert e.value.code == code


def test_what_the_preview_promises_the_import_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop(tmp_path, capsys)
    path = book(tmp_path / "a.xlsx", [["订单"], ORDERS, *[[f"o{i}", "u", "现货", AT, 1] for i in range(7)]])
    found = preview(path, "zh")
    assert found.table is not None
    report = shop.run(found.table, path, "--format", found.format)[1]
    assert (report["columns"], counts(report)) == (found.columns, (found.rows, 7, 0, 0))


def test_real_files(real_data: Path) -> None:
    orders = preview(real_data / "tmall_orders_2000.csv", "zh")
    assert (orders.kind, orders.table, orders.rows) == ("table", "orders", 2000)
    assert set(orders.missing) == {"user_id", "kind"}
    log = preview(real_data / "userbehavior_200users.csv", "zh")
    assert (log.format, log.table) == ("taobao-userbehavior", "events")
    assert log.rows == sum(1 for _ in (real_data / "userbehavior_200users.csv").open())
