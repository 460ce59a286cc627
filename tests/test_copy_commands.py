"""`warroom draft`, `check`, `brief` and `doctor` as programs see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    status = main([str(a) for a in arguments])
    out = capsys.readouterr()
    return status, out.out, out.err


def document(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    return json.loads(run(capsys, *arguments, "--json")[1])


def test_a_draft_has_variants_that_pass_and_says_who_gets_them(
    demo_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(
        capsys, "--shop", demo_root, "draft", "--channel", "sms", "--crowd", "last_push", "--variants", "2"
    )
    assert [d["variant"] for d in found["drafts"]] == ["A", "B"]
    for d in found["drafts"]:
        assert d["text"].startswith("【花漾】")
        assert d["units"] == len(d["text"].encode("utf-16-le")) // 2
        assert d["verdict"]["verdict"] == "pass"
    assert found["crowd"] == "last_push"
    status, text, _ = run(
        capsys, "--shop", demo_root, "--lang", "zh", "draft", "--channel", "群消息", "--crowd", "加购未付款"
    )
    assert status == 0
    assert "A · " in text


def test_a_check_is_what_the_contract_says(demo_root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = "【花漾】全网最低价，快来 拒收请回复R"
    found = document(capsys, "--shop", demo_root, "check", "--channel", "sms", text)
    assert set(found) == {"channel", "text", "units", "segments", "verdict", "findings"}
    assert found["verdict"] == "block"
    finding = found["findings"][0]
    assert set(finding) == {"rule", "level", "span", "text", "why", "rewrite", "source"}
    assert text[slice(*finding["span"])] == finding["text"] == "全网最低价"
    (tmp_path / "copy.txt").write_text(text, encoding="utf-8")
    assert document(capsys, "--shop", demo_root, "check", "--channel", "sms", "--file", tmp_path / "copy.txt") == found
    lines = [{"id": "1", "text": text}, {"id": "2", "channel": "group", "text": "今天上新，欢迎来看"}]
    batch = tmp_path / "b.jsonl"
    batch.write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines), encoding="utf-8")
    _, out, _ = run(capsys, "--shop", demo_root, "check", "--channel", "sms", "--batch", batch)
    assert [(d["id"], d["channel"], d["verdict"]) for d in map(json.loads, out.splitlines())] == [
        ("1", "sms", "block"),
        ("2", "group", "pass"),
    ]
    status, shown, _ = run(capsys, "--shop", demo_root, "--lang", "zh", "check", "--channel", "sms", text)
    assert status == 0
    assert "全网最低价" in shown


def test_a_check_without_a_shop_judges_by_the_rules_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "--shop", tmp_path, "check", "--channel", "push", "面霜 199 元，今天上新")
    assert found["verdict"] == "pass"


def test_a_price_that_no_item_has_is_blocked(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "--shop", demo_root, "check", "--channel", "push", "面霜今天只要 3.21 元")
    assert found["verdict"] == "block"
    assert "3.21" in found["findings"][0]["text"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["check", "--channel", "fax", "x"], 1, "no channel called"),
        (["check", "--channel", "sms"], 2, "usage"),
        (["check", "--channel", "sms", "x", "--file", "y"], 2, "usage"),
        (["check", "--channel", "sms", "--file", "nowhere.txt"], 1, "no file"),
        (["draft", "--channel", "sms", "--crowd", "nobody_knows"], 1, "no crowd called"),
        (["draft", "--channel", "sms", "--purpose", "nonsense"], 1, "nonsense"),
        (["bot"], 1, "no Telegram bot token"),
    ],
)
def test_nonsense_is_answered_clearly(
    arguments: list[str],
    status: int,
    said: str,
    demo_root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN", raising=False)
    found, out, err = run(capsys, "--shop", demo_root, *arguments)
    assert found == status
    assert said in out + err
    assert "Traceback" not in err


def test_a_batch_line_that_is_no_line(demo_root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"text": 3}', encoding="utf-8")
    status, _, err = run(capsys, "--shop", demo_root, "check", "--channel", "sms", "--batch", tmp_path / "b.jsonl")
    assert status == 1
    assert "Line 1 of b.jsonl" in err


def test_the_briefing_is_an_answer_with_a_chart(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "--shop", demo_root, "--lang", "zh", "brief")
    assert found["interpretation"]["intent"] == "brief"
    assert found["degraded"] is None
    assert Path(found["charts"][0]["path"]).read_bytes().startswith(b"\x89PNG")


def test_the_doctor_says_what_works(
    demo_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN", raising=False)
    parts = document(capsys, "--shop", demo_root, "doctor")
    assert [p["part"] for p in parts] == ["settings", "tasks", "data", "index", "model", "telegram"]
    assert all(p["ok"] for p in parts)
    status, out, _ = run(capsys, "--shop", tmp_path, "doctor")
    assert status == 1
    assert "shop.yaml" in out
