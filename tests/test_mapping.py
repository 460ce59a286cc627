"""A merchant's own headers: mapping files, what a workspace keeps of them, and dry runs by them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cli import main
from knowledge import catalog
from tests.test_import import Shop, counts, rejects
from tools import mapping
from tools.errors import NeedsPerson
from tools.mapping import Mapping

ORDERS = catalog.tables()["orders"]
OWN = "交易号,客人,成交于,实收,下单渠道"  # nothing of it is in the catalogue
ROWS = "T1,u1,2026-06-01 10:00:00,12.50,直播\nT2,u1,2026-06-02 10:00:00,8,搜索\n"
FULL = "table: orders\ncolumns: {order_id: 交易号, user_id: 客人, created_at: 成交于, amount: 实收}\nconstants: {kind: normal}\n"


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def yaml_file(shop: Shop, text: str, name: str = "m.yaml") -> Path:
    return shop.file(text, name)


def stored(shop: Shop, columns: str = "order_id, user_id, kind, created_at, amount") -> list[tuple[str | None, ...]]:
    return shop.rows(f"select {columns} from orders order by order_id, item_id")


# --- mapping files -----------------------------------------------------------------------------------------------


def test_a_mapping_says_which_header_is_which_column(shop: Shop) -> None:
    report = shop.load("orders", f"{OWN}\n{ROWS}", "--mapping", str(yaml_file(shop, FULL)))
    assert counts(report) == (2, 2, 0, 0)
    assert report["columns"] == {"交易号": "order_id", "客人": "user_id", "成交于": "created_at", "实收": "amount"}
    assert report["constants"] == {"kind": "normal"}
    assert report["ignored"] == ["下单渠道"]
    assert stored(shop) == [
        ("T1", "u1", "normal", "2026-06-01 10:00:00", "12.50"),
        ("T2", "u1", "normal", "2026-06-02 10:00:00", "8.00"),
    ]


def test_the_catalogues_names_work_for_what_a_mapping_does_not_name(shop: Shop) -> None:
    text = "table: 订单\ncolumns: {user_id: ' 客人 '}\nconstants: {kind: 现货}\n"
    content = "订单编号 , 客人,订单创建时间,付款时间\nT1,u1,2026-06-01,\n"
    report = shop.load("orders", content, "--mapping", str(yaml_file(shop, text)))
    assert report["columns"] == {
        "订单编号": "order_id", "客人": "user_id", "订单创建时间": "created_at", "付款时间": "paid_at",
    }  # fmt: skip
    assert stored(shop, "order_id, user_id, kind, paid_at") == [("T1", "u1", "normal", None)]


def test_one_header_feeds_two_columns(shop: Shop) -> None:
    """Named for both, or named for one and needed by the other; an optional column takes no header that is in use."""
    both = "table: orders\ncolumns: {user_id: 订单编号, order_id: 订单编号}\nconstants: {kind: normal}\n"
    report = shop.load("orders", "订单编号,下单时间\n7,2026-06-01\n", "--mapping", str(yaml_file(shop, both)))
    assert report["columns"]["订单编号"] == "order_id, user_id"
    assert stored(shop, "order_id, user_id") == [("7", "7")]
    one = Mapping(table="orders", columns={"user_id": "订单编号", "refund_amount": "实付金额"})
    header = ["订单编号", "下单时间", "实付金额", "订单类型"]
    assert mapping.places(header, ORDERS, one) == {
        "order_id": 0, "user_id": 0, "created_at": 1, "refund_amount": 2, "kind": 3,
    }  # fmt: skip


def test_two_headers_for_one_column_are_refused_unless_a_mapping_decides(shop: Shop) -> None:
    content = "订单编号,买家ID,会员ID,下单时间,类型\n1,a,b,2026-06-01,普通\n"
    file = shop.file(content)
    _, document = shop.run("orders", file)
    assert document["error"]["code"] == "header_twice"
    assert '"买家ID"' in document["error"]["message"]
    assert '"会员ID"' in document["error"]["message"]
    decided = yaml_file(shop, "table: orders\ncolumns: {user_id: 会员ID}\n")
    assert shop.load("orders", content, "--mapping", str(decided))["ignored"] == ["买家ID"]
    assert stored(shop, "user_id") == [("b",)]
    twin = "订单编号,客人,客人,下单时间,类型\n1,a,b,2026-06-01,普通\n"
    named = yaml_file(shop, "table: orders\ncolumns: {user_id: 客人}\n")
    assert shop.refused("orders", shop.file(twin), "--mapping", named) == "header_twice"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("tabel: orders", "m.yaml: tabel: unknown key 'tabel'; did you mean 'table'?"),
        ("table: order", "m.yaml: table: there is no table 'order'; did you mean 'orders'?"),
        ("columns: {user_id: 客人}", "m.yaml: table: Field required"),
        (
            "table: orders\ncolumns: {userid: 客人}",
            "columns.userid: orders has no column 'userid'; did you mean 'user_id'?",
        ),
        ("table: orders\nconstants: {kin: normal}", "constants.kin: orders has no column 'kin'; did you mean 'kind'?"),
        ("table: orders\ncolumns: {客人: user_id}", "write column: header, so user_id: 客人"),
        ("table: orders\ncolumns: {user_id: 客人, user_id: 买家}", "line 2: user_id stands twice: '客人' and '买家'"),
        ("table: orders\ncolumns: {user_id: }", "columns.user_id: is empty; write a header"),
        ("table: orders\ncolumns: {kind: a}\nconstants: {kind: normal}", "constants.kind: stands under columns too"),
        ("table: orders\nconstants: {user_id: 1}", "constants.user_id: would make all rows one user_id"),
        ("table: [", "m.yaml: not readable as YAML"),
        ("", "m.yaml: (top): a mapping with `table`"),
        ("- a", "m.yaml: (top): write `table: …`"),
        ("table: orders\ncolumns: [客人]", "m.yaml: columns:"),
    ],
)
def test_a_wrong_mapping_file_says_file_key_and_what_would_be_right(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NeedsPerson) as e:
        mapping.load(path, "orders")
    assert e.value.code == "bad_file"
    assert part in e.value.message("en")
    assert str(path) in e.value.hint("zh")


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("table: events\ncolumns: {user_id: 客人}", "mapping_table", "warroom import events"),
        ("table: orders\ncolumns: {user_id: 客户}", "mapping_header", '"客人"'),
        (FULL.replace("normal", "pre-sale"), "mapping_constant", "normal, presale, sample"),
        (FULL.replace("kind: normal", "kind: normal, paid_at: soon"), "mapping_constant", "not a time"),
        (FULL.replace("kind: normal", "kind: normal, deposit_amount: -5"), "mapping_constant", "negative"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_and_nothing_is_stored(
    shop: Shop, text: str, code: str, part: str
) -> None:
    file = shop.file(f"{OWN}\n{ROWS}")
    _, document = shop.run("orders", file, "--mapping", yaml_file(shop, text))
    assert document["error"]["code"] == code
    assert part in document["error"]["message"] + document["error"]["hint"]
    assert not (shop.root / "mappings").exists()


def test_a_mapping_has_no_use_for_the_log_format(shop: Shop) -> None:
    file = shop.file("1,2,3,pv,1511544070\n")
    arguments = ("events", file, "--format", "taobao-userbehavior", "--mapping", yaml_file(shop, FULL))
    assert shop.refused(*arguments) == "mapping_fixed"
    assert shop.refused("orders", file, "--mapping", shop.files / "nowhere.yaml") == "file_missing"


def test_constants_are_read_like_values_of_a_file(shop: Shop) -> None:
    """007 stays a text, 1.2万 is money, a day is a time; a row by which they become wrong is rejected alone."""
    text = FULL.replace("kind: normal", "kind: 预售, item_id: 007, deposit_amount: 1.2万, paid_at: 2026-06-01 12:00")
    report = shop.load("orders", f"{OWN}\n{ROWS}", "--mapping", str(yaml_file(shop, text)))
    assert counts(report) == (2, 1, 1, 0)
    assert stored(shop, "kind, item_id, deposit_amount, paid_at") == [
        ("presale", "007", "12000.00", "2026-06-01 12:00:00")
    ]
    assert [(line, reason) for line, _, _, reason in rejects(report)] == [(3, "paid_before_created")]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    titles=st.lists(st.text("甲乙丙丁abcxyz #_", min_size=1, max_size=6), min_size=4, max_size=4),
    order=st.permutations(range(4)),
)
def test_places_are_where_the_mapping_points(titles: list[str], order: Sequence[int]) -> None:
    """Whatever headers are called and however they stand, each named column is read from its own header."""
    unique = [f"h{i}{title.strip()}" for i, title in enumerate(titles)]
    columns = ["order_id", "user_id", "created_at", "amount"]
    one = Mapping(table="orders", columns=dict(zip(columns, unique, strict=True)), constants={"kind": "normal"})
    header = [unique[i] for i in order]
    found = mapping.map_header(header, ORDERS, "f.csv", "orders", one)
    assert found == {column: header.index(title) for column, title in zip(columns, unique, strict=True)}
    again = mapping.parsed(one.as_yaml(), "m.yaml")
    assert again == [one]


# --- kept mappings -----------------------------------------------------------------------------------------------


def test_a_mapping_that_worked_is_kept_and_used_for_the_next_file(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.load("orders", f"{OWN}\n{ROWS}", "--mapping", str(yaml_file(shop, FULL)))
    kept = shop.root / "mappings" / "orders.yaml"
    assert yaml.safe_load(kept.read_text("utf-8"))["columns"]["user_id"] == "客人"
    day = shop.file("成交于,客人,交易号,备注\n2026-06-03,u3,T3,\n", "day2.csv")  # the amount is missing there
    assert shop.refused("orders", day) == "header_missing"
    whole = shop.file("成交于,实收,客人,交易号,备注\n2026-06-03,3,u3,T3,\n", "day3.csv")
    assert main(["--shop", str(shop.root), "import", "orders", str(whole)]) == 0
    assert str(kept) in capsys.readouterr().err
    assert stored(shop, "order_id, user_id, amount")[-1] == ("T3", "u3", "3.00")
    same = shop.load("orders", f"{OWN}\n{ROWS}")
    assert counts(same) == (2, 2, 0, 2)
    assert "known" in same, "the kept mapping reads the file as the given one did"


def test_a_kept_guess_steps_back_where_the_file_knows_better(shop: Shop) -> None:
    text = "table: orders\ncolumns: {user_id: 订单编号}\nconstants: {kind: normal}\n"
    shop.load("orders", "订单编号,下单时间\n1,2026-06-01\n", "--mapping", str(yaml_file(shop, text)))
    better = "订单编号,下单时间,买家ID,订单类型\n2,2026-06-02,u2,预售\n"
    assert "constants" not in shop.load("orders", better, name="better.csv")
    partly = shop.load("orders", "订单编号,下单时间,买家ID\n3,2026-06-03,u3\n", name="partly.csv")
    assert partly["constants"] == {"kind": "normal"}
    assert stored(shop, "order_id, user_id, kind") == [
        ("1", "1", "normal"), ("2", "u2", "presale"), ("3", "u3", "normal"),
    ]  # fmt: skip


def test_a_kept_decision_between_two_headers_holds(shop: Shop) -> None:
    """The file of then had the catalogue's header too, and the other one was chosen: so it is with the next file."""
    text = "table: orders\ncolumns: {amount: 总金额}\n"
    header = "订单编号,买家ID,下单时间,类型,实付金额,总金额"
    shop.load("orders", f"{header}\n1,u1,2026-06-01,普通,5,9\n", "--mapping", str(yaml_file(shop, text)))
    shop.load("orders", f"{header}\n2,u1,2026-06-02,普通,6,8\n", name="next.csv")
    assert stored(shop, "amount") == [("9.00",), ("8.00",)]


def test_two_kinds_of_files_are_both_kept(shop: Shop) -> None:
    other = "table: orders\ncolumns: {order_id: no, user_id: who, created_at: when}\nconstants: {kind: presale}\n"
    shop.load("orders", f"{OWN}\n{ROWS}", "--mapping", str(yaml_file(shop, FULL)))
    shop.load("orders", "no,who,when\nX1,w1,2026-06-01\n", "--mapping", str(yaml_file(shop, other)), name="b.csv")
    shop.load("orders", "no,who,when\nX2,w2,2026-06-01\n", name="c.csv")
    shop.load("orders", f"{OWN}\nT9,u9,2026-06-02,1,\n", name="d.csv")
    assert stored(shop, "order_id, user_id, kind")[2:] == [
        ("T9", "u9", "normal"), ("X1", "w1", "presale"), ("X2", "w2", "presale"),
    ]  # fmt: skip
    assert len(mapping.kept(shop.root, "orders")) == 2


def test_nothing_is_kept_of_a_dry_run_or_of_a_mapping_by_which_no_row_is_read(shop: Shop) -> None:
    path = str(yaml_file(shop, FULL))
    shop.load("orders", f"{OWN}\n{ROWS}", "--mapping", path, "--dry-run")
    assert not (shop.root / "mappings").exists()
    turned = FULL.replace("created_at: 成交于, amount: 实收", "created_at: 实收")
    report = shop.load("orders", f"{OWN}\n{ROWS}", "--mapping", str(yaml_file(shop, turned)))
    assert counts(report) == (2, 0, 2, 0)
    assert not (shop.root / "mappings").exists()


def test_a_kept_file_that_somebody_broke_is_said_before_anything_is_stored(shop: Shop) -> None:
    (shop.root / "mappings").mkdir()
    (shop.root / "mappings" / "orders.yaml").write_text("table: orders\ncolumns: {user: x}\n", encoding="utf-8")
    file = shop.file("订单编号,买家ID,下单时间,类型\n1,u1,2026-06-01,普通\n")
    assert shop.refused("orders", file) == "bad_file"
    assert not (shop.root / "data.duckdb").exists()


# --- dry run, folders, archives ----------------------------------------------------------------------------------


def test_a_dry_run_judges_everything_and_stores_nothing(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.load("orders", f"{OWN}\nT0,u0,2026-05-01,1,\n", "--mapping", str(yaml_file(shop, FULL)), name="before.csv")
    before = stored(shop)
    bad = "".join(f"B{i},u1,soon,1,13812345678\n" for i in range(30))
    report = shop.load("orders", f"{OWN}\n{ROWS}{bad}", "--dry-run")
    assert counts(report) == (32, 2, 30, 0)
    assert (report["dry_run"], report["rejects_file"], len(report["sample_rejects"])) == (True, None, 20)
    assert report["sample_rejects"][0]["line"] == 4
    assert report["span"] == {"from": "2026-05-01 00:00:00", "to": "2026-06-02 10:00:00"}
    assert stored(shop) == before
    assert not list(shop.root.glob("rejects/*"))
    assert main(["--shop", str(shop.root), "import", "orders", str(shop.file(f"{OWN}\n{ROWS}{bad}")), "--dry-run"]) == 0
    out = capsys.readouterr().out
    for part in (
        'line 4, 成交于 "soon": not_a_time',
        "25 more rejected",
        "交易号 → order_id",
        "not used: 下单渠道",
        "Dry run",
    ):
        assert part in out
    assert counts(shop.load("orders", f"{OWN}\n{ROWS}"))[3] == 0, "a dry run does not make a file known"


def test_a_folder_and_an_archive_are_read_by_one_mapping(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shop.files / "days"
    folder.mkdir()
    for day in (9, 10, 11):
        (folder / f"{day}.csv").write_text(f"{OWN}\nT{day},u{day},2026-06-{day:02},1,\n", encoding="utf-8")
    (folder / "说明.pdf").write_bytes(b"%PDF-")
    with zipfile.ZipFile(shop.files / "more.zip", "w") as packed:
        packed.writestr("六月/12.csv", f"{OWN}\nT12,u12,2026-06-12,1,\n")
    status, documents = shop.run("orders", folder, shop.files / "more.zip", "--mapping", yaml_file(shop, FULL))
    assert status == 0
    assert [counts(d) for d in documents] == [(1, 1, 0, 0)] * 4
    assert [Path(d["file"]).name for d in documents] == ["9.csv", "10.csv", "11.csv", "12.csv"]
    assert [row[0] for row in stored(shop)] == ["T10", "T11", "T12", "T9"]
    capsys.readouterr()
    assert main(["--shop", str(shop.root), "import", "orders", str(folder), str(shop.files / "more.zip")]) == 0
    captured = capsys.readouterr()
    assert "4 in all: 4 rows read, 4 accepted, 0 rejected, 4 duplicates" in captured.out
    assert "说明.pdf" in captured.err
    assert "3 of 4" in captured.err


def test_a_file_that_is_refused_stops_the_rest_and_says_what_was_imported(shop: Shop) -> None:
    folder = shop.files / "days"
    folder.mkdir()
    for day, header in ((1, OWN), (2, "什么,都,不,像,啊"), (3, OWN)):
        (folder / f"{day}.csv").write_text(f"{header}\nT{day},u{day},2026-06-0{day},1,\n", encoding="utf-8")
    status, document = shop.run("orders", folder, "--mapping", yaml_file(shop, FULL))
    assert status == 1
    assert document["error"]["code"] == "mapping_header"
    assert [Path(d["file"]).name for d in document["imported"]] == ["1.csv"]
    assert [row[0] for row in stored(shop)] == ["T1"]
