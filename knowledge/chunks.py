"""Playbooks as sections: what is indexed, searched and cited."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from knowledge.catalog import HERE, Bilingual, CatalogError, Entry, SourceRef, read_yaml_text, validate

_HEADING = re.compile(r"^(#{1,3})\s+(.+?)\s*$")
_TITLED = re.compile(r"^(.+?)\s*\|\s*(.+?)\s*\{#([a-z0-9-]+)\}$")
_SENTENCE_END = re.compile(r"(?<=[。！？])|\n")


class FrontMatter(Entry):
    id: str
    title: Bilingual
    origin: str
    campaigns: list[str] = []


@dataclass(frozen=True)
class Section:
    """One section of a playbook. `text` is verbatim Markdown; `path` the headings above it."""

    playbook: str
    title: Bilingual
    anchor: str
    path: Bilingual
    text: str
    campaigns: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.playbook}#{self.anchor}"

    def quote(self) -> str:
        """The section's first sentence, verbatim: what it says in short."""
        return first_sentence(self.text)


def first_sentence(text: str) -> str:
    """What a text that is not blank begins with, verbatim."""
    return next(part.strip() for part in _SENTENCE_END.split(text) if part.strip())


def parse_playbook(text: str, file: str) -> list[Section]:
    """The sections of one playbook; CatalogError where a heading or the front matter is not as CONTRIBUTING.md says."""
    match = re.match(r"^---\n(.*?)\n---\n", text, re.DOTALL)
    if not match:
        raise CatalogError(f"{file}: the file must begin with --- id, title, origin, campaigns ---")
    front = validate(FrontMatter, read_yaml_text(match[1], file), file)
    sections: list[Section] = []
    parent: Bilingual | None = None
    heading: tuple[Bilingual, str] | None = None
    body: list[str] = []

    def close() -> None:
        content = "\n".join(body).strip()
        if heading is not None and content:
            title, anchor = heading
            path = (
                title
                if parent is None or parent == title
                else Bilingual(zh=f"{parent.zh} › {title.zh}", en=f"{parent.en} › {title.en}")
            )
            sections.append(Section(front.id, front.title, anchor, path, content, tuple(front.campaigns)))
        body.clear()

    for number, line in enumerate(text[match.end() :].splitlines(), start=text[: match.end()].count("\n") + 1):
        found = _HEADING.match(line)
        if not found:
            body.append(line)
            continue
        close()
        if len(found[1]) == 1:
            heading, parent = None, None
            continue
        titled = _TITLED.match(found[2])
        if not titled:
            raise CatalogError(f"{file}: line {number}: a heading reads `中文 | English {{#anchor}}`, not {found[2]!r}")
        name = Bilingual(zh=titled[1], en=titled[2])
        if len(found[1]) == 2:
            parent = name
        heading = (name, titled[3])
    close()
    anchors = [s.anchor for s in sections]
    twice = next((a for a in anchors if anchors.count(a) > 1), None)
    if twice:
        raise CatalogError(f"{file}: the anchor {twice!r} stands twice")
    return sections


@cache
def sections() -> dict[str, Section]:
    """All sections of the playbooks that come with the product, by `playbook#anchor`."""
    out: dict[str, Section] = {}
    for path in sorted((HERE / "playbooks").glob("*.md")):
        for section in _sections_of(path.stem).values():
            out[section.key] = section
    return out


@cache
def _sections_of(playbook: str) -> dict[str, Section]:
    path: Path = HERE / "playbooks" / f"{playbook}.md"
    if not path.exists():
        raise CatalogError(f"playbooks/: there is no {playbook}.md")
    return {s.anchor: s for s in parse_playbook(path.read_text(encoding="utf-8"), f"playbooks/{path.name}")}


def section_of(ref: SourceRef) -> Section:
    """The section that a catalogue entry points to; CatalogError when there is none."""
    found = _sections_of(ref.playbook).get(ref.section)
    if found is None:
        raise CatalogError(f"playbooks/{ref.playbook}.md: there is no section {{#{ref.section}}} with text")
    return found
