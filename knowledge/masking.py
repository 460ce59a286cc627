"""Personal data in text that leaves this machine: taken out before, never after."""

from __future__ import annotations

import re

HIDDEN = "***"

# Digits may be full width (\d knows them); a separator may stand between the groups of a number.
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # mail
    r"|(?<!\d)(?:(?:\+|00)?86[- ]?)?[1１][3-9３-９]\d[-\s.]?\d{4}[-\s.]?\d{4}(?!\d)"  # mobile phone
    r"|(?<!\d)[0０]\d{2,3}[- ]?\d{7,8}(?!\d)"  # fixed line with its area code
    r"|(?<!\d)\d{6}[- ]?(?:18|19|20)\d{2}[- ]?\d{6,7}[xX]?(?!\w)"  # identity card
    r"|(?<!\d)\d{4}(?:[- ]?\d{4}){3}(?:[- ]?\d{1,3})?(?!\d)"  # bank card
)


def masked(text: str) -> str:
    """`text` with phone numbers, mail addresses, identity and bank cards as ***. Dates, amounts and short numbers stay."""
    return _PERSONAL.sub(HIDDEN, text)
