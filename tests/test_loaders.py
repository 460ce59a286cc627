"""Documents in every format: what comes out is verbatim, in order, under a path that can be cited."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import docx
import openpyxl
import pytest

from knowledge import documents
from knowledge.cutting import WHOLE, Part, Table
from knowledge.documents import Read
from knowledge.loaders.blocks import Unreadable
from knowledge.noise import sentences, without_readings
from tests.pdfs import Rule, Text, pdf, table

TABLE = (("阶段", "日期", "动作"), ("蓄水", "10.1", "发小样"), ("蓄水", "10.8", "群发预告"))


def loaded(folder: Path, name: str, content: bytes | str) -> Read:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return documents.read(file)


def shown(found: Read) -> list[tuple[str, str]]:
    return [(p.path, p.text) for p in found.parts]


# --- text and Markdown -------------------------------------------------------------------------------------------


def test_chinese_chapter_numbers_and_short_lines_are_headings_of_plain_text(tmp_path: Path) -> None:
    text = """2024 双11 客服手册

一、售前
先问肤质，再推套装，不要一上来就发券。
（1）敏感肌
推无香的那一款，讲清楚成分。
（2）油皮
推清爽的那一款，讲清楚用法。
二、售后
准备期——排好班
大促前一周把班表发群里，晚八点以后双人在线。
要点如下：
1. 先道歉
2. 再登记
第三，复盘。
结束后一周内交复盘，写清楚哪天排队最长。
"""
    assert shown(loaded(tmp_path, "a.txt", text)) == [
        ("2024 双11 客服手册 › 一、售前", "先问肤质，再推套装，不要一上来就发券。"),
        ("2024 双11 客服手册 › 一、售前 › （1）敏感肌", "推无香的那一款，讲清楚成分。"),
        ("2024 双11 客服手册 › 一、售前 › （2）油皮", "推清爽的那一款，讲清楚用法。"),
        ("2024 双11 客服手册 › 二、售后 › 准备期——排好班",
         "大促前一周把班表发群里，晚八点以后双人在线。\n要点如下：\n1. 先道歉\n2. 再登记"),
        ("2024 双11 客服手册 › 二、售后 › 第三，复盘。", "结束后一周内交复盘，写清楚哪天排队最长。"),
    ]  # fmt: skip


def test_a_long_paragraph_is_cut_behind_sentences_into_pieces_of_much_the_same_length(tmp_path: Path) -> None:
    sentences = [f"第{n}天看加购人数，低于前一天就加一条短信，连续两天低于前一天就换素材。" for n in range(60)]
    found = loaded(tmp_path, "a.txt", "".join(sentences))
    assert "".join(p.text for p in found.parts) == "".join(sentences)
    lengths = [len(p.text) for p in found.parts]
    assert min(lengths) > 180
    assert max(lengths) <= WHOLE
    assert all(p.text.endswith("。") for p in found.parts)


def test_lines_of_a_hard_wrapped_text_are_one_paragraph(tmp_path: Path) -> None:
    body = "Win-back starts with a reason to return and a coupon alone is no reason for most people who left us last year. "
    words = (body * 3).split()
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 70:
            lines.append(line.strip())
            line = ""
        line += f"{word} "
    found = loaded(tmp_path, "a.txt", "\n".join([*lines, line.strip()]))
    assert len(found.parts) == 1
    assert found.parts[0].text.split() == words


def test_markdown_keeps_to_its_own_headings(tmp_path: Path) -> None:
    text = "# 手册\n一、这一行不是标题\n\n赠品\n----\n赠品不单独退。\n\n| 档 | 价 |\n|---|---|\n| A | 1 |\n|  | 2 |\n"
    found = loaded(tmp_path, "a.md", text)
    assert shown(found) == [
        ("手册", "一、这一行不是标题"),
        ("手册 › 赠品 › 赠品不单独退。", "赠品不单独退。"),
        ("手册 › 赠品 › 档 A › 价 1", "A | 1"),
        ("手册 › 赠品 › 档 A › 价 2", "2"),
    ]
    assert found.parts[2].context == "档 价"
    assert found.tables == (Table("手册 › 赠品", ("档", "价"), (("A", "1"), ("A", "2"))),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be"])
def test_encodings_of_simplified_text(tmp_path: Path, encoding: str) -> None:
    data = "活动开始前一天把库存核对清楚，别超卖。".encode(encoding)
    found = loaded(tmp_path, "a.txt", b"\xfe\xff" + data if encoding == "utf-16-be" else data)
    assert found.parts[0].text == "活动开始前一天把库存核对清楚，别超卖。"


@pytest.mark.parametrize("encoding", ["cp950", "gb18030"])
def test_traditional_text_is_told_from_simplified(tmp_path: Path, encoding: str) -> None:
    text = "預售期間，客服要在當天回覆，運費由店鋪負擔。"
    assert loaded(tmp_path, "a.txt", text.encode(encoding)).parts[0].text == text


# --- the seeds ---------------------------------------------------------------------------------------------------

# By hand: a piece of everything in the sources that is no part of their text.
AROUND = {
    "000": (
        "<", "智能科技網", "公眾號", "以上就是慧博", "領取哦", "【北京慧博科技", "全域消費者數字化運營服務商",
        "通過構建消費者數據管理平臺", "中國科技新聞網", "微博", "免責聲明", "不構成投資建議", "風險自擔", "推薦閱讀", "已加載",
        "點擊加載", "97sese",
    ),
    "001": (
        "掃一掃", "數字化報", "侵權", "不構成投資建議", "數據等信息來源于互聯網", "商務合作", "稿件投訴",
        "Copyright", "2013-2023",
    ),
    "002": (
        "電商百科", "發布在分類", "閱讀", "本文主題", "最有用的電商資訊", "記得關注", "msc496", "難題沒解決", "加我微信",
        "僅限淘寶賣家",
    ),
    "003": (
        "阅读(281)", "以上就是关于", "的相关介绍", "浏览页面上的推荐", "我们将让你对", "有更深的了解", "推荐阅读", "最新文章",
        "猜你喜欢", "张三",
    ),
    "004": ("立即使用", "浏览器收藏本篇", "---"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(AROUND))
def test_every_statement_of_the_sources_is_there_and_nothing_of_what_surrounds_it(
    seeds: Path, tmp_path: Path, name: str
) -> None:
    source = next(seeds.glob(f"{name}_*.txt"))
    text = without_readings(source.read_text(encoding="utf-8"))
    found = documents.read(Path(shutil.copy(source, tmp_path)))
    for part in found.parts:
        assert bare(part.text) in bare(text), "verbatim, readings aside"
        assert len(part.text) <= WHOLE
        assert not [a for a in AROUND[name] if a in part.text + part.path]
    said = bare("".join(p.path + p.text + p.context for p in found.parts))
    missing = [s for s in re.split(r"[。！？!?\n|]", text) if bare(s) not in said and re.search(r"[^\W\d_]", s)]
    assert [s for s in missing if not any(a in s for a in AROUND[name])] == []


def test_the_task_table_of_the_source_has_its_groups_filled_down(seeds: Path, tmp_path: Path) -> None:
    source = next(seeds.glob("004_*.txt"))
    tasks, metrics = documents.read(Path(shutil.copy(source, tmp_path))).tables
    lines = source.read_text(encoding="utf-8").partition("场景类型 |")[2].partition("四、")[0].splitlines()[2:]
    assert tasks.header == ("场景类型", "大促阶段", "策略", "策略描述", "策略效果")
    assert len(tasks.rows) == sum(bool(line.strip(" |")) for line in lines) > 50
    assert tasks.rows[1][:3] == ("大促优选", "蓄水期(5.20前)", "店铺老客吸引召回到店")
    assert ("专属客服", "5、狂欢日(6.16-6.20)", "关注是否有【榜单奖励】下行资格", "提前关注", "") in tasks.rows
    assert tasks.rows[-1][:2] == ("淘宝群", "正式售卖")
    assert metrics.header == ("指标项", "指标口径")


def bare(text: str) -> str:
    return "".join(text.split()).replace("›", "").replace("…", "")


def test_a_flattened_table_is_not_moved_where_cells_are_simply_empty(tmp_path: Path) -> None:
    text = "渠道 | 时间 | 备注 |\n---|---|---|\n短信 | 10:00 | 带退订 |\n专属客服 | 11:00 | |\n淘宝群 | 20:00 | |\n"
    rows = loaded(tmp_path, "a.txt", text).tables[0].rows
    assert [r[0] for r in rows] == ["短信", "专属客服", "淘宝群"]


# --- HTML --------------------------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>t</title><script>var a="脚本不进索引";</script>
<style>.x{color:red}</style></head><body>
<div class="top-nav"><a href="/">首页</a> <a href="/ec">电商</a> <a href="/live">直播</a></div>
<div class="main"><h1>双11蓄水怎么做</h1><p>2024-09-20 10:11 来源：电商早报 阅读 3211</p>
<p>蓄水期从<b>九月中旬</b>开始，<a href="x">老客</a>和会员要分开做。<!-- 注释 --></p><h2>会员</h2>
<ul><li>会员礼：小样</li><li>升级礼：积分翻倍</li></ul><p style="display: none">隐藏的一句</p>
<h2>排期</h2><table><tr><th>阶段</th><th>日期</th><th>动作</th></tr><tr><td rowspan="2">蓄水</td><td>10.1</td>
<td>发小样</td></tr><tr><td>10.8</td><td>群发预告</td></tr></table><p>预热期先看</p><p>加购。</p></div>
<div class="related"><h3>相关阅读</h3><ul><li><a href="1">直播间怎么留人</a></li></ul></div>
<div><p>关于我们 | 联系我们</p><p>Copyright © 2010-2024 电商早报 京ICP备12345678号</p></div></body></html>"""


def test_a_web_page_is_what_its_reader_sees(tmp_path: Path) -> None:
    found = loaded(tmp_path, "a.html", PAGE)
    assert shown(found) == [
        ("双11蓄水怎么做", "蓄水期从九月中旬开始，老客和会员要分开做。"),
        ("双11蓄水怎么做 › 会员", "会员礼：小样\n升级礼：积分翻倍"),
        ("双11蓄水怎么做 › 排期 › 阶段 蓄水 › 日期 10.1 · 发小样", "蓄水 | 10.1 | 发小样"),
        ("双11蓄水怎么做 › 排期 › 阶段 蓄水 › 日期 10.8 · 群发预告", "10.8 | 群发预告"),
        ("双11蓄水怎么做 › 排期 › 预热期先看", "预热期先看\n加购。"),
    ]
    assert found.tables == (Table("双11蓄水怎么做 › 排期", TABLE[0], TABLE[1:]),)
    assert found.dropped == 5, "the menu and the list of other articles are counted, too"


def test_a_page_is_read_as_it_declares_itself(tmp_path: Path) -> None:
    page = '<html><head><meta charset="gb2312"></head><body><p>晚八点前的订单当天发。</p></body></html>'
    assert loaded(tmp_path, "a.htm", page.encode("gbk")).parts[0].text == "晚八点前的订单当天发。"
    wrong = page.replace("gb2312", "utf-8").encode("gbk")
    assert loaded(tmp_path, "b.htm", wrong).parts[0].text == "晚八点前的订单当天发。"


def test_bold_lines_and_line_breaks_of_a_page_without_headings(tmp_path: Path) -> None:
    page = "<div><b>收费标准</b></div><div>一条消息 0.01 元。<br>会员日不打折。</div>"
    assert shown(loaded(tmp_path, "a.html", page)) == [("收费标准", "一条消息 0.01 元。\n会员日不打折。")]


# --- PDF ---------------------------------------------------------------------------------------------------------


def test_a_pdf_has_headings_paragraphs_tables_and_page_numbers(tmp_path: Path) -> None:
    head, first = (
        Text(60, 810, 9, "华漾内部资料"),
        "蓄水期从九月中旬开始，老客和会员分开做，入会礼放在商品页首屏，入会率能提高一截",
    )
    pages: list[list[Text | Rule]] = [
        [head, Text(60, 760, 20, "大促排期手册"), Text(60, 720, 11, first), Text(60, 704, 11, "，别等平台通知才动手。"),
         Text(60, 670, 15, "催付节奏"), Text(60, 640, 11, "首小时发短信。"), Text(290, 20, 9, "1")],
        [head, Text(60, 760, 15, "日历"), *table([*TABLE[:2], (None, "10.8", "群发预告")], 60, 740),
         Text(60, 600, 11, "周三是会员日。"), Text(290, 20, 9, "第 2 页")],
        [head, Text(60, 760, 11, "尾款别忘了提醒。"), Text(290, 20, 9, "3 / 3")],
    ]  # fmt: skip
    found = loaded(tmp_path, "a.pdf", pdf(pages))
    assert shown(found) == [
        ("大促排期手册 › p.1 › 蓄水期从九月中旬开始，老客和会员分开做，入会礼放…", f"{first}，别等平台通知才动手。"),
        ("大促排期手册 › 催付节奏 › p.1 › 首小时发短信。", "首小时发短信。"),
        ("大促排期手册 › 日历 › p.2 › 阶段 蓄水 › 日期 10.1 · 发小样", "蓄水 | 10.1 | 发小样"),
        ("大促排期手册 › 日历 › p.2 › 阶段 蓄水 › 日期 10.8 · 群发预告", "10.8 | 群发预告"),
        ("大促排期手册 › 日历 › p.2 › 周三是会员日。", "周三是会员日。\n尾款别忘了提醒。"),
    ]
    assert [p.page for p in found.parts] == [1, 1, 2, 2, 2]
    assert found.tables[0].rows == TABLE[1:]


def test_a_footer_that_says_its_page_is_no_text_of_a_short_pdf(tmp_path: Path) -> None:
    pages: list[list[Text | Rule]] = [
        [Text(60, 700, 11, "1. Payment"), Text(60, 670, 11, "Suppliers are paid after 45 days."),
         Text(60, 30, 9, "Supplier terms - page 1 of 2")],
        [Text(60, 700, 11, "Pallets are 1.6 metres high; see the drawing on page 2"),
         Text(60, 640, 9, "Supplier terms - page 2 of 2")],
    ]  # fmt: skip
    found = loaded(tmp_path, "a.pdf", pdf(pages))
    said = "\n".join(p.text for p in found.parts)
    assert "of 2" not in said
    assert "see the drawing on page 2" in said
    assert not [p.path for p in found.parts if p.path.split(" › ")[-1].startswith("p.")], (
        "a page's number names nothing"
    )


def test_a_list_number_is_no_sentence() -> None:
    assert sentences("1. Payment\nPaid after 45 days. Late ones cost 2.") == [
        "1. Payment\nPaid after 45 days.",
        " Late ones cost 2.",
    ]


def test_pages_that_are_pictures_are_counted(tmp_path: Path) -> None:
    found = loaded(tmp_path, "a.pdf", pdf([[Text(60, 700, 11, "只有这一页有字。")], [], []]))
    assert (len(found.parts), found.pictures) == (1, 2)
    with pytest.raises(Unreadable) as e:
        loaded(tmp_path, "b.pdf", pdf([[], []]))
    assert (e.value.code, e.value.details) == ("document_scanned", {"pages": 2})


def test_progress_tells_the_pages(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(pdf([[Text(60, 700, 11, "一页一句话。")]] * 3))
    told: list[tuple[int, int]] = []
    documents.read(file, lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3)]


# --- Word --------------------------------------------------------------------------------------------------------


def test_a_word_document_keeps_headings_lists_and_merged_cells(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("客服手册", 0)
    document.add_heading("退换", 1)
    document.add_paragraph("拆封的面膜不退。")
    document.add_paragraph("先安抚", style="List Bullet")
    document.add_paragraph("再登记", style="List Bullet")
    grid = document.add_table(3, 3)
    for cells, row in zip(grid.rows, (*TABLE[:2], ("", "10.8", "群发预告")), strict=True):
        for cell, text in zip(cells.cells, row, strict=True):
            cell.text = text
    grid.cell(1, 0).merge(grid.cell(2, 0))
    document.add_paragraph().add_run("赔付标准").bold = True
    hidden = document.add_paragraph("晚发一天赔五元。").add_run("隐藏的字")
    hidden.font.hidden = True
    document.save(str(tmp_path / "a.docx"))
    found = documents.read(tmp_path / "a.docx")
    assert shown(found) == [
        ("客服手册 › 退换 › 拆封的面膜不退。", "拆封的面膜不退。\n先安抚\n再登记"),
        ("客服手册 › 退换 › 阶段 蓄水 › 日期 10.1 · 发小样", "蓄水 | 10.1 | 发小样"),
        ("客服手册 › 退换 › 阶段 蓄水 › 日期 10.8 · 群发预告", "10.8 | 群发预告"),
        ("客服手册 › 退换 › 赔付标准", "晚发一天赔五元。"),
    ]
    assert found.tables[0].rows == TABLE[1:]


def test_text_in_controls_boxes_and_tracked_changes_is_read_as_it_stands_now(tmp_path: Path) -> None:
    from docx.oxml import parse_xml

    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    document = docx.Document()
    body = document.element.body
    body.insert(
        0,
        parse_xml(
            f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>控件里的一句。</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        ),
    )
    changed = "<w:ins><w:r><w:t>新写的</w:t></w:r></w:ins><w:del><w:r><w:delText>删掉的</w:delText></w:r></w:del>"
    body.insert(1, parse_xml(f"<w:p {space}>{changed}<w:r><w:t>一句。</w:t></w:r></w:p>"))
    box = "<w:txbxContent><w:p><w:r><w:t>框里的一句。</w:t></w:r></w:p></w:txbxContent>"
    other = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    both = f"<mc:AlternateContent {other}><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    body.insert(2, parse_xml(f"<w:p {space}><w:r>{both}</w:r></w:p>"))
    document.save(str(tmp_path / "a.docx"))
    assert [p.text for p in documents.read(tmp_path / "a.docx").parts] == ["控件里的一句。\n新写的一句。\n框里的一句。"]


# --- Excel -------------------------------------------------------------------------------------------------------


def test_a_workbook_has_a_section_a_sheet_and_a_passage_a_row(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "大促日历"
    sheet.append(["2024 大促日历"])
    sheet.append(["阶段", "开始", "动作", "占比"])
    sheet.append(["预售", dt.datetime(2024, 5, 24), "催定金", 0.35])
    sheet.append([None, dt.datetime(2024, 5, 24, 20), "开抢", None])
    sheet["D3"].number_format = "0%"
    sheet.merge_cells("A3:A4")
    people = book.create_sheet("联系人")
    people.append(["负责人", "小王"])
    people.append(["电话", "见通讯录"])
    hidden = book.create_sheet("草稿")
    hidden.append(["不该出现"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    found = documents.read(tmp_path / "a.xlsx")
    assert shown(found) == [
        ("大促日历 › 2024 大促日历", "2024 大促日历"),
        ("大促日历 › 阶段 预售 › 开始 2024-05-24 · 催定金", "预售 | 2024-05-24 | 催定金 | 35%"),
        ("大促日历 › 阶段 预售 › 开始 2024-05-24 20:00 · 开抢", "2024-05-24 20:00 | 开抢"),
        ("联系人 › 负责人", "负责人 | 小王"),
        ("联系人 › 电话", "电话 | 见通讯录"),
    ]
    assert found.parts[1].context == "阶段 开始 动作 占比"
    assert [p.shown for p in found.parts[1:4]] == [
        "阶段 预售 · 开始 2024-05-24 · 动作 催定金 · 占比 35%", "阶段 预售 · 开始 2024-05-24 20:00 · 动作 开抢", "",
    ]  # fmt: skip
    assert found.tables[0].rows[1] == ("预售", "2024-05-24 20:00", "开抢", "")


def test_what_was_read_is_kept_and_made_anew_when_the_file_or_the_rules_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.md"
    file.write_text("# 甲\n第一版。", encoding="utf-8")
    first = documents.stored(file)
    assert first.parts == (Part("甲", "第一版。"),)
    reads: list[Path] = []
    original = documents.read

    def counted(path: Path, progress: object = None) -> Read:
        reads.append(path)
        return original(path)

    monkeypatch.setattr(documents, "read", counted)
    assert documents.stored(file) == first
    file.touch()
    assert documents.stored(file) == first, "the same content is recognised by its digest"
    assert reads == []
    file.write_text("# 甲\n第二版。", encoding="utf-8")
    assert documents.stored(file).parts[0].text == "第二版。"
    documents.cache_of(file).write_text("{ half", encoding="utf-8")
    assert documents.stored(file).parts[0].text == "第二版。"
    monkeypatch.setattr(documents, "_version", lambda: "newer rules")
    documents.stored(file)
    assert len(reads) == 3
