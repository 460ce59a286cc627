"""Requests for drafts and checks: crowd, channel, benefit, purpose, variants, and how the last draft is to change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prompts
from bot.answer import Interpretation
from bot.embedded import tool_call
from bot.understanding import interpret
from bot.understanding.checking import text_to_check
from bot.understanding.drafting import DraftWish
from bot.understanding.interpret import Understood, language
from bot.understanding.lexicon import Lexicon, lexicon_for
from tests.test_understanding import CAMPAIGNS, NOW, VALUES


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


def ask(lexicon: Lexicon, text: str, before: Understood | None = None, now: datetime = NOW) -> Understood:
    return interpret(
        text,
        before.interpretation if before else None,
        lexicon=lexicon,
        now=now,
        campaigns=CAMPAIGNS,
        lang=language(text),
        drafted=before.draft if before else None,
    )


@pytest.mark.parametrize(
    ("text", "crowds", "channel", "wish"),
    [
        ("给临门一脚人群写条短信", ["last_push"], "sms", {}),
        ("给加购未付款的人写条短信，满300减50", ["cart_unpaid"], "sms", {"benefit": "满300减50"}),
        ("给加购未付款的人写条短信，满300打9折", ["cart_unpaid"], "sms", {"benefit": "满300打9折"}),
        ("给加购未付款的人写条短信，满2件8折", ["cart_unpaid"], "sms", {"benefit": "满2件8折"}),
        ("write an SMS for un-paid carters with 30 off 300", ["cart_unpaid"], "sms", {"benefit": "30 off 300"}),
        ("写群文案给会员，送小样", ["member"], "group", {"benefit": "送小样"}),
        ("给会员写条专属客服消息，满299送旅行装", ["member"], "exclusive_service", {"benefit": "满299送旅行装"}),
        ("给加购收藏未付款写3个版本的短信", ["cart_fav_unpaid"], "sms", {"variants": 3}),
        ("给临门一脚写两条短信，立减20元", ["last_push"], "sms", {"variants": 2, "benefit": "立减20元"}),
        ("写条催尾款短信给付定金未付尾款的人", ["balance_due"], "sms", {"purpose": "balance"}),
        ("给优质老客写条唤醒短信", ["dormant_vip"], "sms", {"purpose": "winback"}),
        ("帮我写条催付短信给临门一脚", ["last_push"], "sms", {"purpose": "pay"}),
        ("发条短信给粉丝，8折，包邮", ["fan"], "sms", {"benefit": "8折，包邮"}),
        ("給加購未付款的人寫條簡訊，滿300減50", ["cart_unpaid"], "sms", {"benefit": "满300减50"}),
        ("给直播兴趣会员来个直播口播文案", ["live_member"], "live", {}),
        ("拟一段外呼话术给权益未核销会员", ["coupon_unredeemed"], "ai_call", {}),
        ("write an SMS for un-paid carters with 20 off", ["cart_unpaid"], "sms", {"benefit": "20 off"}),
        ("write 3 versions of a group message for members", ["member"], "group", {"variants": 3}),
        ("draft a push notification for fans with a free sample", ["fan"], "push", {"benefit": "a free sample"}),
    ],
)  # fmt: skip
def test_requests_are_read(lexicon: Lexicon, text: str, crowds: list[str], channel: str, wish: dict[str, Any]) -> None:
    found = ask(lexicon, text)
    what = found.interpretation
    assert (what.intent, what.channel) == ("draft", channel)
    assert what.crowds == crowds
    assert found.clarify is None
    assert found.draft is not None
    got = found.draft.model_dump(exclude_defaults=True)
    assert got == wish
    assert what.unused == []
    assert what.metrics == []
    assert what.period is None


def test_the_shops_levels_filter_the_crowd_of_a_draft(lexicon: Lexicon) -> None:
    found = ask(lexicon, "给上海VIP会员写条短信")
    call = tool_call(found.interpretation, "", found.draft)
    assert call == ("draft", {"channel": "sms", "crowd": 'city:"上海" and member_level:"VIP会员"', "style": []})


def test_without_a_crowd_it_is_that_of_the_question_before_else_todays(lexicon: Lexicon) -> None:
    before = ask(lexicon, "权益未核销会员有多少人")
    assert ask(lexicon, "写条短信", before).interpretation.crowds == ["coupon_unredeemed"]
    alone = ask(lexicon, "写条短信").interpretation
    assert alone.crowds == ["cart_unpaid"]
    assert alone.assumed == ["没说给谁，按加购未付款写"]
    assert ask(lexicon, "写条短信", now=datetime(2026, 6, 20, 10)).interpretation.crowds == ["last_push"]
    assert ask(lexicon, "写条短信", now=datetime(2026, 6, 25, 10)).interpretation.crowds == ["wave_buyers"]
    assert ask(lexicon, "write a text message", now=datetime(2026, 8, 1)).interpretation.crowds == ["member"]


def test_follow_ups_build_on_the_last_draft(lexicon: Lexicon) -> None:
    first = ask(lexicon, "给临门一脚写条短信，满300减50")
    shorter = ask(lexicon, "再短一点", first)
    assert shorter.interpretation.crowds == ["last_push"]
    assert shorter.draft == DraftWish(style=["shorter"], benefit="满300减50")
    again = ask(lexicon, "太长了", shorter)
    assert again.draft is not None
    assert again.draft.style == ["shorter", "shorter"]
    group = ask(lexicon, "换成群文案", again)
    assert group.interpretation.channel == "group"
    assert group.draft == DraftWish(benefit="满300减50"), "how short it was to be was said of the SMS"
    bare = ask(lexicon, "不要表情", group)
    service = ask(lexicon, "换成专属客服", bare)
    assert service.interpretation.channel == "exclusive_service"
    assert service.draft == DraftWish(style=["no_emoji"], benefit="满300减50")
    more = ask(lexicon, "加上送小样", service)
    assert more.draft is not None
    assert more.draft.benefit == "满300减50，送小样"
    other = ask(lexicon, "那会员呢", more)
    assert (other.interpretation.intent, other.interpretation.crowds) == ("draft", ["member"])
    assert other.draft is not None
    assert other.draft.benefit is None, "what one crowd is offered is offered to nobody else"


@pytest.mark.parametrize(
    ("text", "style", "channel"),
    [
        ("短点", ["shorter"], "sms"),
        ("make it shorter", ["shorter"], "sms"),
        ("去掉表情", ["no_emoji"], "sms"),
        ("no emoji please", ["no_emoji"], "sms"),
        ("换个角度", ["other_angle"], "sms"),
        ("a different angle", ["other_angle"], "sms"),
        ("as a group message", [], "group"),
        ("改成卡片短信", [], "card_sms"),
        ("换成群文案，短一点", ["shorter"], "group"),
    ],
)
def test_ways_to_ask_for_a_change(lexicon: Lexicon, text: str, style: list[str], channel: str) -> None:
    found = ask(lexicon, text, ask(lexicon, "给临门一脚写条短信"))
    assert (found.interpretation.intent, found.interpretation.channel) == ("draft", channel)
    assert found.interpretation.crowds == ["last_push"]
    assert found.draft is not None
    assert found.draft.style == style
    assert found.interpretation.unused == []


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("会员昨天的成交金额", "metric"),
        ("短信的点击率多少", "metric"),
        ("今天做什么", "plan"),
        ("现在是什么阶段", "phase"),
        ("给我会员的手机号", "unsupported"),
    ],
)
def test_another_question_after_a_draft_is_no_change_of_it(lexicon: Lexicon, text: str, intent: str) -> None:
    found = ask(lexicon, text, ask(lexicon, "给临门一脚写条短信"))
    assert found.interpretation.intent == intent
    assert found.draft is None


@pytest.mark.parametrize("text", ["满300减50的券有多少人没用", "短一点", "送小样", "昨天会员的客单价"])
def test_benefits_and_styles_mean_nothing_without_a_draft(lexicon: Lexicon, text: str) -> None:
    found = ask(lexicon, text)
    assert found.interpretation.intent != "draft" or found.clarify is not None
    assert found.draft is None or found.clarify is not None


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("channel", ["sms", "group", "exclusive_service"])
def test_the_words_of_the_buttons_are_understood(lexicon: Lexicon, lang: str, channel: str) -> None:
    name = prompts.text(f"channel.{channel}", lang)
    found = ask(lexicon, prompts.text("question.draft_button", lang, channel=name), ask(lexicon, "临门一脚有多少人"))
    assert (found.interpretation.intent, found.interpretation.channel) == ("draft", channel)
    assert found.interpretation.crowds == ["last_push"]
    assert found.draft == DraftWish()
    for style in ("shorter", "no_emoji"):
        changed = ask(lexicon, prompts.text(f"question.redo_{style}", lang), found)
        assert changed.draft == DraftWish(style=[style])


def test_an_unclear_crowd_is_asked_back_and_the_answer_is_written_for(lexicon: Lexicon) -> None:
    unclear = ask(lexicon, "给没付款的人写条短信，送小样")
    assert unclear.clarify is not None
    chosen = ask(lexicon, unclear.clarify.options[0], unclear)
    assert (chosen.interpretation.intent, chosen.interpretation.crowds) == ("draft", ["cart_unpaid"])
    assert chosen.draft is not None
    assert chosen.draft.benefit == "送小样"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("帮我看看这条短信行不行：【花漾】全网最低价 拒收请回复R", "【花漾】全网最低价 拒收请回复R"),
        ("检查一下这句文案：皇家御用，最后一天", "皇家御用，最后一天"),
        ("is this copy OK: the best cream: 20 off", "the best cream: 20 off"),
        ("这条文案违规吗：全网最低价，最后一天", "全网最低价，最后一天"),
        ("「全网最低价」能不能这么写", "全网最低价"),
        ("检查这条群消息\n今天面霜 114 元\n想要直接留言", "今天面霜 114 元\n想要直接留言"),
        ("这条短信合规吗【花漾】您好 拒收请回复R", "【花漾】您好 拒收请回复R"),
        ("帮我看下这句话术行吗：“写条短信给会员”", "写条短信给会员"),
    ],
)
def test_the_text_to_check_stands_behind_what_is_said_of_it(lexicon: Lexicon, question: str, text: str) -> None:
    found = text_to_check(question)
    assert found is not None
    assert found[1] == text
    what = ask(lexicon, question).interpretation
    assert (what.intent, what.unused) == ("check", [])
    assert tool_call(what, question) == ("check_copy", {"text": text, "channel": what.channel})


@pytest.mark.parametrize(
    "question",
    [
        "给加购未付款的人写条短信：讲券今晚到期",
        "会员的进店率：昨天和前天",
        "check metrics: visitors yesterday",
        "今天做什么",
        "检查一下文案",
        "10:00 前加购未付款多少人",
    ],
)
def test_what_is_no_text_to_check(question: str) -> None:
    assert text_to_check(question) is None


def test_the_language_is_that_of_the_asker_not_of_the_copy() -> None:
    assert language("is this SMS OK: 【花漾】您好 拒收请回复R") == "en"
    assert language("这条短信行不行：best cream ever") == "zh"


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_after_a_draft_is_understood_as_something(lexicon: Lexicon, text: str) -> None:
    before = ask(lexicon, "给临门一脚写条短信，满300减50")
    found = ask(lexicon, text, before)
    assert found.interpretation.intent
    assert (found.draft is not None) == (found.interpretation.intent == "draft")
    assert isinstance(found.interpretation, Interpretation)
