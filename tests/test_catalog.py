"""The catalogue: everything in it points to something, and a slip is refused with file, key and suggestion."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import prompts
from knowledge import catalog
from knowledge.catalog import CatalogError, CrowdFile, MetricFile, UnpaidFile, validate
from knowledge.chunks import parse_playbook, section_of, sections
from tools import audience, measures, workspace
from tools.crowds import CROWDS
from tools.errors import NeedsPerson
from tools.shop import load_shop


def test_every_reference_points_to_something() -> None:
    for s in catalog.strategies():
        assert audience.parse(s.crowd), s.id
        assert s.source is not None
        assert section_of(s.source).quote()
    for key, m in catalog.metrics().items():
        counted = {*measures.SHOP, *measures.PART_OF, *measures.COMBINED, "crowd_size"}
        assert {m.numerator, m.denominator} <= {None, *counted}, key
        assert m.numerator or m.peer_of in catalog.metrics() or key in counted, f"nothing computes {key}"
        assert m.source is None or section_of(m.source)
    for rule in catalog.unpaid().phases.values():
        assert rule.ratio in catalog.metrics()
        for move in rule.moves:
            if move.crowd:
                audience.parse(move.crowd.replace("{crowd}", "cart_unpaid"))
            for source in move.sources.values():
                assert section_of(source).quote()


def test_strategy_ids_are_unique_and_crowds_are_computed() -> None:
    ids = [s.id for s in catalog.strategies()]
    assert len(set(ids)) == len(ids)
    assert set(CROWDS) == set(catalog.crowds())


def test_names_are_not_shared_between_crowds_or_between_metrics() -> None:
    for entries in (catalog.crowds(), catalog.metrics()):
        seen: dict[str, str] = {}
        for key, entry in entries.items():
            for name in {n.casefold() for n in (entry.name.zh, entry.name.en, *entry.aliases)}:
                assert seen.setdefault(name, key) == key, name


@pytest.mark.parametrize(
    ("model", "raw", "message"),
    [
        (CrowdFile, {"crowds": {"x": {"nmae": {}}}}, "unknown key 'nmae'; did you mean 'name'?"),
        (MetricFile, {"metrics": {}, "ambigous": {}}, "unknown key 'ambigous'; did you mean 'ambiguous'?"),
        (UnpaidFile, {"slots": {}, "phase": {}}, "unknown key 'phase'; did you mean 'phases'?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(model: type, raw: dict[str, object], message: str) -> None:
    with pytest.raises(CatalogError, match=re.escape(message)) as e:
        validate(model, raw, "some.yaml")
    assert str(e.value).startswith("some.yaml: ")


OWN = "name: x\ncampaigns: [{{key: a, name: A, year: 2026, phases: [{}]}}]"


def shop_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / "shop.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("nam: x", "did you mean 'name'?"),
        ("name: x\ncampaigns: [{template: '619', year: 2026}]", "no template '619'"),
        ("name: x\nclock: noonish", "clock: 'noonish'"),
        ("name: x\ntimezone: Mars/Olympus", "no zone 'Mars/Olympus'"),
        ("name: x\nsettings: {active_day: 9}", "did you mean 'active_days'?"),
        ("name: [", "not readable as YAML"),
        ("", "a mapping with at least `name`"),
        ("name: x\nengine: spark://host", "engine: 'spark://host'"),
        (
            "name: x\ncampaigns: [{key: a, name: A, year: 2026, phases: [{key: sale1, name: s, from: 06-05, to: 06-01}]}]",
            "ends 2026-06-01 before it begins 2026-06-05",
        ),
        (
            "name: x\ncampaigns: [{key: a, name: A, year: 2026, phases: [{key: pool, name: p, from: 06-01, to: 06-03}, "
            "{key: sale1, name: s, from: 06-03, to: 06-05}]}]",
            "begins 2026-06-03, before pool ends 2026-06-03",
        ),
        (OWN.format("{key: sael, name: s, from: 06-01, to: 06-05}"), "phases.0.key"),
        ("name: x\ncampaigns: [{template: '618', year: 2026}, {template: '618', year: 2026}]", "stands twice"),
        (OWN.format("{key: sale1, name: s, from: 02-30, to: 03-05}"), "is not a day"),
    ],
)  # fmt: skip
def test_a_wrong_shop_yaml_says_what_is_wrong(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(NeedsPerson) as e:
        load_shop(shop_with(tmp_path, text))
    assert e.value.code == "bad_file"
    assert part in e.value.message("en")
    assert "shop.yaml" in e.value.hint("zh")


def test_the_contracts_own_example_loads(tmp_path: Path) -> None:
    shop = load_shop(
        shop_with(
            tmp_path,
            """
name: 花漾护肤
signature: 花漾
timezone: Asia/Shanghai
currency: CNY
clock: 2026-06-17 10:00
engine: duckdb
campaigns:
  - {template: "618", year: 2026}
  - key: warmup12
    name: 双12预热
    year: 2017
    cohort_date: 2017-11-25
    phases:
      - {key: preheat1, name: 预热期, from: 11-25, to: 12-01}
      - {key: sale1, name: 开卖, from: 12-02, to: 12-03}
settings: {old_customer_days: 365, active_days: 90, attribution_hours: 72}
""",
        )
    )
    assert [(c.key, c.year) for c in shop.campaigns] == [("warmup12", 2017), ("618", 2026)]
    assert shop.now().isoformat() == "2026-06-17T10:00:00"


def test_every_text_exists_in_both_languages_with_the_same_variables() -> None:
    def variables(template: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}

    assert len(prompts.keys()) > 150
    for key in prompts.keys():  # noqa: SIM118
        assert set(prompts._texts()[key]) == set(prompts.LANGS), (
            key
        )  # an unquoted comma would make a key of what follows
        zh, en = (prompts._texts()[key][lang] for lang in prompts.LANGS)
        assert variables(zh) == variables(en), key
        assert zh.strip(), key
        assert en.strip(), key


def test_every_text_is_used() -> None:
    """What nothing shows is deleted."""
    code = "\n".join(
        p.read_text(encoding="utf-8") for folder in ("bot", "tools", "knowledge") for p in Path(folder).rglob("*.py")
    )
    dynamic = (
        "error.",
        "hint.",
        "reason.",
        "channel.",
        "intent.",
        "by.",
        "compare.",
        "next.",
        "metric.",
        "when.",
        "plan.",
        "command.",
        "question.",
        "button.",
        "role.",
        "ledger.",
        "doctor.",
        "check.",
        "trouble.",
        "example.",
    )
    for key in prompts.keys():  # noqa: SIM118
        if key.startswith(("error.", "hint.")):
            assert f'"{key.split(".", 1)[1]}"' in code, key
        elif not key.startswith(dynamic):
            assert key in code, key


def test_a_missing_variable_raises_instead_of_reaching_a_person() -> None:
    with pytest.raises(KeyError):
        prompts.text("phase.where", "zh", campaign="618")
    with pytest.raises(KeyError):
        prompts.text("no.such_text", "zh")


def test_a_playbook_must_have_titles_in_both_languages_and_anchors() -> None:
    good = "---\nid: a\ntitle: {zh: 甲, en: A}\norigin: x\n---\n\n## 一 | One {#one}\n\n第一句。第二句。\n"
    (section,) = parse_playbook(good, "a.md")
    assert (section.key, section.quote(), section.path.en) == ("a#one", "第一句。", "One")
    with pytest.raises(CatalogError, match=r"a\.md: line 7"):
        parse_playbook(good.replace(" {#one}", ""), "a.md")
    with pytest.raises(CatalogError, match="stands twice"):
        parse_playbook(good + "\n## 二 | Two {#one}\n\n又一句。\n", "a.md")
    with pytest.raises(CatalogError, match="must begin with"):
        parse_playbook("## 一 | One {#one}\n", "a.md")


def test_every_section_is_self_contained_in_length() -> None:
    assert len(sections()) == 191
    assert all(10 <= len(s.quote()) <= 120 for s in sections().values())


def test_making_a_workspace_twice_or_with_an_unknown_campaign_is_refused(tmp_path: Path) -> None:
    workspace.create(tmp_path / "a", name="a", campaigns=["618:2026"], demo=False)
    with pytest.raises(NeedsPerson, match="already a shop"):
        workspace.create(tmp_path / "a", name="a", campaigns=[], demo=False)
    with pytest.raises(Exception, match="no campaign template called"):
        workspace.create(tmp_path / "b", name="b", campaigns=["616:2026"], demo=False)
    assert not (tmp_path / "b" / "shop.yaml").exists()
