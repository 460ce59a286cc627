"""Everything that can be found: playbook sections, the catalogue's strategies, metrics and crowds, the shop's own documents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from knowledge import catalog, documents
from knowledge.catalog import Bilingual
from knowledge.chunks import section_of, sections

Kind = Literal["playbook", "strategy", "metric", "crowd", "rule"]


@dataclass(frozen=True)
class Passage:
    """`text` is what a person reads and what is quoted; `names` are words that mean exactly this passage."""

    key: str
    kind: Kind
    source: Bilingual
    section: Bilingual
    text: str
    names: tuple[str, ...] = ()

    def indexed(self) -> str:
        """What search compares a question with."""
        return "\n".join([self.section.zh, self.section.en, *self.names, self.text])


def passages() -> list[Passage]:
    """All passages of the product, in a fixed order."""
    out = [
        Passage(f"playbook:{key}", "playbook", s.title, s.path, s.text, (s.path.zh.split(" › ")[-1],))
        for key, s in sections().items()
    ]
    for strategy in catalog.strategies():
        source = section_of(strategy.source)
        where = Bilingual(zh=f"策略 › {strategy.scene} › {strategy.title.zh}", en=f"Strategy › {strategy.title.en}")
        text = f"{strategy.what.zh}\n{strategy.what.en}"
        out.append(Passage(f"strategy:{strategy.id}", "strategy", source.title, where, text, (strategy.id,)))
    for key, metric in catalog.metrics().items():
        names = (key, metric.name.zh, metric.name.en, *metric.aliases)
        section = Bilingual(zh=f"指标 › {metric.name.zh}", en=f"Metric › {metric.name.en}")
        out.append(_entry("metric", key, section, metric.meaning, names))
    for key, crowd in catalog.crowds().items():
        names = (key, crowd.name.zh, crowd.name.en, *crowd.aliases)
        section = Bilingual(zh=f"人群 › {crowd.name.zh}", en=f"Crowd › {crowd.name.en}")
        out.append(_entry("crowd", key, section, crowd.meaning, names))
    return out


def own_passages(folder: Path) -> list[Passage]:
    """The sections of the shop's documents; the source is the file's name in both languages."""
    out = []
    for path in documents.files(folder):
        source = Bilingual(zh=path.name, en=path.name)
        for n, part in enumerate(documents.sections_of(path)):
            section = Bilingual(zh=part.path, en=part.path)
            name = part.path.split(" › ")[-1]
            out.append(Passage(f"document:{path.name}#{n}", "playbook", source, section, part.text, (name,)))
    return out


def _entry(kind: Kind, key: str, section: Bilingual, meaning: Bilingual, names: tuple[str, ...]) -> Passage:
    catalogue = Bilingual(zh="指标与人群口径", en="Definitions of metrics and crowds")
    return Passage(f"{kind}:{key}", kind, catalogue, section, f"{meaning.zh}\n{meaning.en}", names)
