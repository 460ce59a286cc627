"""Personal data in text that leaves this machine: taken out before, never after."""

from __future__ import annotations

import re

HIDDEN = "***"

# Digits may be full width (\d knows them) or Chinese; separators may stand between the groups of a number.
_D = r"[\d〇零○一二三四五六七八九幺]"
_NEXT = r"[-\s.·)）]{0,2}"  # between groups
_ONE, _MOBILE = "[1１一幺]", "[3-9３-９三四五六七八九]"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_MAIL = re.compile(r"[A-Za-z0-9_.+-]+(?:[@＠]|\s?[(\[]at[)\]]\s?)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_NUMBER = re.compile(
    rf"(?=[+(（]|{_D})(?:"
    rf"(?<!{_D})(?:(?:\+|00)?86[- ]?)?[(（]?{_ONE}{_MOBILE}{_D}{_NEXT}{_D}{{4}}{_NEXT}{_D}{{4}}(?!{_D})"  # mobile phone 3-4-4
    rf"|(?<!{_D})(?:(?:\+|00)?86[- ]?)?{_ONE}{_MOBILE}{_D}{{3}}[- ]{_D}{{3}}[- ]?{_D}{{3}}(?!{_D})"  # 5-3-3, 5-6
    rf"|(?<!{_D}){_ONE}([-\s.·]){_MOBILE}(?:\1{_D}){{9}}(?!{_D})"  # digit by digit
    r"|(?<!\d)[(（]?[0０]\d{2,3}[)）]?[- ]?\d{4}[- ]?\d{3,4}(?!\d)"  # fixed line with its area code
    r"|(?<!\d)\d{6}[- ]?(?:18|19|20)\d{2}[- ]?\d{6,7}[xX]?(?!\w)"  # identity card
    r"|(?<!\d)\d{4}(?:[- ]?\d{4}){3}(?:[- ]?\d{1,3})?(?!\d))"  # bank card
)
_NAMED = re.compile(
    rf"(?=[uo用客会qmwv微收联真{_SURNAMES}])(?:"
    r"(?<![A-Za-z0-9_])(?:user_?\s?id|uid|openid|用户\s?id|用户编号|客户编号|客户号|会员号|会员卡号)\s*[:：=#是为]{0,2}\s*(?=[\w-]*\d)[A-Za-z0-9_-]{3,}"
    r"|(?<![A-Za-z0-9_])u\d{4,}(?![A-Za-z0-9_])"  # a customer's id as the demo shop has them
    r"|(?<![A-Za-z])(?:QQ|微信号?|wechat|vx)\s?(?:id|号)?\s?[:：]?\s?(?=[\w-]*\d)[A-Za-z0-9_-]{5,}"
    rf"|(?:收货人|收件人|联系人|客户姓名|真实姓名)\s?[:：是为]\s?[\u4e00-\u9fff]{{2,4}}"
    rf"|(?<![\u4e00-\u9fff])[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?:女士|先生|小姐))",
    re.IGNORECASE,
)


def _patterns(text: str) -> list[re.Pattern[str]]:
    return [_MAIL, _NUMBER, _NAMED] if any(sign in text for sign in ("@", "＠", "at)", "at]")) else [_NUMBER, _NAMED]


def personal(text: str) -> list[tuple[int, int]]:
    """Where phone numbers, mail addresses, identity and bank cards, ids of customers and names with a title stand in `text`."""
    return sorted(m.span() for pattern in _patterns(text) for m in pattern.finditer(text))


def masked(text: str) -> str:
    """`text` with these as ***. Dates, amounts and short numbers stay."""
    for pattern in _patterns(text):
        text = pattern.sub(HIDDEN, text)
    return text
