"""The strict reader of Telegram's HTML: what it refuses, and where entities lie."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.telegram_html import MarkupError, parse, units


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<p>x</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("字<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 3'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("a < b", 'Unexpected character "<" at byte offset 2'),
        ("a > b", 'Unexpected character ">" at byte offset 2'),
        ("a & b", "Unescaped or unsupported entity at byte offset 2"),
        ("a&nbsp;b", "Unescaped or unsupported entity at byte offset 1"),
        ("a&#0;b", "out of range"),
        ("a&#xD800;b", "out of range"),
        ("<b", 'Unexpected character "<"'),
        ("<b/>", 'Unexpected character "<"'),
        ("<span>x</span>", 'must have class "tg-spoiler"'),
        ("<tg-emoji>x</tg-emoji>", "emoji-id"),
        ("<code><b>x</b></code>", 'inside "code" or "pre"'),
        ("<pre>x<i>y</i></pre>", 'inside "code" or "pre"'),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "inside another"),
        ('<a href="/?a=1&b=2">x</a>', "Unescaped attribute value"),
        ("x<!-- c -->", 'Unexpected character "<"'),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(MarkupError) as error:
        parse(text)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("text", "plain", "entities"),
    [
        ("<b>a</b><strong>b</strong>", "ab", [("bold", 0, 1), ("bold", 1, 1)]),
        ("<i><u>x</u></i>", "x", [("underline", 0, 1), ("italic", 0, 1)]),
        ("<s>1</s><strike>2</strike><del>3</del>", "123", [("strikethrough", n, 1) for n in range(3)]),
        ("😀<code>a&lt;b</code>", "😀a<b", [("code", 2, 3)]),
        ("&#20320;&#x597D;&quot;&amp;", '你好"&', []),
        ('<span class="tg-spoiler">x</span><tg-spoiler>y</tg-spoiler>', "xy", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ("<b>  x  </b>\n", "x", [("bold", 0, 1)]),
        ("a<b></b>", "a", []),
        ("<B>x</B>", "x", [("bold", 0, 1)]),
    ],
)
def test_read(text: str, plain: str, entities: list[tuple[str, int, int]]) -> None:
    got, found = parse(text)
    assert got == plain
    assert sorted((e["type"], e["offset"], e["length"]) for e in found) == sorted(entities)


def test_links_and_languages() -> None:
    text, found = parse('<a href="/?a=1&amp;b">x</a><pre><code class="language-sql">select 1</code></pre>')
    assert text == "xselect 1"
    assert found == [
        {"type": "text_link", "url": "/?a=1&b", "offset": 0, "length": 1},
        {"type": "pre", "offset": 1, "length": 8, "language": "sql"},
    ]


@given(st.lists(st.tuples(st.sampled_from(["b", "i", "u", "s", "code", None]), st.text(st.characters(codec="utf-8")))))
def test_escaped_text_comes_back(parts: list[tuple[str | None, str]]) -> None:
    written = "".join(f"<{t}>{html.escape(s)}</{t}>" if t else html.escape(s) for t, s in parts)
    text, found = parse(written.replace("&#x27;", "&#39;"))
    assert text == "".join(s for _, s in parts).strip(" \n\r\t")
    assert all(0 <= e["offset"] < e["offset"] + e["length"] <= units(text) for e in found)
