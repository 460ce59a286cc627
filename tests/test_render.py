"""Any text renders to valid Telegram HTML within the limits, losing nothing but markup and white space at cuts."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import render
from bot.answer import Answer, Clarify, Intent, Interpretation
from bot.conversation import About
from bot.telegram import keyboards
from bot.telegram.kept import pack, unpack
from bot.understanding.drafting import DraftWish
from tools.facts import Draft, Verdict


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


INTENTS = st.sampled_from(get_args(Intent))


@given(
    text=TEXTS,
    intent=INTENTS,
    crowds=st.lists(st.sampled_from(["cart_unpaid", "member", "last_push"]), max_size=2),
    options=st.one_of(st.none(), st.lists(st.text(min_size=1, max_size=300).filter(str.strip), min_size=1, max_size=5)),
    drafted=st.booleans(),
)
def test_any_answer_has_messages_and_buttons_that_telegram_takes(
    text: str, intent: Intent, crowds: list[str], options: list[str] | None, drafted: bool
) -> None:
    verdict = Verdict(channel="sms", text=text, units=1, segments=1, verdict="pass")
    draft = Draft(id="d", channel="sms", variant="A", text=text, units=1, segments=1, verdict=verdict)
    found = Answer(
        text=text,
        lang="zh",
        interpretation=Interpretation(intent=intent, crowds=crowds),
        drafts=[draft] if drafted else [],
        clarify=Clarify(question="?", options=options) if options else None,
    )
    for part in render.telegram(found.text):
        assert render.units(read(part)) <= render.MESSAGE
    keyboard = keyboards.under(found, keyboards.token_for("chat", 1))
    for row in keyboard.inline_keyboard if keyboard else ():
        assert 1 <= len(row) <= 8
        for shown in row:
            assert shown.text.strip()
            assert 1 <= len(str(shown.callback_data).encode()) <= 64


def test_what_is_kept_of_an_answer_comes_back_whole() -> None:
    found = Answer(text="x", lang="zh", interpretation=Interpretation(intent="draft", crowds=["member"], channel="sms"))
    wish = DraftWish(style=["shorter"], benefit="送小样")
    again, about = unpack(pack(found, wish))
    assert again == found
    assert about == About(found.interpretation, wish)
