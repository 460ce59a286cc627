"""A copy that somebody else wrote, held against the rules and the shop's data."""

from __future__ import annotations

from knowledge.catalog import Channel
from tools.context import Context
from tools.copy_brief import channel_key
from tools.copywriting import measures
from tools.facts import ToolResult
from tools.lines import literal


def check_copy(ctx: Context, text: str, channel: str | None = None) -> ToolResult:
    """Whether a copy may be sent: what the rules find, where, why, what to write instead, and after which source.

    channel: sms, card_sms, ai_call, exclusive_service, group, push, live. Without one, a text that begins with 【 is an SMS
    and any other a push, of which neither signature nor opt-out is asked. AskAgain when the channel is unknown.
    """
    from tools import compliance
    from tools.offers import offer_of

    text = text.strip()
    taken: Channel = channel_key(channel) if channel else ("sms" if text.startswith("【") else "push")
    verdict = compliance.check(taken, text, lang=ctx.lang, offer=offer_of(ctx))
    measures(ctx, verdict)
    for f in verdict.findings:
        # Articles and rewrites hold numerals of their own; the rule stands behind them.
        for said in (f.why, f.source, f.rewrite):
            if said:
                ctx.sheet.text(ctx.say("draft.label_why"), said, literal(said))
    assumed = [] if channel else [ctx.say("draft.assumed_sms" if taken == "sms" else "draft.assumed_push")]
    data = {"channel": taken, "verdict": verdict.model_dump(), "assumed": assumed, "next": ctx.say("draft.next_check")}
    return ToolResult(kind="check", facts=ctx.sheet.facts, data=data)
