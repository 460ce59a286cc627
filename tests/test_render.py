"""Any text renders to valid Telegram HTML within the limits, losing nothing but markup and white space at cuts."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import render


class Strict(HTMLParser):
    """Reads the HTML that we send: <b> only, never nested, always closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open = False
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "b"
        assert not attrs
        assert not self.open
        self.open = True

    def handle_endtag(self, tag: str) -> None:
        assert tag == "b"
        assert self.open
        self.open = False

    def handle_data(self, data: str) -> None:
        assert "<" not in data
        self.text.append(data)

    def handle_entityref(self, name: str) -> None:
        assert name in ("lt", "gt", "amp")
        self.text.append(html.unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        raise AssertionError(name)


def read(part: str) -> str:
    parser = Strict()
    parser.feed(part)
    parser.close()
    assert not parser.open
    return "".join(parser.text)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


TEXTS = st.text(alphabet=st.one_of(st.sampled_from("**<>&。，\n ab加购😀👩‍👩‍👧"), st.characters()), max_size=400)


@given(TEXTS, st.sampled_from([8, 20, 64, 4096]))
def test_every_part_is_valid_within_the_limit_and_nothing_is_lost(text: str, limit: int) -> None:
    parts = render.telegram(text, limit)
    shown = [read(p) for p in parts]
    assert all(0 < render.units(s) <= limit for s in shown)
    expected = render._UNSHOWABLE.sub("", text)
    assert squeezed("".join(shown)) == squeezed(render.unmarked(expected))
    assert shown == render.plain_parts(text, limit)


def test_cuts_fall_between_blocks_then_lines_then_sentences() -> None:
    block = "一" * 60
    assert render.telegram(f"{block}\n\n{block}", 100) == [block, block]
    assert render.telegram(f"**{'x' * 10}**\n{'y' * 12}", 20) == [f"<b>{'x' * 10}</b>", "y" * 12]
    assert render.telegram("第一句讲完了。第二句也讲完了。第三句", 12)[0] == "第一句讲完了。"


def test_bold_is_closed_on_both_sides_of_a_cut() -> None:
    parts = render.telegram("**" + "粗" * 30 + "**", 20)
    assert parts == [f"<b>{'粗' * 20}</b>", f"<b>{'粗' * 10}</b>"]


def test_a_pair_of_surrogates_is_never_torn() -> None:
    parts = render.telegram("😀" * 9, 5)
    assert [read(p) for p in parts] == ["😀😀", "😀😀", "😀😀", "😀😀", "😀"]


@pytest.mark.parametrize("text", ["", "  \n ", "\x00"])
def test_nothing_to_show_gives_no_message(text: str) -> None:
    assert render.telegram(text) == []
