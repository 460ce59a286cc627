"""What is left out of documents, and above all what is not: pages of other layouts, sentences that only sound like adverts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from knowledge import documents, noise
from knowledge.loaders.text import of_text

RULES = noise.rules()
# Lines that show that a document was copied from a web page; rules of `web` look no further.
COPIED = "当前位置：商家学院 / 大促\n双11会员怎么做\n2024-09-01 10:00 来源：某某网\n"
BODY = "蓄水期先把老客分层，再按层发权益。\n" * 12


def read(folder: Path, text: str, name: str = "a.txt") -> tuple[str, int]:
    """(all that can be quoted or cited, number of things left out)."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    found = documents.read(file)
    return "\n".join(f"{p.path}\n{p.text}" for p in found.parts), found.dropped


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_finds_its_examples_and_not_what_must_stay(name: str) -> None:
    rule = RULES[name]

    def found(line: str) -> bool:
        pieces = noise.sentences(line) if rule.what == "sentence" else [line]
        return any(rule.found(noise.folded(p)) for p in pieces)

    assert rule.drops, "each rule has an example"
    assert rule.keeps, "and something that it must not take"
    assert [e for e in rule.drops if not found(e)] == []
    if rule.place != "top":
        assert [e for e in rule.keeps if found(e)] == []


@pytest.mark.parametrize("name", sorted(RULES))
def test_an_example_is_left_out_of_a_copied_page_where_the_rule_looks(tmp_path: Path, name: str) -> None:
    rule = RULES[name]
    for example in rule.drops:
        lines = [*BODY.splitlines()]
        if rule.place == "top":
            lines = [example, *COPIED.splitlines(), *lines]
        elif rule.place == "edge":
            lines = [*COPIED.splitlines(), example, *lines]
        else:
            lines = [*COPIED.splitlines(), *lines, example, "点击加载更多"]
        said, _ = read(tmp_path, "\n".join(lines))
        for sentence in [example] if rule.what != "sentence" else noise.sentences(example):
            if rule.what != "sentence" or rule.found(noise.folded(sentence)):
                assert sentence not in said
        assert "再按层发权益" in said


def test_nothing_that_a_rule_keeps_is_lost_in_a_document_of_the_shop(tmp_path: Path) -> None:
    kept = [e for r in RULES.values() for e in r.keeps]
    said, dropped = read(tmp_path, f"# 手册\n{BODY}" + "\n".join(kept))
    assert [e for e in kept if "".join(e.split()) not in "".join(said.split())] == []
    assert dropped == 0


OWN = """大促客服手册

一、话术
客户问：怎么加微信？答：亲，店铺不通过微信交易。
引导话术：关注公众号“华漾美妆”，回复618领券！
加我微信发返现的，一律按违规处理。

二、投诉
投诉邮箱：help@huayang.com
版权所有的图片不能用。同行未经授权转载我们详情页的，发律师函。
猜你喜欢的流量从详情页来，要把主图换成场景图。

三、渠道
短信
微信公众号
微博
会员中心

四、进店路径
首页 > 会员中心 > 领券
推荐阅读
新人先看第一章。
© 2024 华漾
"""


def test_a_shops_own_handbook_keeps_every_line_of_substance(tmp_path: Path) -> None:
    said, dropped = read(tmp_path, OWN)
    lost = [line for line in OWN.splitlines() if "".join(line.split()) not in "".join(said.split())]
    assert lost == ["© 2024 华漾"]
    assert dropped == 1


WECHAT = """点击上方蓝字关注我们
原创 老猫 电商老猫说 2024-09-12 08:30 浙江

双11老客怎么召回
每年双11前，店里最头疼的就是沉睡老客。
01
先分层
按最近一次购买把人分成三档，九十天内的不用召回，直接发预告。
02
再给理由
关注公众号的老客可以多领一张 5 元券，没关注的只发短信。引导客户关注公众号可以放在包裹卡上。
会员中心入口要放到首页第一屏。欢迎关注“老猫说”公众号！
以上就是今天的全部内容，希望对你有帮助。
点赞 在看 分享
长按识别二维码，加入老猫的卖家群
预览时标签不可点
微信扫一扫
关注该公众号
知道了
阅读 1.2万
喜欢此内容的人还喜欢
直播间的十个坑
短信怎么写不被拦？
"""
HELP = """<html><body><div id="J_nav"><a href=1>帮助中心</a> <a href=2>规则中心</a> <a href=3>商家学院</a></div>
<div class="crumbs">您的位置：首页 &gt; 帮助</div><div class="article-detail"><h1>专属客服怎么开通</h1>
<div class="article-info">更新时间：2024-05-06 阅读 2,301</div><p>进入千牛后台，找到“专属客服”，点“立即开通”。</p>
<p>会员中心和公众号里的入口要分开统计。</p><p><em>一条消息 0.01 元。</em></p></div>
<div class="rightSide"><h4>热门问题</h4><ul><li><a href=4>怎么退保证金</a></li><li><a href=5>怎么报名</a></li></ul></div>
<div class="page-footer">关于我们 联系我们 浙B2-20080224-1</div><div class="cookie-banner">We use cookies.</div></body></html>"""
NEWS = """首页 > 电商 > 双11
今年双11有哪些变化
2024-10-08 09:30:12 来源：某某财经 作者：王一 责任编辑：李二
平台把预售提前到十月十四日，尾款两天内付清。商家说，客服要提前两周招人。
今年的会员日改到每周三。
（更多大促日历，请关注“某某财经”公众号）
预售商品的定金比例由商家自己定。
责任编辑：李二
声明：本文仅代表作者观点，不代表本站立场。如有侵权，请联系删除。
相关新闻
快递涨价了吗
直播带货新规
上一篇：没有了
下一篇：预售怎么报名
京ICP备12345678号 京公网安备 11010502030143号
"""
BLOG = """Skip to content
Home > Blog > CRM
How to win back lapsed buyers
By Sam Poe | May 2, 2024 | 6 min read
Share
Facebook
Twitter
Win-back starts with a reason to return. Subscribers get the first hour.
Subscribe and save is a good offer. Follow us on Instagram for more tips.
Follow up on unpaid carts within 24 hours.
Related Posts
Ten tips for email
What is RFM?
© 2024 CRM Weekly. All rights reserved.
Privacy Policy | Terms
"""


@pytest.mark.parametrize(
    ("page", "name", "stays", "goes"),
    [
        (WECHAT, "a.txt",
         ["先分层", "九十天内的不用召回", "关注公众号的老客可以多领一张 5 元券", "引导客户关注公众号可以放在包裹卡上。",
          "会员中心入口要放到首页第一屏。"],
         ["蓝字", "浙江", "欢迎关注", "全部内容", "在看", "二维码", "标签不可点",
          "扫一扫", "该公众号", "知道了", "1.2万", "还喜欢", "十个坑", "不被拦"]),
        (HELP, "a.html",
         ["专属客服怎么开通", "点“立即开通”。", "会员中心和公众号里的入口要分开统计。", "一条消息 0.01 元。"],
         ["规则中心", "您的位置", "更新时间", "热门问题", "保证金", "关于我们", "浙B2", "cookies"]),
        (NEWS, "a.txt",
         ["今年双11有哪些变化", "尾款两天内付清。", "客服要提前两周招人。", "会员日改到每周三。", "定金比例由商家自己定。"],
         ["首页", "来源", "公众号", "责任编辑", "声明", "侵权", "相关新闻", "快递涨价", "上一篇", "下一篇", "ICP"]),
        (BLOG, "a.txt",
         ["How to win back lapsed buyers", "Subscribers get the first hour.", "Subscribe and save is a good offer.",
          "Follow up on unpaid carts within 24 hours."],
         ["Skip", "Home", "Sam Poe", "Facebook", "Instagram", "Related", "RFM", "©", "Privacy"]),
    ],
    ids=["wechat", "help page", "news", "english blog"],
)  # fmt: skip
def test_pages_of_other_layouts(tmp_path: Path, page: str, name: str, stays: list[str], goes: list[str]) -> None:
    said, dropped = read(tmp_path, page, name)
    assert [s for s in stays if s not in said] == []
    assert [g for g in goes if g in said] == []
    assert dropped > 2 or name == "a.html"


SHOP_NOTICE = """首页 > 公告 > 正文
登录 | 注册 | 购物车(2) | 我的订单
【广告】百亿补贴今晚开抢,点击立即抢购>>
手机扫码逛更省

关于春节发货的公告
发布时间:2025-01-10 09:30  阅读 812  点赞 7

亲爱的顾客:
春节期间默认发顺丰，广东次日达。
登录会员中心可以查物流，下载APP的顾客也能查。

上一篇:年货节规则
下一篇:开工通知
猜你喜欢:保温杯 ¥59 | 饭盒 ¥39
加微信 quan_888 领内部优惠券!!
下载某某APP,新人立减10元
Copyright © 2019-2025 某某家居 版权所有
"""


def test_a_notice_copied_from_a_shop_page_is_called_by_its_title_and_holds_its_lines_only(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(SHOP_NOTICE, encoding="utf-8")
    found = documents.read(file)
    assert [(p.path, p.text) for p in found.parts] == [
        ("关于春节发货的公告",
         "亲爱的顾客:\n春节期间默认发顺丰，广东次日达。\n登录会员中心可以查物流，下载APP的顾客也能查。"),
    ]  # fmt: skip


def test_entries_side_by_side_never_name_a_section(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(
        "女装 | 男装 | 童装\n春节期间默认发顺丰，广东次日达，西藏和新疆改发邮政，运费另加十八元。", encoding="utf-8"
    )
    assert [p.path for p in documents.read(file).parts if " | " in p.path] == []


def test_an_advert_within_a_paragraph_goes_and_the_quote_does_not_reach_over_it(tmp_path: Path) -> None:
    text = f"{COPIED}尾款日当天催两次。更多模板领取，关注“某某”公众号！晚八点的那次带上链接。\n{BODY}"
    file = tmp_path / "a.txt"
    file.write_text(text, encoding="utf-8")
    texts = [p.text for p in documents.read(file).parts]
    assert not any("公众号" in t or ("催两次" in t and "晚八点" in t) for t in texts)
    assert any("催两次" in t for t in texts)
    assert any("晚八点的那次带上链接。" in t for t in texts)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("運(yùn)營要看數(shù)據(jù)。", "運營要看數據。"),
        ("運（yùn）營", "運營"),
        ("預(ㄩˋ)售", "預售"),
        ("店名“汐”读汐(xī)，别念错。", "店名“汐”读汐(xī)，别念错。"),
        ("RV关系总数(start)、会员(vip)、下载(app)", "RV关系总数(start)、会员(vip)、下载(app)"),
        ("客(kè)服(fú)要(yào)快(kuài)。", "客服要快。"),
    ],
)
def test_only_readings_are_taken_out_of_a_quote(tmp_path: Path, text: str, plain: str) -> None:
    assert [b.text for b in noise.cleaned(of_text(text).blocks)[0]] == [plain]


def test_the_playbooks_that_come_with_the_product_lose_nothing() -> None:
    for path in sorted(Path("knowledge/playbooks").glob("*.md")):
        blocks = of_text(path.read_text(encoding="utf-8")).blocks
        kept, dropped = noise.cleaned(blocks)
        assert (len(kept), dropped) == (len(blocks), 0), path.name


def test_the_rules_are_quick_on_lines_made_to_be_slow() -> None:
    import time

    lines = [
        "关注" * 4000,
        "更多" * 4000 + "关注",
        "2024-01-01 " + " " * 8000,
        "a" * 8000,
        "> " * 4000,
        "加" * 8000,
        "< a" * 3000,
    ]
    began = time.perf_counter()
    noise.cleaned(of_text("\n".join(lines)).blocks)
    assert time.perf_counter() - began < 5
    assert all(re.compile(r.pattern) for r in RULES.values())
