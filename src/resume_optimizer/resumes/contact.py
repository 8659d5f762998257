"""The lines above a resume's first heading: who it is and how to reach them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from resume_optimizer.resumes.document import Contact
from resume_optimizer.resumes.lines import LONG_LINE

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"(?<![\w/])\+?\(?\d[\d\s().-]{6,18}\d(?!\w)")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\b(?:github|gitlab|linkedin)\.com/\S+", re.IGNORECASE)
_FIELD_BREAK = re.compile(r"\s+[|•·]\s+|\t+|\s{3,}")
_CONTACT_LABEL = re.compile(
    r"^(?:full name|name|address|location|city|phone|mobile|tel|e-?mail|web(?:site)?)\s*:\s*",
    re.IGNORECASE,
)
_LABELS = frozenset(
    {"email", "e-mail", "phone", "tel", "mobile", "address", "web", "website", "resume", "cv",
     "curriculum vitae", "contact", "linkedin", "github"}
)  # fmt: skip


def contact_of(lines: Sequence[str]) -> tuple[Contact, list[str]]:
    """Read the lines above the first heading; long ones are a summary without a heading."""
    found: dict[str, str] = {}
    links: list[str] = []
    plain: list[str] = []
    prose: list[str] = []
    for line in lines:
        rest = line
        for name, pattern in (("email", _EMAIL), ("link", _LINK), ("phone", _PHONE)):
            for match in pattern.findall(rest):
                if name == "link":
                    links.append(match.rstrip(".,;)"))
                else:
                    found.setdefault(name, match.strip())
                rest = rest.replace(match, " | ")
        for field in _FIELD_BREAK.split(f" {rest} "):
            tidy = _CONTACT_LABEL.sub("", field.strip(" ,:;|·•\t"))
            if len(tidy) > LONG_LINE or (prose and tidy):
                prose.append(tidy)
            elif any(map(str.isalnum, tidy)) and tidy.rstrip(":").casefold() not in _LABELS:
                plain.append(tidy)
    name, headline, location = _name_headline_location(plain)
    contact = Contact(
        name=name,
        headline=headline,
        email=found.get("email", ""),
        phone=found.get("phone", ""),
        location=location,
        links=tuple(dict.fromkeys(links)),
    )
    return contact, prose


def _name_headline_location(plain: Sequence[str]) -> tuple[str, str, str]:
    name = plain[0] if plain else ""
    places = [field for field in plain[1:] if "," in field]
    location = places[-1] if places else (plain[2] if len(plain) > 2 else "")
    headline = " | ".join(field for field in plain[1:] if field != location)
    return name, headline, location
