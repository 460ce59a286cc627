"""Parquet, archives, folders of daily files, workbooks of several sheets: what comes out, what is refused, what a stop leaves."""

from __future__ import annotations

import gzip
import io
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.test_import import EVENTS, ORDERS, Shop, counts, rejects
from tools import sources
from tools.errors import NeedsPerson
from tools.sources import expand

PAID = "select order_id, item_id, paid_at is not null, amount from orders order by 1, 2"


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def parquet(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def packed(path: Path, files: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return path


def order(order_id: str, paid: str = "", amount: str = "", item: str = "i1") -> str:
    return f"{order_id},u1,{item},normal,2026-06-01,{paid},{amount}\n"


# --- Parquet -----------------------------------------------------------------------------------------------------


def test_parquet_values_of_every_type_are_stored_exactly(shop: Shop, tmp_path: Path) -> None:
    utc = datetime(2026, 6, 1, 16, 30, 5, 999_999)
    path = parquet(
        tmp_path / "订单.parquet",
        {
            "订单编号": pa.array([9007199254740993, 2], pa.int64()),
            "买家ID": pa.array([b"u1", "　红2 ".encode()], pa.binary()),
            "类型": pa.array(["现货", "预售"]).dictionary_encode(),
            "下单时间": pa.array([utc, utc], pa.timestamp("us", tz="UTC")),
            "付定金时间": pa.array([None, datetime(2026, 6, 2, 1, 2, 3)], pa.timestamp("ns")),
            "付款时间": pa.array([date(2026, 6, 3), None], pa.date32()),
            "实付金额": pa.array([Decimal("0.10"), Decimal("12345678.99")], pa.decimal128(18, 4)),
            "定金": pa.array([0.1 + 0.2, None], pa.float64()),
            "备注": pa.array([["a"], []], pa.list_(pa.string())),
        },
    )
    status, report = shop.run("orders", path)
    assert (status, *counts(report)) == (0, 2, 2, 0, 0)
    assert report["ignored"] == ["备注"]
    columns = "order_id, user_id, kind, created_at, deposit_paid_at, paid_at, amount, deposit_amount"
    assert shop.rows(f"select {columns} from orders order by 1") == [
        ("2", "红2", "presale", "2026-06-02 00:30:05", "2026-06-02 01:02:03", None, "12345678.99", None),
        ("9007199254740993", "u1", "normal", "2026-06-02 00:30:05", None, "2026-06-03 00:00:00", "0.10", "0.30"),
    ]
    assert counts(shop.run("orders", path, "--format", "parquet")[1]) == (2, 2, 0, 2)


def test_parquet_times_are_put_into_the_shops_zone(shop: Shop, tmp_path: Path) -> None:
    (shop.root / "shop.yaml").write_text("name: x\ntimezone: America/New_York\n", encoding="utf-8")
    winter, summer = datetime(2026, 1, 1, 2), datetime(2026, 6, 1, 2)
    columns = {"user_id": ["u1", "u2"], "ts": pa.array([winter, summer], pa.timestamp("ms", tz="Asia/Shanghai")),
               "kind": ["visit", "visit"], "quantity": pa.array([1.0, None], pa.float32())}  # fmt: skip
    assert shop.run("events", parquet(tmp_path / "a.parquet", columns))[0] == 0
    assert shop.rows("select ts, quantity from events order by 1") == [
        ("2025-12-31 21:00:00", "1"),
        ("2026-05-31 22:00:00", None),
    ]


def test_refused_rows_of_parquet_carry_their_row_number(shop: Shop, tmp_path: Path) -> None:
    n = 300_000  # more than one group of rows, read by several threads
    kinds = ["visit" if i not in (7, 200_000, n - 1) else "坏" for i in range(n)]
    ids = [f"u{i}" if i != 150_000 else " " for i in range(n)]
    columns = {"user_id": ids, "ts": pa.array([datetime(2026, 6, 1)] * n), "kind": kinds}
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=50_000)
    report = shop.run("events", path)[1]
    assert counts(report) == (n, n - 4, 4, 0)
    assert rejects(report) == [
        (8, "kind", "坏", "not_a_choice"),
        (150_001, "user_id", "", "missing"),
        (200_001, "kind", "坏", "not_a_choice"),
        (n, "kind", "坏", "not_a_choice"),
    ]


def test_what_parquet_cannot_tell_is_refused_as_a_whole(shop: Shop, tmp_path: Path) -> None:
    good = {"user_id": ["u1"], "ts": [datetime(2026, 6, 1)], "kind": ["visit"]}
    whole = parquet(tmp_path / "whole.parquet", good).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-20])
    (tmp_path / "empty.parquet").touch()
    (tmp_path / "text.parquet").write_text(f"{EVENTS}\nu1,2026-06-01,visit\n")
    parquet(tmp_path / "nested.parquet", {**good, "source": pa.array([{"a": 1}])})
    parquet(tmp_path / "ids.parquet", {**good, "user_id": pa.array([6.1e18])})
    parquet(tmp_path / "short.parquet", {"user_id": ["u1"], "ts": ["x"]})
    parquet(tmp_path / "none.parquet", {k: pa.array([], pa.string()) for k in good})
    expected = {"cut": "parquet_broken", "empty": "file_empty", "nested": "parquet_nested", "ids": "parquet_digits_lost",
                "short": "header_missing", "none": "no_rows"}  # fmt: skip
    for name, code in expected.items():
        assert shop.refused("events", tmp_path / f"{name}.parquet") == code
    assert shop.refused("events", tmp_path / "text.parquet", "--format", "parquet") == "not_parquet"
    assert shop.rows("select count(*) from events") == [("0",)]
    assert shop.run("events", tmp_path / "text.parquet")[0] == 0, "by its content it is a text"


# --- archives ----------------------------------------------------------------------------------------------------


def test_a_zip_of_daily_files_in_the_order_of_their_days(shop: Shop, tmp_path: Path) -> None:
    path = packed(
        tmp_path / "日报.zip",
        {
            "6月/2026-6-10.csv": f"{ORDERS}\n{order('o1', '2026-06-10', '9')}",
            "6月/2026-6-9.csv": f"{ORDERS}\n{order('o1')}{order('o2')}",
            "说明.pdf": "%PDF", "__MACOSX/6月/._2026-6-9.csv": "x", ".DS_Store": "x", "6月/~$x.xlsx": "x",
        },
    )  # fmt: skip
    status, reports = shop.run("orders", path)
    assert status == 0
    assert [(r["file"], *counts(r)) for r in reports] == [
        (f"{path}/6月/2026-6-9.csv", 2, 2, 0, 0),
        (f"{path}/6月/2026-6-10.csv", 1, 1, 0, 0),
    ]
    assert shop.rows(PAID) == [("o1", "i1", "True", "9.00"), ("o2", "i1", "False", None)]
    assert shop.rows("select file from _imports") == [("2026-6-9.csv",), ("2026-6-10.csv",)]
    assert set(expand(path).skipped) == {f"日报.zip/{n}" for n in
        ("说明.pdf", "__MACOSX/6月/._2026-6-9.csv", ".DS_Store", "6月/~$x.xlsx")}  # fmt: skip
    assert not list(shop.root.glob(".import-*"))


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize("name", ["六月/订单明细.csv", "模.csv", "a\u4e00\u5c0f.csv"])
def test_chinese_names_without_the_flag_are_read_right(tmp_path: Path, name: str, encoding: str) -> None:
    raw = name.encode(encoding)
    path = packed(tmp_path / "a.zip", {"X" * len(raw): "user_id\nu1\n"})
    path.write_bytes(path.read_bytes().replace(b"X" * len(raw), raw))
    (member,) = expand(path).members
    assert member.name == f"{path}/{name}"
    with sources.opened(member, tmp_path) as file:
        assert file.name == Path(name).name
        assert file.read_text() == "user_id\nu1\n"


def test_spreadsheets_parquet_and_gzip_inside_and_a_workbook_called_zip(shop: Shop, tmp_path: Path) -> None:
    from tests.test_spreadsheet import book

    sheet = book(tmp_path / "a.xlsx", [["user_id"], ["u1"]])
    table = parquet(tmp_path / "b.parquet", {"user_id": ["u2", "u1"]})
    path = packed(tmp_path / "all.zip", {"a.xlsx": sheet.read_bytes(), "b.parquet": table.read_bytes()})
    assert [counts(r) for r in shop.run("customers", path)[1]] == [(1, 1, 0, 0), (2, 2, 0, 1)]
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(b"user_id\nu3\n") + gzip.compress(b"u4\n"))
    assert counts(shop.run("customers", tmp_path / "c.csv.gz")[1]) == (2, 2, 0, 0)
    (tmp_path / "d.zip").write_bytes(book(tmp_path / "d.xlsx", [["user_id"], ["u5"]]).read_bytes())
    assert shop.run("customers", tmp_path / "d.zip")[1]["sheet"] == "Sheet"
    assert shop.rows("select user_id from customers order by 1") == [(f"u{i}",) for i in range(1, 6)]


def test_archives_that_could_do_harm_are_refused_and_nothing_is_unpacked(shop: Shop, tmp_path: Path) -> None:
    good = "user_id\nu1\n"
    files: dict[str, dict[str, bytes | str]] = {
        "up.zip": {"a.csv": good, "../b.csv": good}, "root.zip": {"/etc/b.csv": good}, "drive.zip": {"C:\\b.csv": good},
        "back.zip": {"x\\..\\..\\b.csv": good}, "nested.zip": {"a.csv": good, "b.ZIP": "x"}, "gz.zip": {"b.csv.gz": "x"},
        "bomb.zip": {"a.csv": b"u1\n" * (20 << 20)}, "none.zip": {"readme.md": "x"}, "empty.zip": {},
    }  # fmt: skip
    for name, content in files.items():
        packed(tmp_path / name, content)
    locked = bytearray(packed(tmp_path / "locked.zip", {"a.csv": good}).read_bytes())
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    (tmp_path / "cut.zip").write_bytes((tmp_path / "bomb.zip").read_bytes()[:-40])
    (tmp_path / "text.zip").write_text(good)
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"x"))
    (tmp_path / "bad.csv.gz").write_bytes(gzip.compress(good.encode())[:-6])
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"u1\n" * (20 << 20)))
    expected = {
        "up.zip": "zip_unsafe", "root.zip": "zip_unsafe", "drive.zip": "zip_unsafe", "back.zip": "zip_unsafe",
        "nested.zip": "zip_nested", "gz.zip": "zip_nested", "bomb.zip": "zip_bomb", "none.zip": "nothing_to_import",
        "empty.zip": "nothing_to_import", "locked.zip": "zip_locked", "cut.zip": "zip_broken", "text.zip": "zip_broken",
        "x.gz": "gz_inside", "bad.csv.gz": "zip_broken", "bomb.csv.gz": "zip_bomb",
    }  # fmt: skip
    for name, code in expected.items():
        assert shop.refused("customers", tmp_path / name) == code, name
    assert not list(shop.root.glob(".import-*"))
    assert not (tmp_path / "data.duckdb").exists() or shop.rows("select count(*) from customers") == [("0",)]


def test_an_archive_that_lies_about_its_size_is_caught_while_unpacking(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.csv": b"user_id\n" + b"u1\n" * 100_000})
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + at
        data[place : place + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    (member,) = expand(path).members
    with pytest.raises(NeedsPerson) as e, sources.opened(member, tmp_path):
        pass
    assert e.value.code in ("zip_bomb", "zip_broken")


def test_parts_that_share_their_bytes_are_a_bomb(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {f"{i}.csv": "user_id\n" + "u1\n" * 1000 for i in range(3)})
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    directory = content[start : content.index(b"PK\x05\x06")]
    entry = directory[: len(directory) // 3]
    body = content[: content.index(b"PK\x03\x04", 4)]
    end = bytearray(content[content.index(b"PK\x05\x06") :])
    end[8:12] = (50).to_bytes(2, "little") * 2
    end[12:16], end[16:20] = (len(entry) * 50).to_bytes(4, "little"), len(body).to_bytes(4, "little")
    path.write_bytes(body + entry * 50 + bytes(end))
    with pytest.raises(NeedsPerson) as e:
        expand(path)
    assert e.value.code == "zip_bomb"


def test_a_disk_without_room_is_said_before_and_while_unpacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (member,) = expand(packed(tmp_path / "a.zip", {"a.csv": "user_id\nu1\n"})).members
    monkeypatch.setattr(sources, "_SPARE", 1 << 62)
    with pytest.raises(NeedsPerson) as e, sources.opened(member, tmp_path):
        pass
    assert e.value.code == "disk_full"
    assert not list(tmp_path.glob(".import-*"))


# --- folders -----------------------------------------------------------------------------------------------------


def test_a_folder_of_daily_files_and_what_is_passed_over(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "daily"
    (folder / "2026" / ".cache").mkdir(parents=True)
    (folder / "2026" / "06-02.csv").write_text(f"{ORDERS}\n{order('o1', '2026-06-02', '5')}")
    (folder / "2026" / "06-01.csv").write_text(f"{ORDERS}\n{order('o1')}{order('o2')}")
    packed(folder / "2026" / "06-03.zip", {"03.csv": f"{ORDERS}\n{order('o2', '2026-06-03', '6')}"})
    for name in ("readme.md", ".hidden.csv", "2026/.cache/x.csv", "~$a.xlsx", "new.csv.part"):
        (folder / name).write_text("x")
    assert sorted(expand(folder).skipped) == [
        ".hidden.csv",
        "2026/.cache/x.csv",
        "new.csv.part",
        "readme.md",
        "~$a.xlsx",
    ]
    status, reports = shop.run("orders", folder)
    assert status == 0
    assert [Path(r["file"]).name for r in reports] == ["06-01.csv", "06-02.csv", "03.csv"]
    assert shop.rows(PAID) == [("o1", "i1", "True", "5.00"), ("o2", "i1", "True", "6.00")]


def test_the_same_folder_again_takes_only_what_is_new_and_undoes_no_correction(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "daily"
    folder.mkdir()
    (folder / "01.csv").write_text(f"{ORDERS}\n{order('o1')}{order('bad', paid='x')}")
    (folder / "02.csv").write_text(f"{ORDERS}\n{order('o1', '2026-06-02', '5')}")
    first = shop.run("orders", folder)[1]
    (folder / "03.csv").write_text(f"{ORDERS}\n{order('o3')}")
    (folder / "01 - copy.csv").write_bytes((folder / "01.csv").read_bytes())
    status, again = shop.run("orders", folder)
    assert status == 0
    names = [Path(r["file"]).name for r in again]
    assert names == ["01 - copy.csv", "01.csv", "02.csv", "03.csv"]
    assert ["known" in r for r in again] == [True, True, True, False]
    assert [counts(r) for r in again] == [(2, 1, 1, 1), (2, 1, 1, 1), (1, 1, 0, 1), (1, 1, 0, 0)]
    assert again[1]["rejects_file"] == first[0]["rejects_file"]
    Path(first[0]["rejects_file"]).unlink()
    report = shop.run("orders", folder / "01.csv")[1]
    assert rejects(report) == [(3, "paid_at", "x", "not_a_time")], "written anew, without storing anything"
    assert shop.rows(PAID) == [("o1", "i1", "True", "5.00"), ("o3", "i1", "False", None)]
    (folder / "01.csv").write_text(f"{ORDERS}\n{order('o1', '2026-06-04', '7')}")
    assert shop.run("orders", folder)[0] == 0
    assert shop.rows(PAID)[0] == ("o1", "i1", "True", "7.00"), "a changed file is another file, whatever it is called"


def test_a_file_that_is_refused_stops_the_folder_and_keeps_the_days_before(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "daily"
    folder.mkdir()
    for day, text in enumerate(
        [f"{EVENTS}\nu1,2026-06-01,visit\n", f"{EVENTS}\nu2,2026-06-02,vis", f"{EVENTS}\nu3,2026-06-03,visit\n"], 1
    ):
        (folder / f"0{day}.csv").write_text(text)
    status, document = shop.run("events", folder)
    assert (status, document["error"]["code"]) == (1, "half_written")
    assert [Path(r["file"]).name for r in document["imported"]] == ["01.csv"]
    assert shop.rows("select user_id from events") == [("u1",)]
    (folder / "02.csv").write_text(f"{EVENTS}\nu2,2026-06-02,visit\n")
    assert [r["accepted"] - r["duplicates"] for r in shop.run("events", folder)[1]] == [0, 1, 1]


def test_a_kill_leaves_whole_days_and_the_same_command_goes_on(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 60_000
    days = {f"day{d}.csv": f"{EVENTS}\n" + "".join(f"u{i},2026-06-0{d},visit\n" for i in range(n)) for d in range(1, 6)}
    path = packed(tmp_path / "days.zip", {**days})
    code = "import sys; from bot.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--shop", str(shop.root), "import", "events", str(path)]
    for stop in (2, 4):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              cwd=Path(__file__).parent.parent) as running:  # fmt: skip
            until = time.monotonic() + 120
            while not list(shop.root.glob(f".import-*/day{stop}.csv")):
                assert running.poll() is None
                assert time.monotonic() < until
                time.sleep(0.002)
            running.send_signal(signal.SIGKILL)
        stored = shop.rows("select ts::date, count(*) from events group by 1 order by 1")
        assert stored in ([(f"2026-06-0{d}", str(n)) for d in range(1, last)] for last in (stop, stop + 1))
        assert shop.rows("select count(*) from _imports") == [(str(len(stored)),)]
        assert list(shop.root.glob(".import-*")), "what the kill left"
    monkeypatch.setattr(sources, "_JUST_MADE", 0)
    status, reports = shop.run("events", path)
    assert status == 0
    assert ["known" in r for r in reports][:3] == [True] * 3
    assert shop.rows("select count(*), count(distinct ts) from events") == [(str(5 * n), "5")]
    assert not list(shop.root.glob(".import-*"))


# --- dry runs and mappings ---------------------------------------------------------------------------------------


def test_a_dry_run_counts_everything_and_leaves_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.load("orders", f"{ORDERS}\n{order('o1')}", name="before.csv")
    body = order("o1", "2026-06-02", "5") + "".join(order(f"b{i}", "昨天") for i in range(30)) + order("o2")
    path = shop.file(f"{ORDERS}\n{body}", "next.csv")
    before = shop.rows("select * from orders"), shop.rows("select file from _imports")
    status, report = shop.run("orders", path, "--dry-run")
    assert (status, *counts(report), report["dry_run"]) == (0, 32, 2, 30, 0, True)
    assert report["rejects_file"] is None
    assert len(report["sample_rejects"]) == 20
    first = report["sample_rejects"][0]
    assert (first["line"], first["column"], first["value"], first["reason"][:10]) == (
        3,
        "paid_at",
        "昨天",
        "not_a_time",
    )
    assert (shop.rows("select * from orders"), shop.rows("select file from _imports")) == before
    assert not (shop.root / "rejects").exists()
    real = shop.run("orders", path)[1]
    assert counts(real) == counts(report), "a dry run does not make the file known"


def test_one_header_feeds_two_columns_and_another_mapping_is_another_import(shop: Shop, tmp_path: Path) -> None:
    path = shop.file("单号,买家,下单时间\n1,甲,2026-06-01\n")
    texts = {
        "a": "table: orders\ncolumns: {order_id: 单号, user_id: 单号}\nconstants: {kind: normal}\n",
        "b": "table: orders\ncolumns: {order_id: 单号, user_id: 买家}\nconstants: {kind: 预售}\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    report = shop.run("orders", path, "--mapping", tmp_path / "a.yaml")[1]
    assert (counts(report), report["constants"]) == ((1, 1, 0, 0), {"kind": "normal"})
    assert report["columns"] == {"单号": "order_id, user_id", "下单时间": "created_at"}
    assert shop.rows("select order_id, user_id, kind from orders") == [("1", "1", "normal")]
    assert counts(shop.run("orders", path, "--mapping", tmp_path / "b.yaml")[1]) == (1, 1, 0, 0)
    assert shop.rows("select order_id, user_id, kind from orders") == [("1", "甲", "presale")]
    assert "known" in shop.run("orders", path, "--mapping", tmp_path / "b.yaml")[1]


def test_a_file_of_nothing_but_bad_rows_is_refused_as_a_whole(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.ingest.MAX_REJECTS", 100)
    rows = [f"u{i},{'昨天' if i % 3 else '2026-06-01'},visit\n" for i in range(150)]
    assert shop.load("events", f"{EVENTS}\n{''.join(rows)}" + "\n" * 200)["rejected"] == 100
    path = shop.file(f"{EVENTS}\n{''.join(rows)}u,前天,visit\nv,2026-06-02,visit\n", "more.csv")
    assert shop.refused("events", path) == "too_many_rejects"
    assert shop.rows("select count(*) from events") == [("50",)]


def test_the_order_of_names_counts_numbers(tmp_path: Path) -> None:
    for name in ("2026-6-10.csv", "2026-6-9.csv", "10.csv", "9.csv", "b.csv", "a2.csv", "a10.csv"):
        (tmp_path / name).write_text("x")
    names = [Path(m.name).name for m in expand(tmp_path).members]
    assert names == ["9.csv", "10.csv", "2026-6-9.csv", "2026-6-10.csv", "a2.csv", "a10.csv", "b.csv"]


def test_unpacking_holds_no_file_in_memory(tmp_path: Path) -> None:
    import resource

    line = "".join(f"u{i},2026-06-01,visit\n" for i in range(50_000)).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z, z.open("a.csv", "w") as f:
        for _ in range(200):
            f.write(line)
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    (member,) = expand(tmp_path / "a.zip").members
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with sources.opened(member, tmp_path) as file:
        assert file.stat().st_size == 200 * len(line)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 0.2 * 200 * len(line)
