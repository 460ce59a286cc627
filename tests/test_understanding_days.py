"""The period grammar: ordinary days, campaign time, ranges, open ends, festivals; what is none of these. Today is 17 June."""

from __future__ import annotations

import pytest

from bot.understanding.dates import PART_OF_DAY, find_period
from bot.understanding.lexicon import Lexicon, fold, lexicon_for
from tests.test_understanding import CAMPAIGNS, NOW, VALUES, understand

# text | first day | last day, of this year unless written
PERIODS = """
昨天 | 06-16 | 06-16
周一那天卖了多少 | 06-15 | 06-15
上周三 | 06-10 | 06-10
上礼拜三 | 06-10 | 06-10
礼拜三 | 06-17 | 06-17
预售头三天 | 05-24 | 05-26
开门红头一天 | 06-01 | 06-01
最后一天 | 06-20 | 06-20
20号最后一天 | 06-20 | 06-20
开门红最后一天 | 06-03 | 06-03
大促头一天 | 06-16 | 06-16
开门红那三天 | 06-01 | 06-03
今年开门红三天 | 06-01 | 06-03
第一波 | 05-24 | 06-03
上一波 | 05-24 | 06-03
预售期 | 05-24 | 05-28
截至目前卖了多少 | 05-01 | 06-17
截至昨天 | 05-01 | 06-16
截止到昨天为止 | 05-01 | 06-16
前半个月 | 06-01 | 06-15
上半月 | 06-01 | 06-15
近半个月 | 06-03 | 06-17
最近半个月 | 06-03 | 06-17
昨晚8点后 | 06-16 | 06-16
6月1号、2号 | 06-01 | 06-02
6月1、2、3号 | 06-01 | 06-03
14、15、16号 | 06-14 | 06-16
1-3号 | 06-01 | 06-03
6.1-3 | 06-01 | 06-03
从6月1号算到昨天 | 06-01 | 06-16
周一到昨天 | 06-15 | 06-16
周一到周三 | 06-15 | 06-17
上周一到周三 | 06-08 | 06-10
上周五到这周一 | 06-12 | 06-15
开门红到现在 | 06-01 | 06-17
开卖到现在 | 06-16 | 06-17
开卖以来 | 06-16 | 06-17
5月24号预售头一天 | 05-24 | 05-24
狂欢日16号那天 | 06-16 | 06-16
端午 | 06-19 | 06-19
国庆 | 10-01 | 10-07
520那天 | 05-20 | 05-20
五一期间 | 05-01 | 05-05
六一 | 06-01 | 06-01
去年6月16号 | 2025-06-16 | 2025-06-16
去年开门红 | 2025-06-01 | 2025-06-03
去年端午 | 2025-06-19 | 2025-06-19
this past monday | 06-15 | 06-15
since Monday | 06-15 | 06-17
from June 1st to the 3rd | 06-01 | 06-03
between June 1 and June 3 | 06-01 | 06-03
1 June | 06-01 | 06-01
16th of June | 06-16 | 06-16
June the 16th | 06-16 | 06-16
first three days of June | 06-01 | 06-03
first two days of presale | 05-24 | 05-25
day 2 of the main sale | 06-17 | 06-17
the last day of presale | 05-28 | 05-28
month to date | 06-01 | 06-17
last month | 05-01 | 05-31
three days ago | 06-14 | 06-14
3天前 | 06-14 | 06-14
两周前 | 06-03 | 06-03
近两周 | 06-04 | 06-17
past three days | 06-15 | 06-17
the last couple of days | 06-16 | 06-17
上个周末 | 06-13 | 06-14
这周末 | 06-13 | 06-14
周末两天 | 06-13 | 06-14
周六周日 | 06-13 | 06-14
上周六日 | 06-13 | 06-14
二季度 | 04-01 | 06-17
上半年 | 01-01 | 06-17
今年以来 | 01-01 | 06-17
月初 | 06-01 | 06-10
上个月底 | 05-21 | 05-31
5月下旬 | 05-21 | 05-31
6月第一周 | 06-01 | 06-07
early June | 06-01 | 06-10
end of May | 05-21 | 05-31
28号到3号 | 05-28 | 06-03
15号到20号 | 06-15 | 06-20
6.16之前 | 05-01 | 06-15
6月16号之后 | 06-16 | 06-17
预售之后 | 05-29 | 06-17
昨天到现在 | 06-16 | 06-17
今天到现在 | 06-17 | 06-17
今天截至目前 | 06-17 | 06-17
so far today | 06-17 | 06-17
this week so far | 06-15 | 06-17
so far this campaign | 05-01 | 06-17
since wave 2 started | 06-04 | 06-17
上个会员日 | 06-16 | 06-16
开门红前一天 | 05-31 | 05-31
0616 | 06-16 | 06-16
20260616 | 06-16 | 06-16
last night | 06-16 | 06-16
上周同一天 | 06-10 | 06-10
明天 | 06-18 | 06-18
未来三天 | 06-18 | 06-20
next 3 days | 06-18 | 06-20
大促期间 | 05-01 | 06-17
大促开始到昨天 | 05-01 | 06-16
前天和昨天 | 06-15 | 06-16
第二波预热 | 06-04 | 06-15
预热期 | 06-04 | 06-15
尾款期 | 06-01 | 06-03
June 1-3 | 06-01 | 06-03
1-3 June | 06-01 | 06-03
on Mon | 06-15 | 06-15
昨日 | 06-16 | 06-16
昨儿个 | 06-16 | 06-16
这礼拜 | 06-15 | 06-17
上礼拜 | 06-08 | 06-14
上个礼拜 | 06-08 | 06-14
本周至今 | 06-15 | 06-17
wave 1 | 05-24 | 06-03
wave one | 05-24 | 06-03
the first wave | 05-24 | 06-03
首波 | 05-24 | 06-03
6月1号开始到6月3号 | 06-01 | 06-03
自6.1至今 | 06-01 | 06-17
头三天 | 06-16 | 06-17
first 2 days | 06-16 | 06-17
正日子 | 06-18 | 06-18
6月1日零点到3日24点 | 06-01 | 06-03
昨天晚上到今天早上 | 06-16 | 06-17
十五十六号 | 06-15 | 06-16
Mon-Wed | 06-15 | 06-17
between the 10th and the 12th | 06-10 | 06-12
前几天 | 06-14 | 06-16
Q2 | 04-01 | 06-17
上个月底到6月3号 | 05-21 | 06-03
late May | 05-21 | 05-31
the week before last | 06-01 | 06-07
周三以来 | 06-17 | 06-17
打6月10号起 | 06-10 | 06-17
up to yesterday | 05-01 | 06-16
before June 3 | 05-01 | 06-02
大后天 | 06-20 | 06-20
six days ago | 06-11 | 06-11
past two weeks | 06-04 | 06-17
中秋 | 09-25 | 09-25
opening sale | 06-01 | 06-03
品类日那两天 | 06-14 | 06-15
再上一周 | 06-01 | 06-07
ystd | 06-16 | 06-16
上个大促 | 2025-09-01 | 2025-11-30
since launch | 06-16 | 06-17
7 days ago | 06-10 | 06-10
"""
NONE = """
6月31号
2.30
你好
会员
第三波
may we
18.5%
满300减50
减20元
打9.5折
预售商品
预售订单支付金额
预售人群
尾款没付的
大促高潜人群
付定金的人
520元的券
前10个商品
top 10
2两
market 3
decent 5 percent
c01
sun cream
8点到10点
10点前
这两小时
最近一小时
近24小时
单号线
第3个
两版
五一二
3.5星
第二个
客服一对一
1对1
买一送一
二选一
一天一天列出来
每天
3号线
满199减30
reply 1-2 days
一周岁
"""


def _lines(table: str) -> list[str]:
    return table.strip().splitlines()


@pytest.mark.parametrize("line", _lines(PERIODS))
def test_days_that_are_named(line: str) -> None:
    text, first, last = line.split(" | ")
    found = find_period(fold(text), NOW, CAMPAIGNS)
    assert found is not None
    assert [str(found.first), str(found.last)] == [d if len(d) == 10 else f"2026-{d}" for d in (first, last)]


@pytest.mark.parametrize("text", _lines(NONE))
def test_what_names_no_days(text: str) -> None:
    assert find_period(fold(text), NOW, CAMPAIGNS) is None


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("昨天晚上八点以后新增会员", "晚上八点以后"),
        ("昨晚的会员招募数", "昨晚"),
        ("上周晚上八点以后的成交金额", "晚上八点以后"),
        ("这两小时的成交金额", "这两小时"),
        ("new members yesterday before 3pm", "before 3pm"),
        ("6月10号、6月13号和6月15号的成交金额", "6月15号"),
        ("预售和开门红的成交金额", "开门红"),
    ],
)
def test_hours_and_days_apart_are_told_as_not_used(lexicon: Lexicon, text: str, told: str) -> None:
    assert told in understand(lexicon, text).interpretation.unused


@pytest.mark.parametrize("text", ["点击率", "时段分布", "早上好", "小时趋势", "点赞"])
def test_what_is_no_part_of_a_day(text: str) -> None:
    assert PART_OF_DAY.search(text) is None
