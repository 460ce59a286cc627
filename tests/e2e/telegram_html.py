"""Telegram's HTML, read as strictly as its documentation words it.

The live server lets a bare `&` or `>` pass and drops entities nested where they may not be. Here the documented rules hold,
so markup that only happens to work is refused too. Source: core.telegram.org/bots/api#html-style.
"""

from __future__ import annotations

import re
from typing import Any

PLAIN = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
}
TAGS = {*PLAIN, "a", "span", "blockquote", "tg-emoji"}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}

_TAG = re.compile(
    r"""<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*)"""
    r"""(?P<attributes>(?:\s+[A-Za-z-]+(?:=(?:"[^"<>]*"|'[^'<>]*'|[\w.-]+))?)*)\s*>"""
)
_ATTRIBUTE = re.compile(r"""([A-Za-z-]+)(?:=(?:"([^"]*)"|'([^']*)'|([\w.-]+)))?""")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(lt|gt|amp|quot));")
_SPECIAL = re.compile(r"[<>&]")

Entity = dict[str, Any]


class MarkupError(ValueError):
    """Why the text is no Telegram HTML, in the words that follow "can't parse entities: "."""


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse(html: str) -> tuple[str, list[Entity]]:
    """The plain text (surrounding blanks dropped, as Telegram does) and its entities, offsets in UTF-16 units.

    Raises MarkupError for an unknown tag or reference, wrong nesting, an open end, or a bare `<`, `>` or `&`.
    """
    out: list[str] = []
    length = 0
    entities: list[Entity] = []
    stack: list[tuple[str, int, Entity | None]] = []
    position = 0
    while special := _SPECIAL.search(html, position):
        at = special.start()
        chunk = html[position:at]
        if special[0] == "&":
            character, position = _reference(html, at)
            chunk += character
        elif special[0] == "<" and (tag := _TAG.match(html, at)):
            position = tag.end()
        else:
            raise MarkupError(f'Unexpected character "{special[0]}" at byte offset {_byte(html, at)}')
        out.append(chunk)
        length += units(chunk)
        if special[0] != "<" or tag is None:
            continue
        name = tag["name"].lower()
        if not tag["close"]:
            stack.append((name, length, _opened(html, at, name, tag["attributes"], [n for n, _, _ in stack])))
            continue
        if not stack:
            raise MarkupError(f"Unexpected end tag at byte offset {_byte(html, at)}")
        opened, start, entity = stack.pop()
        if opened != name:
            where = _byte(html, at)
            raise MarkupError(f'Unmatched end tag at byte offset {where}, expected "</{opened}>", found "</{name}>"')
        if entity is not None and length > start:
            entities.append({**entity, "offset": start, "length": length - start})
    if stack:
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{stack[-1][0]}"')
    out.append(html[position:])
    return trimmed("".join(out), _languages(entities))


def trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """The text without blanks at its ends, the entities moved and cut along with it."""
    kept = text.strip(" \n\r\t")
    lead, end = units(text[: len(text) - len(text.lstrip(" \n\r\t"))]), units(kept)
    moved = []
    for entity in entities:
        first = max(entity["offset"] - lead, 0)
        last = min(entity["offset"] + entity["length"] - lead, end)
        if last > first:
            moved.append({**entity, "offset": first, "length": last - first})
    return kept, sorted(moved, key=lambda e: (e["offset"], -e["length"]))


def _byte(html: str, at: int) -> int:
    return len(html[:at].encode("utf-8", "surrogatepass"))


def _reference(html: str, at: int) -> tuple[str, int]:
    found = _REFERENCE.match(html, at)
    if found is None:
        raise MarkupError(f"Unescaped or unsupported entity at byte offset {_byte(html, at)}")
    decimal, hexadecimal, named = found.groups()
    if named:
        return NAMED[named], found.end()
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        raise MarkupError(f"Character reference out of range at byte offset {_byte(html, at)}")
    return chr(code), found.end()


def _value(html: str, at: int, raw: str) -> str:
    out, position = "", 0
    while (ampersand := raw.find("&", position)) >= 0:
        if not _REFERENCE.match(raw, ampersand):
            raise MarkupError(f"Unescaped attribute value in the tag at byte offset {_byte(html, at)}")
        character, after = _reference(raw, ampersand)
        out, position = out + raw[position:ampersand] + character, after
    return out + raw[position:]


def _opened(html: str, at: int, name: str, raw: str, outer: list[str]) -> Entity | None:
    """The entity that a start tag begins, None for one that shows nothing by itself."""
    where = f"at byte offset {_byte(html, at)}"
    if name not in TAGS:
        raise MarkupError(f'Unsupported start tag "{name}" {where}')
    if any(tag in ("code", "pre") for tag in outer) and (name != "code" or outer[-1] != "pre"):
        raise MarkupError(f'Tag "{name}" {where} is inside "code" or "pre", which hold no other')
    found = {m[1].lower(): _value(html, at, m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(raw)}
    if name == "span":
        if found.get("class") != "tg-spoiler":
            raise MarkupError(f'Tag "span" must have class "tg-spoiler" {where}')
        return {"type": "spoiler"}
    if name == "tg-emoji":
        if not found.get("emoji-id", "").isdigit():
            raise MarkupError(f'Tag "tg-emoji" must have a valid "emoji-id" {where}')
        return {"type": "custom_emoji", "custom_emoji_id": found["emoji-id"]}
    if name == "blockquote":
        if "blockquote" in outer:
            raise MarkupError(f'Tag "blockquote" {where} is inside another')
        return {"type": "expandable_blockquote" if "expandable" in found else "blockquote"}
    if name == "a":
        return {"type": "text_link", "url": found["href"]} if found.get("href") else None
    language = found.get("class", "").removeprefix("language-")
    return {"type": PLAIN[name], **({"language": language} if name == "code" and language else {})}


def _languages(entities: list[Entity]) -> list[Entity]:
    """<pre><code class="language-x"> is one entity; a language on a lone <code> says nothing."""
    pres = {(e["offset"], e["length"]): e for e in entities if e["type"] == "pre"}
    kept = []
    for entity in entities:
        if entity["type"] != "code":
            kept.append(entity)
            continue
        language = entity.pop("language", None)
        around = pres.get((entity["offset"], entity["length"]))
        if around is None:
            kept.append(entity)
        elif language:
            around["language"] = language
    return kept
