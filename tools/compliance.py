"""The check of a copy before anybody sends it: law, platform rules, and whether it is true (knowledge/copy_rules.yaml).

Rules read the folded text (tools/folding.py); findings carry the span in the text as given. A rewrite is what takes the place of
the span, and passes itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from knowledge.catalog import Channel
from knowledge.copy_rules import CheckName, CopyRule, CopyRules, copy_rules
from tools import sms
from tools.claims import Claim
from tools.facts import Finding, Verdict
from tools.folding import Folded, fold
from tools.offers import Item, Offer, title_spans
from tools.truth import unfounded

SMS_CHANNELS: tuple[Channel, ...] = ("sms", "card_sms")

_HAN = re.compile(r"[\u3400-\u9fff]")
_SIGNATURE = re.compile(r"\s*【\s*([^【】\s][^【】\n]{0,19})】")
_OTHER_BRACKETS = re.compile(r"\s*[\[［〔〖「『(（]\s*([^\s\]］〕〗」』)）]{1,12})\s*[\]］〕〗」』)）]")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s\u2e80-\uffef]+"
    r"|(?<![a-z0-9_.@-])(?:[a-z0-9-]+\.)+(?:com|cn|net|org|cc|co|me|io|vip|shop|top|xyz|link|ltd|tv|hk|tw|tb|ly|cm|site|store)"
    r"(?![a-z0-9_.-])(?:/[^\s\u2e80-\uffef]*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Copy:
    """The text being checked, as given and folded, with what is known about it."""

    channel: Channel
    text: str
    folded: Folded
    lang: str
    offer: Offer | None
    rules: CopyRules
    titles: list[tuple[int, int, Item]]  # where the folded text names items of the shop
    unfounded: list[tuple[Claim, float | None]]

    @property
    def written_in(self) -> Literal["zh", "en"]:
        return "zh" if _HAN.search(self.text) or not self.text.strip() else "en"


@dataclass(frozen=True)
class Hit:
    """A rule applies to the characters [start, end) of the text; an empty span is a place where something is missing."""

    start: int
    end: int
    rewrite: str | None


def check(channel: Channel, text: str, *, lang: str = "zh", offer: Offer | None = None) -> Verdict:
    """The verdict on `text` for `channel`: block if any finding blocks, else warn if there is any, else pass.

    With an `offer`, what the copy states must be in it; without, statements that need the shop's data get a warning at most.
    `lang` is the language of reasons and sources. Findings are in the order of their spans.
    """
    rules = copy_rules()
    folded = fold(text, rules)
    titles = title_spans(offer, folded.text) if offer else []
    wrong = unfounded(offer, folded.text, _names(folded, rules)) if offer else []
    copy = Copy(channel, text, folded, lang, offer, rules, titles, wrong)
    hits = [(rule, hit) for rule in rules.rules if _applies(rule, copy) for hit in _hits(rule, copy)]
    findings = [
        Finding(
            rule=rule.id,
            level=rule.level,
            span=(hit.start, hit.end),
            text=text[hit.start : hit.end],
            why=rule.why.get(lang),
            rewrite=hit.rewrite,
            source=rule.source.get(lang),
        )
        for rule, hit in _once(hits)
    ]
    findings.sort(key=lambda f: (f.span, f.level))
    levels = {f.level for f in findings}
    is_sms = channel in SMS_CHANNELS
    n = sms.units(sms.longest(text, rules.lengths))
    return Verdict(
        channel=channel,
        text=text,
        units=n,
        segments=sms.segments(n) if is_sms else 1,
        verdict="block" if "block" in levels else "warn" if levels else "pass",
        findings=findings,
    )


def _applies(rule: CopyRule, copy: Copy) -> bool:
    if rule.channels is not None and copy.channel not in rule.channels:
        return False
    if rule.offer is not None and (rule.offer == "with") != (copy.offer is not None):
        return False
    return not (rule.proof == "low_stock" and _stock_is_low(copy))


def _hits(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    if rule.check is not None:
        yield from CHECKS[rule.check](rule, copy)
    elif rule.claims:
        lawful = [m.span() for e in rule.exceptions for m in e.finditer(copy.folded.text)]
        for claim, instead in copy.unfounded:
            if claim.kind in rule.claims and not any(s < claim.end and claim.start < e for s, e in lawful):
                yield _claim_hit(claim, instead, copy)
    else:
        yield from _pattern_hits(rule, copy)


def _once(hits: list[tuple[CopyRule, Hit]]) -> list[tuple[CopyRule, Hit]]:
    """Words that several pattern rules find are reported once: by a rule that blocks, else by the one that stands first."""
    kept: list[tuple[CopyRule, Hit]] = []
    for rule, hit in sorted(hits, key=lambda h: h[0].level):  # "block" sorts before "warn"
        if not rule.patterns or not any(k.patterns and h.start < hit.end and hit.start < h.end for k, h in kept):
            kept.append((rule, hit))
    return kept


def _pattern_hits(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    """The longest finds of the rule's patterns that overlap no exception, no other find and no title of the shop's items."""
    text = copy.folded.text
    found = [(m, p) for p in rule.patterns for m in p.find.finditer(text) if m.end() > m.start()]
    if not found:
        return
    lawful = [m.span() for e in rule.exceptions for m in e.finditer(text)]
    lawful += [(s, e) for s, e, _ in copy.titles]
    used: list[tuple[int, int]] = []
    for m, pattern in sorted(found, key=lambda f: (f[0].start() - f[0].end(), f[0].start())):
        start, end = m.span()
        if any(s < end and start < e for s, e in lawful + used):
            continue
        used.append((start, end))
        rewrite = pattern.rewrite
        if rewrite is None and rule.rewrite is not None:
            rewrite = rule.rewrite.get(copy.written_in)
        first, last = copy.folded.span(start, end)
        yield Hit(first, last, None if rewrite is None else m.expand(rewrite))


def _claim_hit(claim: Claim, instead: float | None, copy: Copy) -> Hit:
    """The claim with the number of the data in the place of its own."""
    start, end = copy.folded.span(claim.start, claim.end)
    if instead is None:
        return Hit(start, end, None)
    if claim.kind == "coupon":
        threshold, shown = f"{claim.values[0]:g}", f"{instead:g}"
        zh = _HAN.search(claim.words) is not None
        return Hit(start, end, f"满{threshold}减{shown}" if zh else f"¥{shown} off orders over ¥{threshold}")
    first, last = copy.folded.span(*claim.number)
    return Hit(start, end, f"{copy.text[start:first]}{instead:g}{copy.text[last:end]}")


def _names(folded: Folded, rules: CopyRules) -> list[tuple[int, int]]:
    """Spans of the folded text whose numerals state nothing: links, variables, the signature, the way to refuse."""
    patterns = [_LINK, re.compile(r"^\s*【[^】]*】"), re.compile(r"\$?\{[^{}]*\}"), *rules.opt_out]
    return [m.span() for p in patterns for m in p.finditer(folded.text)]


def _stock_is_low(copy: Copy) -> bool:
    """Whether something named in the text (anything of the shop where nothing is named) is nearly sold out. Without any known
    stock nothing contradicts the words, and nothing proves them."""
    if copy.offer is None:
        return False
    named = [i for _, _, i in copy.titles]
    return any(i.stock is not None and i.stock <= copy.rules.low_stock for i in named or copy.offer.items)


# --- what no pattern can say -----------------------------------------------------------------------------------------


def _signature(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    """【signature】 at the head; the shop's own, where the shop is known."""
    right = f"【{copy.offer.signature}】" if copy.offer else None
    head = _SIGNATURE.match(copy.text)
    if head is None:
        other = _OTHER_BRACKETS.match(copy.text)
        if other is not None:
            yield Hit(0, other.end(), right or f"【{other[1]}】")
        else:
            yield Hit(0, 0, right)
    elif copy.offer is not None:
        if head[1].strip() != copy.offer.signature:
            yield Hit(head.start(), head.end(), right)
    elif _names_nobody(head[1], copy.rules):
        yield Hit(head.start(), head.end(), None)


def _names_nobody(name: str, rules: CopyRules) -> bool:
    """重要通知, 会员福利, Special offer: words that could head anybody's message."""
    plain = fold(name, rules).text.strip()
    return any(p.fullmatch(plain) for p in rules.no_sender)


def _opt_out(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    """An advertisement says how to refuse further ones; a notice about one's own order is none."""
    text = copy.folded.text
    notice = any(p.search(text) for p in copy.rules.service_notice)
    if notice and not any(p.search(text) for p in copy.rules.promotional):
        return
    if not _ways_out(copy):
        end = len(copy.text.rstrip())
        yield Hit(end, end, rule.rewrite.get(copy.written_in) if rule.rewrite else None)


def _opt_out_last(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    """The way to refuse is there, but something other than marks follows it."""
    ways = _ways_out(copy)
    if ways:
        start, end = max(ways, key=lambda w: w[1])
        if re.search(r"\w", copy.folded.text[end:]):
            first, last = copy.folded.span(start, end)
            yield Hit(first, last, None)


def _ways_out(copy: Copy) -> list[tuple[int, int]]:
    """Where the text says how to refuse; nowhere where it also says that refusing is not possible."""
    text = copy.folded.text
    if any(p.search(text) for p in copy.rules.no_opt_out):
        return []
    return [m.span() for p in copy.rules.opt_out for m in p.finditer(text)]


def _caller(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    """A whole call says who is calling; a line from the middle of one may leave it out if it tells how to refuse."""
    if _names_caller(copy) or (_greeting(copy) is None and _refusable(copy)):
        return
    head = _greeting(copy)
    end = copy.folded.span(*head.span())[1] if head else 0
    yield Hit(0, end, f"您好，这里是{copy.offer.signature}。" if copy.offer else None)


def _call_opt_out(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    """A call that greets or says who is calling is a whole one, and tells how to refuse further calls."""
    if _refusable(copy) or (_greeting(copy) is None and not _names_caller(copy)):
        return
    end = len(copy.text.rstrip())
    yield Hit(end, end, rule.rewrite.get(copy.written_in) if rule.rewrite else None)


def _greeting(copy: Copy) -> re.Match[str] | None:
    return next((m for p in copy.rules.greetings if (m := p.match(copy.folded.text))), None)


def _names_caller(copy: Copy) -> bool:
    found = (m for p in copy.rules.callers for m in p.finditer(copy.folded.text))
    return any(not _names_nobody(m["name"], copy.rules) for m in found)


def _refusable(copy: Copy) -> bool:
    return any(p.search(copy.folded.text) for p in copy.rules.call_opt_out)


def _link(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    """A blank (or the text's border) on both sides of every link."""
    for m in _LINK.finditer(copy.text):
        before = " " if m.start() > 0 and not copy.text[m.start() - 1].isspace() else ""
        after = " " if m.end() < len(copy.text) and not copy.text[m.end()].isspace() else ""
        if before or after:
            yield Hit(m.start(), m.end(), f"{before}{m[0]}{after}")


def _unknown_variable(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    for v in sms.variables_in(copy.text):
        # Outside SMS #…# is a topic, not a variable.
        if copy.text[v.start] == "#" and copy.channel not in SMS_CHANNELS:
            continue
        if v.name.casefold() not in copy.rules.lengths:
            yield Hit(v.start, v.end, None)


def _personal_variable(rule: CopyRule, copy: Copy) -> Iterator[Hit]:
    for v in sms.variables_in(copy.text):
        if v.name.casefold() in copy.rules.personal:
            yield Hit(v.start, v.end, rule.rewrite.get(copy.written_in) if rule.rewrite else None)


CHECKS: dict[CheckName, Callable[[CopyRule, Copy], Iterator[Hit]]] = {
    "signature": _signature,
    "opt_out": _opt_out,
    "opt_out_last": _opt_out_last,
    "caller": _caller,
    "call_opt_out": _call_opt_out,
    "link": _link,
    "unknown_variable": _unknown_variable,
    "personal_variable": _personal_variable,
}
