"""Everything that can be found: playbook sections, the catalogue's strategies, metrics, crowds and copy rules, and the shop's
own tasks and documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from knowledge import catalog, documents
from knowledge.catalog import Bilingual
from knowledge.chunks import section_of, sections
from knowledge.copy_rules import RuleText, rule_texts
from knowledge.strategies import ANY, Strategy, builtin

Kind = Literal["playbook", "strategy", "metric", "crowd", "rule"]

_OWN_TASKS = Bilingual(zh="本店任务表 tasks.yaml", en="the shop's own tasks.yaml")
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")


@dataclass(frozen=True)
class Tags:
    """What a passage is about, in the catalogue's keys; empty where it holds for all. `phases` are keys of phases, or kinds of
    phase where it holds for any campaign."""

    campaigns: frozenset[str] = frozenset()
    phases: frozenset[str] = frozenset()
    crowds: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    moves: frozenset[str] = frozenset()  # metrics


@dataclass(frozen=True)
class Passage:
    """`text` is what a person reads and what is quoted; `names` are words that mean exactly this passage.

    `context` are words to find it by that are not quoted, `shown` how a table's row reads with its titles. `same_as` is another
    passage that says the same. `follows` is the passage that stands right before it in the same section, with `joins` between
    them; `last` is the last one of those joined in it.
    """

    key: str
    kind: Kind
    source: Bilingual
    section: Bilingual
    text: str
    names: tuple[str, ...] = ()
    context: str = ""
    shown: str = ""
    tags: Tags = field(default=Tags())
    same_as: str | None = None
    follows: str | None = None
    joins: str = ""
    last: str | None = None
    defines: bool = False  # it says how something is counted, and not what to do

    @property
    def own(self) -> bool:
        """Whether it stands in a document of the shop."""
        return self.key.startswith("document:")

    @property
    def stands_for(self) -> str:
        """The key of what it says: a task and the section that it was written from say the same."""
        return self.same_as or self.key

    def heading(self) -> str:
        """What it is called, in all its names."""
        return "\n".join(dict.fromkeys([self.section.zh, self.section.en, *self.names]))

    def indexed(self) -> str:
        """What search compares a question with."""
        return f"{self.heading()}\n{self.text}"


def passages(tasks: Sequence[Strategy] | None = None) -> list[Passage]:
    """All passages of the product, in a fixed order. `tasks`: the shop's strategies, where it has changed any."""
    entries = builtin() if tasks is None else tasks
    about: dict[str, list[Tags]] = {}
    for s in entries:
        if s.source is not None:
            about.setdefault(f"{s.source.playbook}#{s.source.section}", []).append(_tags(s))
    defining = _defining()
    out = []
    for key, section in sections().items():
        name = section.path.zh.split(" › ")[-1], section.path.en.split(" › ")[-1]
        tags = _joined(about.get(key) or [Tags(campaigns=frozenset(section.campaigns))])
        out.append(
            Passage(
                f"playbook:{key}",
                "playbook",
                section.title,
                section.path,
                section.text,
                name,
                tags=tags,
                defines=_chapter(key) in defining and key not in about,
            )
        )
    out += [_of_strategy(s) for s in entries]
    out += [_of_definition("metric", key, metric) for key, metric in catalog.metrics().items()]
    out += [_of_definition("crowd", key, crowd) for key, crowd in catalog.crowds().items()]
    return [*out, *map(_of_rule, rule_texts())]


def _defining() -> set[tuple[str, str]]:
    """The chapters in which metrics are defined."""
    sources = (m.source for m in catalog.metrics().values() if m.source is not None)
    return {_chapter(f"{s.playbook}#{s.section}") for s in sources}


def _chapter(key: str) -> tuple[str, str]:
    """(playbook, its chapter) that a section stands in."""
    return key.partition("#")[0], sections()[key].path.zh.partition(" › ")[0]


def own_passages(folder: Path) -> list[Passage]:
    """The sections of the shop's documents; the source is the file's name in both languages."""
    out = []
    for path in documents.files(folder):
        name = documents.name_of(folder, path)
        source = Bilingual(zh=name, en=name)
        before = None
        for n, part in enumerate(documents.sections_of(path)):
            section = Bilingual(zh=part.path, en=part.path)
            key = f"document:{name}#{n}"
            called = part.path.split(" › ")[-1]
            before = before if part.joins is not None else None
            out.append(
                Passage(
                    key,
                    "playbook",
                    source,
                    section,
                    part.text,
                    (called,),
                    context=part.context,
                    shown=part.shown,
                    follows=before,
                    joins=part.joins or "",
                )
            )
            before = key
    return out


def _joined(tags: Sequence[Tags]) -> Tags:
    """What holds for one of them; where one of them holds for everything, so does the whole."""

    def either(sets: Iterable[frozenset[str]]) -> frozenset[str]:
        found = list(sets)
        return frozenset().union(*found) if min(map(len, found)) else frozenset()

    return Tags(
        either(t.campaigns for t in tags),
        either(t.phases for t in tags),
        either(t.crowds for t in tags),
        either(t.channels for t in tags),
        frozenset().union(*(t.moves for t in tags)),
    )


def _tags(s: Strategy) -> Tags:
    campaigns = frozenset() if s.campaign == ANY else frozenset({s.campaign})
    # A method is asked about at any time; a task belongs to its days.
    phases = frozenset(s.phases) if s.kind == "task" else frozenset()
    moves = frozenset({s.metric} if s.metric else ())
    return Tags(campaigns, phases, frozenset(_crowds_in(s.crowd)), frozenset(s.channels), moves)


def _crowds_in(expression: str) -> Iterable[str]:
    return (word for word in re.findall(r"[a-z_]+", expression) if word in catalog.crowds() and word != "all")


def _of_strategy(s: Strategy) -> Passage:
    """A task says what its section of a playbook says: one of the two is shown. What a shop wrote itself has no section."""
    section = section_of(s.source) if s.source is not None else None
    said = [b for b in (s.benefit, s.purpose) if b is not None]
    return Passage(
        key=f"strategy:{s.id}",
        kind="strategy",
        source=section.title if section else _OWN_TASKS,
        section=Bilingual(zh=f"策略 › {s.scene} › {s.title.zh}", en=f"Strategy › {s.title.en}"),
        text="\n".join(dict.fromkeys((s.what.zh, s.what.en))),
        names=(s.title.zh, s.title.en, s.id, *s.aliases),
        context=" ".join(word for b in said for word in (b.zh, b.en)),
        tags=_tags(s),
        same_as=f"playbook:{section.key}" if section else None,
    )


def _of_definition(kind: Kind, key: str, entry: catalog.Named) -> Passage:
    zh, en = {"metric": ("指标", "Metric"), "crowd": ("人群", "Crowd")}[kind]
    return Passage(
        key=f"{kind}:{key}",
        kind=kind,
        source=Bilingual(zh="指标与人群口径", en="Definitions of metrics and crowds"),
        section=Bilingual(zh=f"{zh} › {entry.name.zh}", en=f"{en} › {entry.name.en}"),
        text=f"{entry.meaning.zh}\n{entry.meaning.en}",
        names=(entry.name.zh, entry.name.en, key, *entry.aliases),
        defines=True,
    )


def _of_rule(rule: RuleText) -> Passage:
    # The words that a rule looks for are how people ask about it: 能不能写“全网最低”.
    words = dict.fromkeys(word for pattern in rule.patterns for word in _HAN_RUN.findall(pattern))
    return Passage(
        key=f"rule:{rule.id}",
        kind="rule",
        source=Bilingual(zh=f"文案规则 · {rule.source.zh}", en=f"Copy rules · {rule.source.en}"),
        section=Bilingual(zh=f"文案规则 › {rule.name.zh}", en=f"Copy rule › {rule.name.en}"),
        text=f"{rule.why.zh}\n{rule.why.en}",
        names=(rule.name.zh, rule.name.en, rule.id, *rule.aliases),
        context=" ".join(words),
        tags=Tags(channels=frozenset(rule.channels)),
    )
