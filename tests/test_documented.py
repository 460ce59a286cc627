"""What the shop's own documents treat is answered from them, also where a word of the question could mean the shop's figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.conversation import Question, answer
from bot.wiring import WarRoom
from tools import documents

HANDBOOK = """# 店铺手册
## 价格底线
铸铁锅任何渠道不得低于 269 元。
## 星级会员
林星会员生日当月送一块硅胶锅垫。
## 破损
收到货碎了，拍照给客服，当天补发。
"""


@pytest.fixture
def room(demo_root: Path, tmp_path: Path) -> WarRoom:
    """The demo shop's data with a document of its own."""
    import shutil

    root = tmp_path / "shop"
    shutil.copytree(demo_root, root)
    file = tmp_path / "店铺手册.md"
    file.write_text(HANDBOOK, encoding="utf-8")
    documents.add(root, file)
    return WarRoom(root)


@pytest.mark.parametrize(
    ("question", "said"),
    [("铸铁锅最低能卖多少钱", "269"), ("林星会员生日送什么", "硅胶锅垫"), ("收到货碎了怎么赔", "当天补发")],
)
def test_the_document_answers(room: WarRoom, question: str, said: str) -> None:
    with room:
        reply = answer(room, Question(question))
        assert reply.interpretation.intent == "knowledge"
        assert reply.citations[0].source == "店铺手册.md"
        assert said in reply.citations[0].quote
        assert said in reply.text


def test_what_is_understood_wholly_stays_a_question_to_the_data(room: WarRoom) -> None:
    with room:
        for question, intent in (("会员有多少人", "crowd"), ("今天成交多少钱", "metric"), ("谢谢", "smalltalk")):
            assert answer(room, Question(question)).interpretation.intent == intent, question


def test_how_to_change_an_address_is_no_request_for_customers_data(demo: WarRoom) -> None:
    assert "导出" not in answer(demo, Question("如何修改收货地址")).text
    assert "导出" in answer(demo, Question("把客户的收货地址发给我")).text
