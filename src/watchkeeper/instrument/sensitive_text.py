"""How personal data look in a text: mail addresses, phones, cards, national ids, streets.

Sources: ISO/IEC 7812 (card prefixes and the Luhn check digit), ISO 13616 (IBAN), the formats of
US social security, UK national insurance and Italian fiscal numbers, E.164 for phones.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Mark = Callable[[str], str]

_EMAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_DIGITS = re.compile(r"\d[\d ().\-/]{5,40}\d")
_CARD = re.compile(r"(?<![\w.+-])[2-6]\d(?:[ -]?\d){11,17}(?![\w-]|\.\d)")
_CARD_PREFIX = re.compile(r"4|5[1-5]|2[2-7]|3[4-9]|6(?:011|4[4-9]|5)")
_US_SOCIAL_SECURITY = re.compile(
    r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"
)
_PHONE = re.compile(
    r"""(?x)
    (?<![\w.+/-])
    (?: (?:\+|(?<!:)00)[1-9][0-9]{0,2}[ .\-/]*(?:\(0?\d{1,4}\)[ .\-/]*)?\d(?:[ .\-/]?\d){5,12}
      | (?<!:)(?:1[ .-])?\(\d{3}\)[ .-]?\d{3}[ .-]\d{4}
      | (?<!:)(?:1[ .-])?[2-9]\d{2}[ .-]\d{3}[ .-]\d{4}
      | (?<!:)0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5} )
    (?![\w-]|\.\d)
    """
)
_UK_INSURANCE = re.compile(
    r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_NAMED_ID = re.compile(
    r"""(?xi)
    (?P<name> \b(?:ssn|social\ security|passport|nino|national\ id|tax\ id|dni|nif|bsn|pesel|cpf
        |aadhaar|steuer-id)\b
      (?:\ (?:number|no\.?))? [\s:=\#]{1,3} )
    (?=[a-z-]{0,15}\d) [a-z0-9][a-z0-9.-]{4,15}[a-z0-9] \b
    """
)
_ID_WORDS = (
    "ssn", "social security", "passport", "nino", "national id", "tax id", "dni", "nif", "bsn",
    "pesel", "cpf", "aadhaar", "steuer-id",
)  # fmt: skip
_ITALIAN_FISCAL = re.compile(r"\b[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b")
_STREET_WORDS = (
    "street", " st", "avenue", " ave", "road", " rd", "boulevard", "blvd", "lane", " ln",
    "drive", " dr", "court", "place", " way", "square", "terrace", "parkway", "straße", "strasse",
    "str.", "weg", "platz", "allee", "gasse", "rue", "calle", "avenida", "box ",
)  # fmt: skip
_STREET = re.compile(
    r"""(?x)
      \b\d{1,5}[a-zA-Z]?\ (?:[NSEW]\.?\ )?(?:[A-Z][\w'.-]{0,60}\ ){1,3}
      (?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Way
        |Square|Terrace|Parkway)\b\.?
    | \b[A-ZÄÖÜ][a-zäöüß-]{0,60}(?:straße|strasse|str\.|weg|platz|allee|gasse)\ \d{1,4}[a-z]?\b
    | \b[A-ZÄÖÜ][\w-]{0,60}[ -](?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse)\ \d{1,4}[a-z]?\b
    | \b\d{1,4},?\ (?:rue|avenue|boulevard|place)\ (?:(?:de|du|des|la|le|les)\ ){0,2}[A-ZÀ-Ý][\w'-]*
    | \b(?:Calle|Avenida|Rua)\ (?:(?:de|del|la|las|los)\ ){0,2}[A-ZÀ-Ý][\w'-]*,?\ \d{1,4}\b
    | \bP\.?\ ?O\.?\ Box\ \d{1,6}\b
    """
)


def find_personal(text: str, lowered: str, mark: Mark) -> str:
    """Return `text` with personal data replaced by what `mark(kind)` gives.

    `lowered` is the text in lower case, by which most patterns are ruled out at once.
    """
    if "@" in text:
        text = _EMAIL.sub(lambda _: mark("email"), text)
    if any(map(lowered.__contains__, _ID_WORDS)):
        text = _NAMED_ID.sub(lambda found: f"{found['name']}{mark('national_id')}", text)
    if _DIGITS.search(text):
        text = _CARD.sub(lambda found: _card(found[0], mark), text)
        text = _IBAN.sub(lambda found: _iban(found[0], mark), text)
        text = _US_SOCIAL_SECURITY.sub(lambda _: mark("national_id"), text)
        text = _PHONE.sub(lambda found: _phone(found[0], mark), text)
    if text != text.lower():
        text = _find_capitalised(text, lowered, mark)
    return text


def _find_capitalised(text: str, lowered: str, mark: Mark) -> str:
    if any(character.isdigit() for character in text):
        text = _UK_INSURANCE.sub(lambda _: mark("national_id"), text)
        text = _ITALIAN_FISCAL.sub(lambda _: mark("national_id"), text)
        if any(map(lowered.__contains__, _STREET_WORDS)):
            text = _STREET.sub(lambda _: mark("address"), text)
    return text


def _card(text: str, mark: Mark) -> str:
    digits = "".join(filter(str.isdigit, text))
    return mark("card") if _CARD_PREFIX.match(digits) and _luhn(digits) else text


def _luhn(digits: str) -> bool:
    total = 0
    for position, character in enumerate(reversed(digits)):
        digit = int(character) * (1 + position % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def _iban(text: str, mark: Mark) -> str:
    compact = text.replace(" ", "")
    rearranged = compact[4:] + compact[:4]
    number = int("".join(str(int(character, 36)) for character in rearranged))
    return mark("card") if 15 <= len(compact) <= 34 and number % 97 == 1 else text


def _phone(text: str, mark: Mark) -> str:
    digits = sum(map(str.isdigit, text))
    return mark("phone") if 7 <= digits <= 16 else text
