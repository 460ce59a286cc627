"""Grounding: numerals in every form are seen, and only traced ones pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot import grounding
from bot.answer import Answer, Clarify, Interpretation
from knowledge.catalog import read_yaml
from knowledge.masking import HIDDEN, masked
from tools.facts import Citation, Fact, display

LINES: dict[str, list[str]] = read_yaml(Path(__file__).parent / "cases" / "grounding.yaml")


def _fact(n: int, label: Any, value: Any, unit: Any, shown: Any, metric: Any = None, crowd: Any = None) -> Fact:
    return Fact(
        id=f"f{n}", label=label, value=value, unit=unit, display=shown, metric=metric, crowd=crowd, query="SELECT 1",
        as_of="2026-06-17 10:00",
    )  # fmt: skip


# The answer that the lines of tests/cases/grounding.yaml are about.
GIVEN = Answer(
    text="",
    lang="zh",
    interpretation=Interpretation(
        intent="plan", crowds=["cart_unpaid"], phase="sale2", campaign="618", period={"from": "2026-06-16", "to": "2026-06-17"}
    ),
    facts=[
        _fact(i, *row)
        for i, row in enumerate(
            [
                ("阶段第几天", 2, "count", "2"),
                ("阶段总天数", 5, "count", "5"),
                ("离本波结束的小时数", 86, "hours", "86 小时"),
                ("加购未付款人数", 1832, "people", "1,832 人", "crowd_size", "cart_unpaid"),
                ("购物车里的金额", 412300.0, "CNY", "¥412,300"),
                ("加购未付款人数与昨天同时相比", -0.0741, "ratio", "7.4%", None, "cart_unpaid"),
                ("加购未付款里的会员", 1103, "people", "1,103 人", None, "cart_unpaid"),
                ("其中非会员", 729, "people", "729 人", None, "cart_unpaid"),
                ("加购收藏未付款人数", 2308, "people", "2,308 人", "crowd_size", "cart_fav_unpaid"),
                ("VIP", 12, "people", "12 人", None, "cart_unpaid"),
                ("全店进店访客数", 18320, "people", "18,320 人", "visitors", "all"),
                ("商品", "A9 面霜 50ml", "text", "A9 面霜 50ml"),
                ("A9 面霜 50ml", 386, "people", "386 人", None, "cart_unpaid"),
                ("全店全部成交金额", 125300.4, "CNY", "¥125,300", "paid_amount", "all"),
                ("全店加购-支付比率 今天", 0.18297, "ratio", "18.3%", "cart_pay_rate", "all"),
                ("全店加购-支付比率 昨天", 0.1691, "ratio", "16.9%", "cart_pay_rate", "all"),
                ("变化", -0.0214, "points", "2.1 个百分点"),
                ("占全店", 0.3121, "ratio", "31.2%"),
                ("全店触达ROI", 3.2, "ratio", "3.20", "touch_roi", "all"),
                ("触达间隔天数", 3, "days", "3 天"),
                ("时间", "2026-06-17 11:00", "date", "今天 11:00"),
                ("截止", "2026-06-21 00:00", "date", "6 月 20 日 24:00"),
            ],
            1,
        )
    ],
    citations=[
        Citation(id=1, source="618 作战室", section="策略任务 › 加购提醒",
                 quote="预热期加购的人流失率最高可达 40%，开卖后 72 小时内提醒两次。"),
        Citation(id=2, source="618 作战室", section="会员任务 › 第二波权益提醒",
                 quote="有 6.16–6.20 可用券（积分兑换券、复购券、等级券）没用的会员，到期前催支付。"),
    ],
)  # fmt: skip
ASKED = "满 300 减 50 的券，加购未付款的人今天怎么做"


@pytest.mark.parametrize("line", LINES["adversarial"])
def test_a_line_that_nothing_stands_behind_is_found(line: str) -> None:
    assert grounding.problems(GIVEN.model_copy(update={"text": line}), ASKED) != []


@pytest.mark.parametrize("line", LINES["honest"])
def test_an_honest_line_passes(line: str) -> None:
    assert grounding.problems(GIVEN.model_copy(update={"text": line}), ASKED) == []


@pytest.mark.parametrize(
    "line",
    [
        "还有两天半结束", "还有 315 人", "全场五一折", "hundreds of thousands of people", "6.21 截止", "1,8\n32 人",
        "10^999 人", "1e999 人", "注意 7 个会员", "28.7 people came", "二十三万一千人", "1.832 人", "约 2,100 人",
        "超过 1,900 人", "不到 1,800 人", "1,832 万人", "1.9万多人", "$412,300", "18.3 个百分点", "1,832 小时",
        "比昨天高 7.4%", "+7.4%", "第三天", "《广告法》第八条", "第 3 波", "99. 5 人", "３１.３％",
        "(2,308 人加购未付款)", "u0001234", "“最晚要在今晚逐一电话回访”", "[f1]", "[1-4]", "1\u200b9 人", "1\ue0209 人",
        "<b>1</b>9 人", "1&#57; 人", "1‚833 人", "१९ लोग", "半数以上", "翻三倍", "sixteenth of June, 19th",
    ],
)  # fmt: skip
def test_other_forms_are_found_too(line: str) -> None:
    assert grounding.problems(GIVEN.model_copy(update={"text": line}), ASKED) != []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("加购未付款 1,833 人", "numeral"),
        ("比昨天高 7.4%", "numeral"),
        ("“最晚要在今晚逐一电话回访”", "quote"),
        ("先发短信 [3]", "mark"),
        ("加购未付款 2,308 人", "name"),
        ("打 138 0013 8000", "personal"),
    ],
)
def test_a_problem_says_its_kind_and_what_was_written(line: str, kind: str) -> None:
    problems = grounding.problems(GIVEN.model_copy(update={"text": f"第一行\n{line}"}), ASKED)
    assert [(p.line, p.kind) for p in problems] == [(1, kind)]
    assert problems[0].span in line


def test_a_question_lends_its_number_to_no_other_kind() -> None:
    given = GIVEN.model_copy(update={"text": "有 46% 的人"})
    assert grounding.problems(given, "那 46 人呢") != []
    assert grounding.problems(given, "46% 是怎么来的") == []
    # … nor its percent to what a playbook is said to promise.
    cited = GIVEN.model_copy(update={"text": "提醒后转化到 46% [1]"})
    assert grounding.problems(cited, "46% 是怎么来的") != []


def test_a_phone_number_is_never_told_also_when_it_was_asked() -> None:
    given = GIVEN.model_copy(update={"text": "已记下 13800138000"})
    assert [p.kind for p in grounding.problems(given, "13800138000 是谁")] == ["personal"]


@pytest.mark.parametrize(
    "datum",
    [
        "138 0013 8000", "138.0013.8000", "(138)0013-8000", "+86 138 0013 8000", "1 3 8 0 0 1 3 8 0 0 0",
        "13800 138000", "13800 138 000", "一三八零零一三八零零零", "幺三八〇〇一三八〇〇〇", "(010) 8888 6666",
        "a.b@example.com", "a.b＠example.com", "a.b (at) example.com", "user_id 10023", "用户ID：10023",
        "客户编号 A10023", "u000123", "微信号 wx_100200", "收货人：王晓丽", "王晓丽女士", "欧 QQ: 1234567",
    ],
)  # fmt: skip
def test_personal_data_are_masked_in_any_form(datum: str) -> None:
    assert HIDDEN in masked(f"请联系 {datum}，谢谢")
    digits = [c for c in masked(f"请联系 {datum}，谢谢") if c.isdigit()]
    assert digits == []


@pytest.mark.parametrize(
    "text",
    [
        "大促 618，6 月 16 日 10:00–24:00", "1,832 人 386 154 154", "¥1,371,725", "i0009 商品", "f38 条",
        "一三五七每周发", "各位女士", "会员号是什么", "微信群有 386 人", "use the user id column",
        "2026-06-17 13:00:00",
    ],
)  # fmt: skip
def test_what_is_nobodys_stays(text: str) -> None:
    assert masked(text) == text


@given(st.text(), st.text(alphabet='0123456789.,-+/%:¥第一二十百万点半成几年月日人\n*[]"“”f\u200b①Ⅻ²eE×^ '))
def test_no_text_breaks_it(some: str, numeral: str) -> None:
    for text in (some, numeral):
        for p in grounding.problems(GIVEN.model_copy(update={"text": text}), some):
            assert 0 <= p.line <= text.count("\n")


def reply(text: str, displays: tuple[str, ...] = (), quote: str = "", value: Any = None, unit: Any = "text") -> Answer:
    facts = [
        Fact(id=f"f{i}", label="x", value=value, unit=unit, display=d, query="SELECT 1", as_of="2026-06-17 10:00")
        for i, d in enumerate(displays)
    ]
    citations = [Citation(id=1, source="手册", section="一节", quote=quote)] if quote else []
    return Answer(text=text, lang="zh", interpretation=Interpretation(intent="plan"), facts=facts, citations=citations)


@pytest.mark.parametrize(
    "text",
    [
        "约 1,832 人",
        "1832人",
        "转化 18.3%",
        "0.183",
        "1.8万",
        "三成",
        "¥12.5万",
        "6/16",
        "百分之五",
        "十二人",
        "两百件",
        "二十天",
        "two dozen",
        "a dozen",
        "half of them",
        "twice as many",
        "fifteen people",
        "１８３２人",
        "三百",
        "[2]",
        "2026-06-18",
        "23:30",
    ],
)
def test_an_untraced_numeral_is_found(text: str) -> None:
    assert grounding.problems(reply(f"这里 {text} 好"), "没有数字的问题") != []


@pytest.mark.parametrize(
    "text",
    [
        "最后一天",
        "临门一脚",
        "一对一",
        "同一时刻",
        "唯一",
        "第一波预售",
        "618 作战室",
        "双11",
        "1. 先发短信",
        "2) then wait",
        "近 3 天有加购或收藏",
    ],
)
def test_structure_names_and_idiom_pass(text: str) -> None:
    body = {"近 3 天有加购或收藏": "加购收藏未付款里，近 3 天有加购或收藏、近 7 天有 2 天以上进店的人"}.get(text, text)
    assert grounding.problems(reply(body), "问题") == []


def test_a_name_lends_its_numerals_to_nobody_else() -> None:
    """ "近 3 天" stands in a crowd's definition; a 3 elsewhere is still untraced."""
    assert grounding.problems(reply("还剩 3 天"), "问题") != []


def test_the_question_a_fact_and_a_quote_lend_theirs() -> None:
    assert grounding.problems(reply("1,832 人", ("1,832 人",)), "q") == []
    assert grounding.problems(reply("你问的 46 人"), "那 46 人呢") == []
    assert grounding.problems(reply("流失率最高可达 40%。[1]", quote="流失率最高可达 40%。"), "q") == []
    assert grounding.problems(reply("涨了 40%", quote="流失率最高可达 40%。"), "q") != []


def test_options_asked_back_may_hold_numerals() -> None:
    answer = reply("哪个？\n· 618 第 2 波").model_copy(
        update={"clarify": Clarify(question="哪个？", options=["618 第 2 波"])}
    )
    assert grounding.problems(answer, "q") == []


@given(
    st.integers(0, 10**9), st.sampled_from(["people", "CNY", "count", "hours", "days"]), st.sampled_from(["zh", "en"])
)
def test_every_display_is_traced_by_itself_and_by_nothing_else(value: int, unit: Any, lang: str) -> None:
    shown, other = display(value, unit, lang), display(value + 1, unit, lang)
    assume(shown != "618")  # bare, it is the campaign's name
    assume((value, unit) != (10, "hours"))  # so many hours the day has had when the data ends
    assert grounding.problems(reply(f"a {shown} b", (shown,), value=value, unit=unit), "q") == []
    assert grounding.problems(reply(f"a {shown} b", (other,), value=value + 1, unit=unit), "q") != []


@given(st.floats(0, 10, allow_nan=False))
def test_ratios_read_as_percent(value: float) -> None:
    shown = display(value, "ratio", "zh")
    assert shown.endswith("%")
    assert abs(float(shown[:-1]) - value * 100) <= 0.05 + 1e-9
