"""The vector index, in a folder and on a Chroma server alike: what it holds, what it takes over, what it leaves behind."""

from __future__ import annotations

import random
import shutil
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from pytest_socket import socket_allow_hosts

from knowledge import index as module
from knowledge import nearby
from knowledge.catalog import Bilingual
from knowledge.embeddings import DIMENSIONS, NAME, Vectors, embed
from knowledge.index import Index, fingerprint
from knowledge.passages import Passage
from knowledge.settings import IndexSettings
from knowledge.unavailable import EmbeddingUnavailable, IndexUnavailable
from tests.chroma import chroma_url, free_port, serving  # noqa: F401

WORDS = (
    "加购",
    "未付款",
    "会员",
    "粉丝",
    "短信",
    "专属客服",
    "预售",
    "定金",
    "尾款",
    "老客",
    "复购",
    "入会",
    "直播",
    "催付",
)


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Takes the place of the top rule of that name: this machine, and only it, can be reached."""
    socket_allow_hosts(["127.0.0.1", "localhost"], allow_unix_socket=True)


@pytest.fixture(params=["folder", "server"])
def settings(request: pytest.FixtureRequest) -> IndexSettings:
    if request.param == "folder":
        return IndexSettings()
    return IndexSettings(chroma=request.getfixturevalue("chroma_url"))


Opened = Callable[[], Index]


@pytest.fixture
def opened(tmp_path: Path, settings: IndexSettings) -> Opened:
    """Opens the same shop's index anew each time."""
    return lambda: Index(tmp_path / "index", settings, {})


def made(n: int, seed: int = 1) -> list[Passage]:
    rng = random.Random(seed)
    title = Bilingual(zh="自编", en="Made up")
    return [
        Passage(f"document:made.md#{seed}-{i}", "playbook", title, title, "，".join(rng.choices(WORDS, k=12)))
        for i in range(n)
    ]


def quick(texts: Sequence[str]) -> Vectors:
    """Unit vectors that mean nothing, for tests where that is no matter: the same for the same text."""
    made = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in zip(made, texts, strict=True):
        row[:] = np.random.default_rng(zlib.crc32(text.encode())).normal(size=DIMENSIONS)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def collections(index: Index) -> list[str]:
    return [c.name for c in index._store.ours()]


def without_copy(folder: Path) -> None:
    for copy in (folder / "index").glob("vectors-*.npy"):
        copy.unlink()


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each call embedded."""
    calls: list[int] = []

    def counted(texts: Sequence[str]) -> Vectors:
        calls.append(len(texts))
        return embed(texts)

    monkeypatch.setattr("knowledge.embeddings.embed", counted)
    return calls


def test_a_passage_is_nearest_to_its_own_text(opened: Opened, tmp_path: Path) -> None:
    some = made(40)
    assert opened().ready(some)
    for whence in ("its copy", "Chroma"):
        if whence == "Chroma":
            without_copy(tmp_path)
        index = opened()
        assert not index.ready(some), "it is there already"
        found = index.nearest(some[7].indexed(), 5)
        assert found is not None
        assert found[0][0] == some[7].key, whence
        assert found[0][1] == pytest.approx(1, abs=1e-4)
        assert [c for _, c in found] == sorted((c for _, c in found), reverse=True)
    assert len(index.nearest("加购", 100) or []) == 40


def test_an_index_of_nothing(opened: Opened) -> None:
    index = opened()
    index.ready([])
    assert index.nearest("加购", 5) == []
    assert not opened().ready([])


def test_what_stayed_is_not_embedded_again_and_the_old_one_is_gone(
    opened: Opened, tmp_path: Path, embedded: list[int]
) -> None:
    some = made(30)
    opened().ready(some)
    before = opened()
    before.ready(some)
    embedded.clear()
    changed = [*some[1:], *made(2, seed=2)]
    assert opened().ready(changed)
    assert sum(embedded) == 2
    assert len(collections(opened())) == 1
    assert len(list((tmp_path / "index").glob("vectors-*.npy"))) == 1
    still = before.nearest(some[0].indexed(), 1) or []
    assert [key for key, _ in still] == [some[0].key], "who had it open keeps what it opened"


def test_equal_texts_are_embedded_once(opened: Opened, embedded: list[int]) -> None:
    one = made(1)[0]
    again = [Passage(f"document:copy.md#{i}", one.kind, one.source, one.section, one.text) for i in range(9)]
    index = opened()
    index.ready([one, *again])
    assert sum(embedded) == 1
    assert {key for key, _ in index.nearest(one.indexed(), 10) or []} == {one.key, *(p.key for p in again)}


def test_an_index_too_big_for_memory_is_asked_in_chroma(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY", 512 * 20)
    some, other = made(30), made(31)
    index = opened()
    index.ready(some)
    assert not list((tmp_path / "index").glob("vectors-*.npy"))
    assert (index.nearest(some[3].indexed(), 1) or [])[0][0] == some[3].key
    later = opened()
    assert not later.ready(some)
    [(key, likeness)] = later.nearest(some[4].indexed(), 1) or []
    assert key == some[4].key
    assert likeness == pytest.approx(1, abs=1e-4)
    opened().ready(other)
    assert later.nearest("加购", 3) is None, "another process has replaced it"
    later.ready(other)
    assert len(later.nearest("加购", 3) or []) == 3


def test_the_graph_finds_what_an_exact_comparison_finds(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY", 0)
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(2000, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    some = made(2000)
    index = opened()
    by_text = {p.indexed(): v for p, v in zip(some, vectors, strict=True)}
    monkeypatch.setattr("knowledge.embeddings.embed", lambda texts: np.stack([by_text[t] for t in texts]))
    index.ready(some)
    kept = hits = 0
    for asked in rng.choice(2000, 100, replace=False):
        best = set(np.argsort(-(vectors @ vectors[asked]))[:10])
        found = index.nearest(some[asked].indexed(), 10) or []
        hits += len({some[i].key for i in best} & {key for key, _ in found})
        kept += 10
    assert hits / kept >= 0.98


def test_another_embedding_builds_anew_and_the_index_knows_which_made_it(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = made(10)
    assert opened().made_by() is None
    opened().ready(some)
    assert opened().made_by() == NAME
    index = opened()

    class Other:
        name = "other"

        def embed(self, texts: Sequence[str]) -> Vectors:
            return np.eye(len(texts), 16, dtype=np.float32)

        def question(self, text: str) -> Vectors:
            return self.embed([text]).reshape(-1)

    monkeypatch.setattr(module, "embedder", lambda *_: Other())
    index = opened()
    assert index.ready(some)
    assert index.made_by() == "other"
    assert len(collections(index)) == 1
    assert fingerprint(some, "other") != fingerprint(some)


def test_an_embedding_that_changes_its_size_is_found_out(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    some = made(10)
    size = [16]

    class Changing:
        name = "changing"

        def embed(self, texts: Sequence[str]) -> Vectors:
            return np.eye(len(texts), size[0], dtype=np.float32)

        def question(self, text: str) -> Vectors:
            return self.embed([text]).reshape(-1)

    monkeypatch.setattr(module, "embedder", lambda *_: Changing())
    index = opened()
    index.ready(some)
    size[0] = 8
    with pytest.raises(EmbeddingUnavailable) as asked:
        index.nearest("加购", 3)
    assert asked.value.code == "embedding_changed"
    with pytest.raises(EmbeddingUnavailable) as built:
        opened().ready([*some, *made(1, seed=9)])
    assert built.value.code == "embedding_changed"
    fresh = opened()
    fresh.clear()
    assert fresh.ready(some)


def test_an_interrupted_building_is_finished_and_what_it_did_is_not_done_again(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, embedded: list[int]
) -> None:
    monkeypatch.setattr(module, "_BATCH", 10)
    old, new = made(15), made(35, seed=5)
    opened().ready(old)
    embedded.clear()

    def stop(done: int, total: int) -> None:
        assert total == 35
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened().ready(new, stop)
    assert not opened().ready(old), "the old one is whole"
    assert opened().ready(new)
    assert sum(embedded) == 35


def test_what_a_dead_builder_left_is_cleaned_and_a_living_one_is_left_alone(
    tmp_path: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Index(tmp_path / "index", settings, {}, now=lambda: 1000.0).ready(made(20), stop)
    soon = Index(tmp_path / "index", settings, {}, now=lambda: 1060.0)
    soon.ready(made(21))
    shared = settings.chroma is not None  # on a server, it may be somebody else's who is at it
    assert len(collections(soon)) == (2 if shared else 1)
    late = Index(tmp_path / "index", settings, {}, now=lambda: 9000.0)
    late.ready(made(22))
    assert len(collections(late)) == 1


def test_clear_forgets_and_ready_builds_again(opened: Opened, tmp_path: Path) -> None:
    some = made(5)
    index = opened()
    index.ready(some)
    index.clear()
    assert collections(index) == []
    assert list((tmp_path / "index").glob("vectors-*.npy")) == []
    assert index.ready(some)


def test_a_copy_that_is_damaged_is_made_again(opened: Opened, tmp_path: Path) -> None:
    some = made(20)
    opened().ready(some)
    [copy] = (tmp_path / "index").glob("vectors-*.npy")
    whole, vectors = copy.read_bytes(), np.load(copy)
    zeros = whole[:128] + bytes(len(whole) - 128)
    for broken in (b"", whole[:200], whole[: len(whole) // 2], b"garbage" * 100, zeros):
        copy.write_bytes(broken)
        index = opened()
        assert not index.ready(some), "Chroma has it"
        assert (index.nearest(some[2].indexed(), 1) or [])[0][0] == some[2].key
        again = nearby.load(copy, len(some))
        assert again is not None
        assert np.allclose(again, vectors, atol=1e-6)


def test_shops_on_one_server_do_not_touch_each_other(tmp_path: Path, chroma_url: str) -> None:  # noqa: F811
    settings = IndexSettings(chroma=chroma_url)
    first = Index(tmp_path / "a" / "index", settings, {})
    first.ready(made(12))
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    for folder in ("b", "copy"):
        other = Index(tmp_path / folder / "index", settings, {})
        other.ready(made(3, seed=4))
        assert len(collections(other)) == 1
        other.clear()
    without_copy(tmp_path / "a")
    assert not Index(tmp_path / "a" / "index", settings, {}).ready(made(12))


def test_a_server_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    settings = IndexSettings(chroma=f"http://127.0.0.1:{port}")
    kept = tmp_path / "server"
    kept.mkdir()

    def opened() -> Index:
        return Index(tmp_path / "index", settings, {})

    with pytest.raises(IndexUnavailable) as never:
        opened().ready(made(5))
    assert never.value.code == "index_server_down"
    assert never.value.details["url"] == settings.chroma
    with serving(kept, port):
        opened().ready(made(5))
    index = opened()
    assert not index.ready(made(5)), "the copy answers while the server is away"
    assert len(index.nearest("加购", 3) or []) == 3
    with pytest.raises(IndexUnavailable):
        index.ready(made(6))
    with serving(kept, port):
        assert index.ready(made(6))
