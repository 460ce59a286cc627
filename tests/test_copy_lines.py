"""The copy check on lines that others labelled, and on the kinds of offence in many wordings beside lawful neighbours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from knowledge.catalog import Channel, read_yaml
from knowledge.copy_rules import copy_rules, parse
from tools.compliance import check
from tools.folding import fold

CASES = Path(__file__).parent / "cases"
# Least precision and recall of "not pass" against "pass". The held-out lines tell whether the rules fit more than their examples.
THRESHOLDS = {"copy_lines.yaml": 0.95, "copy_lines_by_family.yaml": 0.95, "copy_lines_held_out.yaml": 0.85}
FAMILIES: dict[str, dict[str, Any]] = read_yaml(CASES / "copy_families.yaml")


@pytest.mark.parametrize("name", THRESHOLDS)
def test_labelled_lines_are_judged_as_their_judge_did(name: str) -> None:
    wrong: list[str] = []
    hits = false_alarms = misses = 0
    for line in cast("list[dict[str, str]]", read_yaml(CASES / name)):
        verdict = check(cast("Channel", line["channel"]), line["text"])
        found, bad = verdict.verdict != "pass", line["label"] != "pass"
        hits += found and bad
        false_alarms += found and not bad
        misses += bad and not found
        if found != bad:
            wrong.append(
                f"{line['label']} judged {verdict.verdict}: {line['text']} {[f.text for f in verdict.findings]}"
            )
    least = THRESHOLDS[name]
    assert hits / (hits + false_alarms) >= least, wrong
    assert hits / (hits + misses) >= least, wrong


def lines(kind: Literal["unlawful", "lawful"]) -> Iterator[Any]:
    for family, entry in FAMILIES.items():
        for text in entry.get(kind, "").strip().splitlines():
            yield pytest.param(entry["channel"], text, id=f"{family}: {text}")


@pytest.mark.parametrize(("channel", "text"), list(lines("unlawful")))
def test_every_wording_of_an_offence_is_found(channel: Channel, text: str) -> None:
    verdict = check(channel, text)
    assert verdict.verdict != "pass"
    assert all(f.text == text[slice(*f.span)] for f in verdict.findings)


@pytest.mark.parametrize(("channel", "text"), list(lines("lawful")))
def test_its_lawful_neighbours_pass(channel: Channel, text: str) -> None:
    assert check(channel, text).findings == []


@pytest.mark.parametrize("family", [name for name, entry in FAMILIES.items() if "finds" in entry])
def test_an_offence_is_found_by_its_own_rule(family: str) -> None:
    """A few lines break another rule as well, which then answers for the words they share."""
    entry = FAMILIES[family]
    texts = entry["unlawful"].strip().splitlines()
    own = [t for t in texts if entry["finds"] in {f.rule for f in check(entry["channel"], t).findings}]
    assert len(own) >= 0.8 * len(texts), set(texts) - set(own)


def test_a_disguised_word_is_reported_where_it_stands() -> None:
    text = "来看国jia级匠人，醉便宜的袜子"
    assert [(f.rule, f.text) for f in check("push", text).findings] == [
        ("absolute_term", "国jia级"),
        ("absolute_term", "醉便宜"),
    ]
    folded = fold(text, copy_rules())
    assert folded.text == "来看国家级匠人,最便宜的袜子"
    assert folded.span(0, len(folded.text)) == (0, len(text))


def test_a_call_that_lacks_who_and_how_is_told_what_to_say() -> None:
    verdict = check("ai_call", "您好，您的券今晚到期。")
    assert [(f.rule, f.text) for f in verdict.findings] == [("missing_caller", "您好，"), ("missing_call_opt_out", "")]
    rewrite = verdict.findings[1].rewrite
    assert rewrite is not None
    assert check("ai_call", f"您好，这里是花漾旗舰店，您的券今晚到期。{rewrite}").findings == []


def test_a_line_from_the_middle_of_a_call_needs_no_introduction() -> None:
    assert check("ai_call", "不想再接到来电的话，请按2。").findings == []
    assert [f.rule for f in check("ai_call", "面霜今晚八点补货。").findings] == ["missing_caller"]


def test_words_are_filled_into_patterns_and_a_wrong_one_is_refused() -> None:
    from knowledge.catalog import CatalogError
    from tests.test_compliance import raw_rules

    raw = {**raw_rules(patterns=["<animal>粮", {"find": "喂<animal>"}]), "words": {"animal": "(?:猫|狗)"}}
    assert [p.find.pattern for p in parse(raw, "mine.yaml").rules[0].patterns] == ["(?:猫|狗)粮", "喂(?:猫|狗)"]
    with pytest.raises(
        CatalogError, match=r"mine\.yaml: rules\.0\.patterns\.0: no word <animul>; did you mean <animal>\?"
    ):
        parse({**raw_rules(patterns=["<animul>粮"]), "words": {"animal": "猫"}}, "mine.yaml")


def test_the_check_is_fast() -> None:
    """Below 2 ms a text, the average over the labelled lines (the first call reads the rules and does not count)."""
    texts = [(cast("Channel", e["channel"]), t) for e in FAMILIES.values() for t in e["unlawful"].strip().splitlines()]
    check(*texts[0])
    begin = time.process_time()
    for channel, text in texts:
        check(channel, text)
    assert (time.process_time() - begin) / len(texts) < 0.002
