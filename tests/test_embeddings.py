"""Embeddings of an endpoint: what goes out is masked, what comes back is checked, and one that is down is said to be."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_socket import socket_allow_hosts

import prompts
from knowledge import endpoint as module
from knowledge.embeddings import DIMENSIONS, NAME, EmbeddingUnavailable, embedder
from knowledge.endpoint import Endpoint
from knowledge.index import Index
from knowledge.masking import masked
from knowledge.settings import IndexSettings
from tests.chroma import free_port
from tests.test_index import made
from tools.errors import NeedsPerson
from tools.shop import load_shop

Reply = tuple[int, dict[str, str], Any]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the place of the top rule of that name: this machine, and only it, can be reached."""
    socket_allow_hosts(["127.0.0.1", "localhost"], allow_unix_socket=True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


class Server(ThreadingHTTPServer):
    """An endpoint: `asked` are the bodies it got, `keys` the headers; `reply` makes an answer, by default a right one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.reply: Callable[[dict[str, Any]], Reply] = right

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def texts(self) -> list[str]:
        return [t for body in self.asked for t in body["input"]]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({**body, "path": self.path})
        self.server.keys.append(self.headers["Authorization"])
        status, headers, content = self.server.reply(body)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


def vector(text: str) -> list[float]:
    """Not of length 1, and the same for the same text."""
    return [3.0 * sum(text.encode()), float(len(text)), 1.0, 2.0]


def right(body: dict[str, Any]) -> Reply:
    data = [{"object": "embedding", "index": i, "embedding": vector(t)} for i, t in enumerate(body["input"])]
    return 200, {}, {"object": "list", "model": body["model"], "data": data[::-1]}


def failing(status: int, message: str = "no", **headers: str) -> Callable[[dict[str, Any]], Reply]:
    return lambda body: (status, headers, {"error": {"message": message, "type": "x"}})


def answering(data: Any) -> Callable[[dict[str, Any]], Reply]:
    return lambda body: (200, {}, {"object": "list", "model": "m", "data": data})


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def small(server: Server) -> Endpoint:
    return Endpoint("small", server.url, "sk-secret")


def test_rows_are_unit_vectors_in_the_order_of_the_texts(server: Server, small: Endpoint) -> None:
    texts = [f"第{n}条" for n in range(150)]
    rows = small.embed(texts)
    expected = np.asarray([vector(t) for t in texts], dtype=np.float32)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert rows.dtype == np.float32
    assert np.allclose(rows, expected, atol=1e-6)
    assert [len(body["input"]) for body in server.asked] == [64, 64, 22]
    assert {body["model"] for body in server.asked} == {"small"}
    assert {body["path"] for body in server.asked} == {"/v1/embeddings"}
    assert set(server.keys) == {"Bearer sk-secret"}
    assert np.allclose(small.question("第3条"), expected[3], atol=1e-6)
    assert small.embed([]).shape[0] == 0


def test_settings_choose_what_embeds(server: Server) -> None:
    installed = embedder(IndexSettings(), {})
    assert (installed.name, installed.question("加购").shape) == (NAME, (DIMENSIONS,))
    by_file = IndexSettings(embedding="openai:small", embedding_url=server.url)
    assert embedder(by_file, {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}).question("加购").shape == (4,)
    by_env = embedder(IndexSettings(embedding="openai:small"), {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k"})
    assert by_env.name == "openai:small", "whoever serves it"
    assert by_env.question("加购").shape == (4,)
    with pytest.raises(EmbeddingUnavailable) as e:
        embedder(IndexSettings(embedding="openai:small"), {}).question("加购")
    assert e.value.code == "embedding_key"


def test_an_index_is_built_and_asked_by_an_endpoint(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = IndexSettings(embedding="openai:small", embedding_url=server.url)
    some = made(10)
    index = Index(tmp_path, settings, {})
    assert index.ready(some)
    assert index.made_by() == "openai:small"
    server.asked.clear()
    assert index.nearest(some[4].indexed(), 1) == index.nearest(some[4].indexed(), 1)
    assert len(server.asked) == 1, "a question is asked once"
    assert Index(tmp_path, IndexSettings(), {}).ready(some), "another embedding, another index"
    server.reply = failing(503)
    monkeypatch.setitem(module._PATIENT, "max_retries", 0)
    with pytest.raises(EmbeddingUnavailable) as e:
        Index(tmp_path, settings, {}).ready(made(10, seed=2))
    assert e.value.code == "embedding_down"
    assert not Index(tmp_path, IndexSettings(), {}).ready(some), "what there was stays"


def test_phone_numbers_and_alike_do_not_leave(server: Server, small: Endpoint) -> None:
    said = (
        "王姐 13812345678，+86 138-1234-5678，１３８１２３４５６７８，021-62345678，wang.li@example.com，"
        "身份证 11010519491231002X，卡 6222 0212 3456 7890 123"
    )
    small.embed([said])
    small.question(said)
    assert len(server.texts) == 2
    for text in server.texts:
        assert text.count("***") == 7
        assert not [d for d in ("1381", "138-", "5678", "example", "1231", "6222", "7890") if d in text], text


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-18 00:00 前付清 1299.00 元", "618 5.24-6.20", "满300减50，券后 249.9", "12,345,678 元", "第4周流失 64%",
        "20260618", "1381234567", "400-800", "item_id 4862950", "复购 @所有人",
    ],
)  # fmt: skip
def test_dates_amounts_and_names_stay(text: str) -> None:
    assert masked(text) == text


def test_an_endpoint_that_takes_fewer_texts_gets_fewer(server: Server, small: Endpoint) -> None:
    def few(body: dict[str, Any]) -> Reply:
        return right(body) if len(body["input"]) <= 10 else failing(400, "batch size is invalid")(body)

    server.reply = few
    assert small.embed([f"第{n}条" for n in range(40)]).shape == (40, 4)
    assert [len(body["input"]) for body in server.asked] == [40, 20, 10, 10, 10, 10]


def test_it_waits_as_long_as_it_is_told_and_tries_again(server: Server, small: Endpoint) -> None:
    replies = [failing(429, "slow down", **{"Retry-After": "1"}), failing(503), right]
    server.reply = lambda body: replies.pop(0)(body)
    began = time.monotonic()
    assert small.embed(["加购"]).shape == (1, 4)
    assert time.monotonic() - began >= 1
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("reply", "code", "said"),
    [
        (failing(401, "Incorrect API key"), "embedding_refused", "Incorrect API key"),
        (failing(404, "no such model"), "embedding_refused", "no such model"),
        (failing(500), "embedding_down", "no"),
        (failing(429, "quota"), "embedding_down", "quota"),
        (lambda body: (502, {"Content-Type": "text/html"}, b"<html>Bad gateway</html>"), "embedding_down", "HTTP 502"),
        (lambda body: (200, {"Content-Type": "text/html"}, b"<html>Log in</html>"), "embedding_nonsense", "no JSON"),
        (lambda body: (200, {}, {"error": "no"}), "embedding_nonsense", "no list"),
        (lambda body: (200, {}, [1, 2]), "embedding_nonsense", "no list"),
        (answering([]), "embedding_nonsense", "0 vectors for 1"),
        (answering([{"index": i, "embedding": [1.0]} for i in range(2)]), "embedding_nonsense", "2 vectors for 1"),
        (answering([{"index": 0, "embedding": []}]), "embedding_nonsense", "numbers"),
        (answering([{"index": 0, "embedding": [1.0, None]}]), "embedding_nonsense", "numbers"),
        (answering([{"index": 0, "embedding": [1.0, float("nan")]}]), "embedding_nonsense", "numbers"),
        (answering([{"index": 0, "embedding": [0.0, 0.0]}]), "embedding_nonsense", "zeros"),
        (answering([{"index": 0, "embedding": "AAAA"}]), "embedding_nonsense", "no list"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_a_sentence(
    server: Server, small: Endpoint, reply: Callable[[dict[str, Any]], Reply], code: str, said: str
) -> None:
    server.reply = reply
    with pytest.raises(EmbeddingUnavailable) as e:
        small.question("加购")
    assert e.value.code == code
    assert said in e.value.details["detail"]
    for lang in prompts.LANGS:
        sentence = NeedsPerson(e.value.code, **e.value.details).message(lang)
        assert "small" in sentence
        assert "sk-secret" not in sentence


def test_vectors_of_two_sizes_are_refused(server: Server, small: Endpoint) -> None:
    sizes = [4, 5]

    def changing(body: dict[str, Any]) -> Reply:
        size = sizes.pop(0)
        return answering([{"index": i, "embedding": [1.0] * size} for i in range(len(body["input"]))])(body)

    server.reply = changing
    with pytest.raises(EmbeddingUnavailable, match="of 4 and of 5"):
        small.embed(["加购"] * 65)


def test_who_waits_is_told_soon_and_a_failed_endpoint_is_left_alone_for_a_while(
    server: Server, small: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module._PROMPT, "timeout", 0.3)
    done = threading.Event()

    def never(body: dict[str, Any]) -> Reply:
        done.wait(20)
        return right(body)

    server.reply = never
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(EmbeddingUnavailable) as e:
            small.question("加购")
        assert e.value.code == "embedding_down"
    assert time.monotonic() - began < 3
    assert len(server.asked) == 1
    done.set()
    server.reply = right
    monkeypatch.setattr("knowledge.endpoint.time.monotonic", lambda: began + 100)
    assert small.question("加购").shape == (4,)


def test_nobody_there() -> None:
    with pytest.raises(EmbeddingUnavailable) as e:
        Endpoint("small", f"http://127.0.0.1:{free_port()}/v1", None).question("加购")
    assert e.value.code == "embedding_down"
    assert "127.0.0.1" in e.value.details["place"]


def shop(root: Path, block: str) -> Path:
    (root / "shop.yaml").write_text(f"name: 花漾\nknowledge:\n{block}\n", encoding="utf-8")
    return root


def test_shop_yaml_says_which_embedding_and_where(tmp_path: Path) -> None:
    block = "  embedding: openai:bge-m3\n  embedding_url: http://10.0.0.5:8080/v1\n  chroma: https://chroma.example.com"
    found = load_shop(shop(tmp_path, block)).knowledge
    assert found == IndexSettings(
        embedding="openai:bge-m3", embedding_url="http://10.0.0.5:8080/v1", chroma="https://chroma.example.com"
    )
    assert found.model == "bge-m3"
    assert IndexSettings().model is None


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("  embeding: openai:x", "did you mean 'embedding'"),
        ("  embedding: bge-m3", "openai:NAME"),
        ("  embedding: 'openai:'", "openai:NAME"),
        ("  embedding_url: http://h/v1", "embedding: openai:NAME"),
        ("  embedding: openai:x\n  embedding_url: localhost:8080", "http://host:8080/v1"),
        ("  embedding: openai:x\n  embedding_url: http://key@h/v1", "environment"),
        ("  chroma: chroma.sqlite3", "http://host:8000"),
        ("  chroma: http://h:8000/api", "the server alone"),
        ("  chroma: http://h:port", "http://host:8000"),
        ("  chroma: http://h:8000?token=abc", "environment"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_write(tmp_path: Path, block: str, said: str) -> None:
    with pytest.raises(NeedsPerson) as e:
        load_shop(shop(tmp_path, block))
    assert said in str(e.value)
    assert "knowledge" in str(e.value)
    assert "abc" not in str(e.value)
