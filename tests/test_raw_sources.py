"""The five raw sources as a shop's own documents: every statement is found, word for word, and nothing of what surrounds it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bot.conversation import Question, answer
from bot.wiring import WarRoom
from knowledge.passages import own_passages
from knowledge.textnorm import READING, simplified
from tests.evals.statements import noise, statements
from tools import documents, workspace

SHOWN = 8


@pytest.fixture(scope="module")
def room(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> WarRoom:
    """A fresh workspace to which the five files were added as they are."""
    root = tmp_path_factory.mktemp("raw") / "shop"
    workspace.create(root, name="店", campaigns=["618:2026", "double11:2026"], demo=False)
    copies = root.parent / "copies"
    shutil.copytree(seeds, copies)
    outcome = documents.add_all(root, sorted(copies.glob("*.txt")), lambda name, part: None)
    assert [type(o).__name__ for o in outcome] == ["Added"] * 5
    room = WarRoom(root)
    room.search.build()
    return room


def test_every_statement_stands_in_a_passage_and_no_navigation_or_advert_does(room: WarRoom) -> None:
    own = own_passages(documents.folder_of(room.shop.root))
    assert len(statements()) > 200
    assert [s.id for s in statements() if not any(s.said_in(p) for p in own)] == []
    texts = [simplified(p.text) for p in own]
    allowed = {"再创佳绩"}  # closes a paragraph of substance, as congratulations do
    assert [n for n in noise() if n not in allowed and any(simplified(n) in t for t in texts)] == []


def test_passages_are_verbatim_but_for_the_readings(room: WarRoom, seeds: Path) -> None:
    folder = documents.folder_of(room.shop.root)
    raw = {p.name: READING.sub(r"\1", p.read_text(encoding="utf-8")) for p in seeds.glob("*.txt")}
    for passage in own_passages(folder):
        source = "\n".join(line.strip() for line in raw[passage.source.zh].splitlines())
        for line in filter(None, (line.strip() for line in passage.text.splitlines())):
            assert line in source, (passage.key, line)


def test_what_is_stated_is_found_by_other_words(room: WarRoom) -> None:
    """The questions share no run of more than four characters with the source; our own playbooks say the same things too."""
    places = []
    for s in statements():
        hits = room.search.search(s.ask, SHOWN)
        places.append(next((n for n, h in enumerate(hits) if s.said_in(h.passage)), SHOWN))
    found = [sum(p < k for p in places) / len(places) for k in (1, 3, 5, SHOWN)]
    assert found[0] >= 0.30, found
    assert found[2] >= 0.78, found
    assert found[3] >= 0.84, found


def test_what_is_stated_is_found_by_its_own_words(room: WarRoom) -> None:
    """A sentence of a document, as somebody half remembers it, brings its passage first."""
    own = own_passages(documents.folder_of(room.shop.root))
    asked = found = 0
    for passage in own[::3]:
        sentence = max(re.split(r"[。！？!?;；|\n]", passage.text), key=len).strip()
        if len(sentence) < 12:
            continue
        asked += 1
        hits = [h.passage for h in room.search.search(sentence, 3)]
        found += any(sentence in p.text for p in hits)
    assert asked > 40
    assert found / asked >= 0.97, (found, asked)


def test_an_answer_quotes_the_document_word_for_word(room: WarRoom, seeds: Path) -> None:
    raw = "\n".join(READING.sub(r"\1", p.read_text(encoding="utf-8")) for p in seeds.glob("*.txt"))
    cited = 0
    for s in statements()[::25]:
        reply = answer(room, Question(s.ask))
        for citation in reply.citations:
            if citation.source.endswith(".txt"):
                cited += 1
                assert all(line.strip() in raw for line in citation.quote.splitlines()), citation.quote
    assert cited >= 5
