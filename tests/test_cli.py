"""The command: its JSON, its exit status, its errors, and the real data's numbers."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.wiring import WarRoom
from tools import workspace

ROOT = Path(__file__).parent.parent
OWN = """
name: 淘宝小店
campaigns:
  - key: warmup12
    name: 双12预热
    year: 2017
    cohort_date: 2017-11-25
    phases:
      - {key: preheat1, name: 预热期, from: 11-25, to: 12-01}
      - {key: sale1, name: 开卖, from: 12-02, to: 12-03}
"""


class Command:
    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        status = main(["--shop", str(self.root), *arguments])
        captured = self.capsys.readouterr()
        return status, captured.out, captured.err

    def json(self, *arguments: str) -> Any:
        status, out, _ = self(*arguments, "--json")
        document = json.loads(out)
        assert status == (1 if "error" in document else 0)
        return document


@pytest.fixture
def warroom(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(demo_root, capsys)


def test_real_behaviour_of_200_people(tmp_path: Path, real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures that an independent count of the public log gives."""
    (tmp_path / "shop.yaml").write_text(OWN, encoding="utf-8")
    run = Command(tmp_path, capsys)
    file = str(real_data / "userbehavior_200users.csv")
    report = run.json("import", "events", file, "--format", "taobao-userbehavior")
    assert (report["read"], report["accepted"], report["rejected"]) == (21_999, 21_999, 0)
    again = run.json("import", "events", file, "--format", "taobao-userbehavior")
    assert again["duplicates"] == again["accepted"] == 21_999
    at = ("--as-of", "2017-12-03 20:00")
    assert run.json("crowd", "cart_unpaid", *at)["size"] == 56
    both = run.json("crowd", "cart_unpaid", "cart_fav_unpaid", *at)
    assert [c["size"] for c in both] == [56, 68]
    assert both[0]["amount_at_stake"] is None, "no prices are known"
    for window in (["--to", "2017-12-03 20:00"], ["--to", "2017-12-03", *at]):
        document = run.json(
            "metrics", "-m", "carters", "cart_buyers", "paid_amount", "-c", "all", "--from", "2017-11-25", *window
        )
        assert [r["value"] for r in document["rows"]] == [150, 94, None]
    reply = run.json("ask", "加购未付款的人今天怎么做", *at)
    assert "加购未付款 56 人，金额未知（商品表里没有价格）" in reply["text"]
    assert reply["interpretation"]["campaign"] == "warmup12"
    assert reply["interpretation"]["phase"] == "sale1"
    assert reply["actions"]
    assert reply["degraded"] is None
    status, out, _ = run("ask", "What should I do today for un-paid carters?")
    assert status == 0
    assert "outside every campaign" in out


def test_real_orders_without_a_buyer_are_refused_with_what_is_missing(
    tmp_path: Path, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.yaml").write_text("name: x", encoding="utf-8")
    error = Command(tmp_path, capsys).json("import", "orders", str(real_data / "tmall_orders_2000.csv"))["error"]
    assert error["code"] == "header_missing"
    assert "user_id, kind" in error["message"]
    assert "买家" in error["hint"]


def test_why_names_the_fact_the_query_and_the_moment_of_each_number(warroom: Command, demo: WarRoom) -> None:
    asked = "昨天会员加购了多少人"
    found = warroom.json("ask", "--why", asked)
    facts = {f["id"]: f for f in found["facts"]}
    assert found["why"]
    for number in found["why"]:
        assert number["span"] in found["text"]
        assert facts[number["fact"]]["query"] == number["query"]
        assert list(demo.engine.query(f"SELECT ({number['query']}) AS v")[0].values()) == [
            facts[number["fact"]]["value"]
        ]
    status, out, _ = warroom("ask", "--why", asked)
    assert status == 0
    assert f"-- {found['why'][0]['span']} ← {found['why'][0]['fact']}" in out
    assert "没有数据里的数" in warroom("ask", "--why", "你好")[1]


def test_phase_plan_crowd_metrics_and_status_in_json(warroom: Command) -> None:
    phase = warroom.json("phase")
    assert (phase["campaign"], phase["phase"], phase["inside"]) == ("618", "sale2", True)
    plan = warroom.json("plan", "--crowd", "cart_unpaid")
    assert plan["mode"] == "unpaid"
    assert plan["actions"][0]["crowd"] == "cart_unpaid and coupon_unredeemed"
    crowd = warroom.json("crowd", "cart_unpaid and member and not coupon_unredeemed")
    assert list(crowd) == [
        "crowd", "as_of", "size", "share", "amount_at_stake", "top_items", "by_level", "removed", "query",
    ]  # fmt: skip
    assert crowd["as_of"] == "2026-06-17 10:00"
    document = warroom.json("metrics", "-m", "visitors", "--from", "2026-06-16", "--to", "2026-06-16")
    assert (document["from"], document["to"], len(document["rows"])) == ("2026-06-16", "2026-06-16", 5)
    assert set(document["rows"][0]) == {"crowd", "metric", "by", "value", "compare", "query"}
    compared = warroom.json("metrics", "-m", "buyers", "-c", "all", "--compare", "previous_day", "--to", "2026-06-16")[
        "rows"
    ][0]
    assert compared["compare"]["diff"] == compared["value"] - compared["compare"]["value"]
    status = warroom.json("status")
    assert [t["table"] for t in status["tables"]] == [
        "customers", "events", "orders", "items", "coupons", "touches", "targets", "peers", "service",
    ]  # fmt: skip


def test_days_add_up_and_levels_cover_everybody(warroom: Command) -> None:
    def total(*by: str) -> float:
        rows = warroom.json(
            "metrics", "-m", "paid_amount", "-c", "all", "--from", "2026-06-10", "--to", "2026-06-16", *by
        )["rows"]
        return float(sum(r["value"] for r in rows))

    whole = total()
    for by in ("day", "member_level", "city"):
        assert total("--by", by) == pytest.approx(whole)


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["crowd", "cart_unpayed"], "unknown_crowd", "cart_unpaid"),
        (["crowd", "cart_unpaid and (member"], "bad_expression", "("),
        (["metrics", "-m", "visit_rat"], "unknown_metric", "visit_rate"),
        (["metrics", "--from", "2026-06-18", "--to", "2026-06-16"], "window_upside_down", "2026-06-18"),
        (["metrics", "--from", "2027-01-01", "--to", "2027-01-02"], "window_in_future", "2027-01-01"),
        (["metrics", "--from", "someday"], "bad_day", "someday"),
        (["metrics", "--by", "moon"], "unknown_by", "member_level"),
        (["metrics", "--compare", "campaign:619:2025"], "unknown_campaign", "campaign:618:2025"),
        (["metrics", "--compare", "last_century"], "unknown_compare", "previous_day"),
        (["plan", "--crowd", "nobody"], "unknown_crowd", "nobody"),
        (["import", "event", "x.csv"], "unknown_table", "event"),
        (["import", "events", "x.csv", "--format", "pdf"], "unknown_format", "pdf"),
        (["import", "events", "nowhere.csv"], "file_missing", "nowhere.csv"),
        (["ask", "--batch", "nowhere.jsonl"], "file_missing", "nowhere.jsonl"),
        (["crowd", "member", "--filter", "shoe=42"], "unknown_filter", "shoe=42"),
        (["crowd", "member", "--as-of", "noon"], "bad_day", "noon"),
    ],
)
def test_errors_are_one_sentence_with_a_next_step(warroom: Command, arguments: list[str], code: str, part: str) -> None:
    error = warroom.json(*arguments)["error"]
    assert error["code"] == code
    assert part in error["message"] + error["hint"]
    assert error["hint"]
    status, out, err = warroom(*arguments)
    assert (status, out) == (1, "")
    assert "Traceback" not in err
    assert error["message"] in err
    status, _, err = warroom(*arguments, "--lang", "zh")
    assert any("\u4e00" <= c <= "\u9fff" for c in err)


def test_wrong_usage_is_status_2(warroom: Command) -> None:
    assert warroom("ask")[0] == 2
    with pytest.raises(SystemExit) as e:
        warroom("fly")
    assert e.value.code == 2


def test_no_workspace_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = Command(tmp_path / "none", capsys).json("status")["error"]
    assert error["code"] == "no_workspace"
    assert "warroom init" in error["hint"]


def test_an_empty_shop_answers_what_it_can(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "new"
    assert main(["init", str(root), "--name", "新店", "--campaign", "618:2026"]) == 0
    run = Command(root, capsys)
    reply = run.json("ask", "加购未付款的人今天怎么做", "--as-of", "2026-06-17 10:00")
    assert "还没有行为数据" in reply["text"]
    assert reply["actions"] == []
    assert reply["degraded"] is None
    assert {t["state"] for t in run.json("status")["tables"]} == {"empty"}


def test_a_locked_or_broken_data_file_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.datafile.WAIT", 0.2)
    root = tmp_path / "broken"
    root.mkdir()
    (root / "shop.yaml").write_text("name: x", encoding="utf-8")
    (root / "data.duckdb").write_bytes(b"no database at all" * 1000)
    assert Command(root, capsys).json("status")["error"]["code"] == "data_broken"
    held = tmp_path / "held"
    workspace.create(held, name="x", campaigns=["618:2026"], demo=False)
    data = str(held / "data.duckdb")
    code = (
        f"import duckdb, time; c = duckdb.connect({data!r}, read_only=True); print('open', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        file = tmp_path / "e.csv"
        file.write_text("user_id,ts,kind\nu1,2026-06-01,visit\n")
        error = Command(held, capsys).json("import", "events", str(file))["error"]
    finally:
        holder.kill()
        holder.wait()
    assert error["code"] == "data_locked"


def test_batch_keeps_order_and_reports_a_bad_line_in_its_place(
    warroom: Command, tmp_path: Path, demo_root: Path
) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(
        '{"id": "a", "question": "临门一脚有多少人"}\n\nnot json\n'
        '{"id": "b", "question": "会员昨天的进店率", "session": "batch"}\n'
        '{"id": "c", "question": "那粉丝呢", "session": "batch"}\n'
        '{"id": "d", "question": "加购未付款的人今天怎么做", "as_of": "2026-05-30 12:00"}\n{"id": "e"}\n',
        encoding="utf-8",
    )
    status, out, _ = warroom("ask", "--batch", str(file))
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [x["id"] for x in lines] == ["a", None, "b", "c", "d", None]
    assert lines[1]["error"]["code"] == lines[5]["error"]["code"] == "bad_batch_line"
    assert lines[3]["interpretation"]["metrics"] == ["visit_rate"]
    assert "还没开卖" in lines[4]["text"]


def test_export_keeps_phones_at_home_and_is_logged(warroom: Command, tmp_path: Path, demo_root: Path) -> None:
    target = tmp_path / "crowd.csv"
    size = warroom.json("crowd", "last_push")["size"]
    assert warroom("crowd", "last_push", "--export", str(target), "--columns", "member_level,city")[0] == 0
    with target.open(encoding="utf-8-sig") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == size
    assert list(rows[0]) == ["user_id", "member_level", "city"]
    assert warroom("crowd", "last_push", "--export", str(target), "--with-phone")[0] == 0
    with target.open(encoding="utf-8-sig") as f:
        assert next(csv.DictReader(f)).keys() == {"user_id", "phone"}
    log = [json.loads(line) for line in (demo_root / "audit.jsonl").read_text("utf-8").splitlines()]
    assert [x["columns"] for x in log[-2:]] == [["user_id", "member_level", "city"], ["user_id", "phone"]]
    assert (
        warroom.json("crowd", "member", "--export", str(target), "--columns", "salary")["error"]["code"]
        == "unknown_column"
    )


def test_a_formula_in_an_export_is_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "shop"
    workspace.create(root, name="x", campaigns=["618:2026"], demo=False)
    file = tmp_path / "c.csv"
    file.write_text("user_id,city\n=cmd|' /C calc'!A0,@x\n", encoding="utf-8")
    run = Command(root, capsys)
    run("import", "customers", str(file))
    target = tmp_path / "out.csv"
    assert run("crowd", "all", "--export", str(target), "--columns", "city", "--as-of", "2026-06-17")[0] == 0
    with target.open(encoding="utf-8-sig") as f:
        assert list(csv.reader(f))[1] == ["'=cmd|' /C calc'!A0", "'@x"]


def test_chat_over_a_pipe(demo_root: Path) -> None:
    """The terminal conversation end to end, in a process of its own."""
    questions = "会员昨天的进店率\n那粉丝呢\n\n/new\n临门一脚有多少人\n/quit\n不会问到\n"
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "--shop", str(demo_root), "chat"],
        input=questions, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    assert "昨天会员进店率" in done.stdout
    assert "昨天粉丝进店率" in done.stdout
    assert "临门一脚 534 人" in done.stdout
    assert "不会问到" not in done.stdout
    assert "Traceback" not in done.stderr


def test_knowledge_search_and_list(warroom: Command) -> None:
    document = warroom.json("knowledge", "search", "临门一脚", "-k", "3")
    assert document["query"] == "临门一脚"
    assert [set(r) for r in document["results"]] == [{"score", "source", "section", "text", "kind"}] * 3
    assert document["results"][0]["kind"] == "crowd"
    counted = warroom.json("knowledge", "list")
    assert sum(c["passages"] for c in counted if c["kind"] == "playbook") == 191
    assert warroom.json("knowledge", "rebuild")["passages"] == sum(c["passages"] for c in counted)
