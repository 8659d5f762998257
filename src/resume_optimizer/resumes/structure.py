"""Resume text to sections, by headings and by the shape of lines; never fails, whatever comes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from resume_optimizer.resumes.document import Contact, Position, Section, StructuredResume

HEADINGS = {
    "summary": (
        "summary", "professional summary", "executive summary", "profile", "about", "about me",
        "objective", "career objective", "personal statement", "professional profile",
    ),
    "experience": (
        "experience", "work experience", "professional experience", "employment",
        "employment history", "work history", "career history", "relevant experience",
    ),
    "skills": (
        "skills", "technical skills", "key skills", "core skills", "core competencies",
        "competencies", "technologies", "areas of expertise", "expertise", "skills and tools",
        "tools and technologies", "technical expertise",
    ),
    "education": (
        "education", "education and training", "academic background", "qualifications",
    ),
    "other": (
        "certifications", "certificates", "languages", "projects", "personal projects",
        "publications", "awards", "honours", "honors", "interests", "volunteering",
        "volunteer experience", "references", "patents", "open source", "talks", "courses",
        "training", "memberships", "hobbies", "additional information",
    ),
}  # fmt: skip
"""Headings as resumes write them, by the part they begin."""

_KIND_OF = {heading: kind for kind, headings in HEADINGS.items() for heading in headings}
_BULLET = re.compile(r"^\s*(?:[-*•‣▪●◦\u2013\u2014·►▸○■□➢✓]|--|\uf0b7|o(?=\s{2,}))\s+")
_BARE_BULLET = re.compile(r"^\s*(?:--|[-*•‣▪●◦\u2013\u2014·►▸○■□➢✓\uf0b7])\s*$")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
_MOMENT = rf"(?:(?:{_MONTH}\s+|\d{{1,2}}[/.]\s?)?(?:19|20)\d{{2}})"
_PERIOD = re.compile(
    rf"\(?\b{_MOMENT}\s*(?:-|\u2013|\u2014|to|until)\s*(?:{_MOMENT}|present|now|today|current|ongoing)\)?"
    rf"|\(?\bsince\s+{_MOMENT}\)?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w/])\+?\(?\d[\d\s().-]{6,18}\d(?!\w)")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\b(?:github|gitlab|linkedin)\.com/\S+", re.IGNORECASE)
_FIELD_BREAK = re.compile(r"\s+[|•·]\s+|\t+|\s{3,}")
_TITLE_BREAK = re.compile(r"\s+[|•·\u2014\u2013]\s+|\s+at\s+|\s+@\s+|\t+|\s{3,}|,\s+")
_SKILL_BREAK = re.compile(r"[,;|•·\t]|\s{3,}")
_LONG_FIELD = 40  # a longer line under title, employer and place is what was done there
_LONG_LINE = 60  # a line this long was probably wrapped by the page, not ended by its author


def structure(text: str) -> StructuredResume:
    """Read a resume. What no rule understands is kept in `other`; nothing is thrown away."""
    head, parts = _split(text)
    summary, skills, experience, education = [], [], [], []
    other: list[Section] = []
    for kind, heading, lines in parts:
        if kind == "summary":
            summary += lines
        elif kind == "skills":
            skills += lines
        elif kind == "experience":
            experience += lines
        elif kind == "education":
            education += lines
        elif any(line.strip() for line in lines):
            other.append(Section(heading, tuple(_joined(lines))))
    contact, rest = _contact(head)
    return StructuredResume(
        contact=contact,
        summary=" ".join(" ".join([*rest, *summary]).split()),
        skills=_skills(skills),
        experience=tuple(_positions(experience)),
        education=tuple(_joined(education)),
        other=tuple(other),
    )


def _split(text: str) -> tuple[list[str], list[tuple[str, str, list[str]]]]:
    head: list[str] = []
    parts: list[tuple[str, str, list[str]]] = []
    current = head
    for line in _tidy(text):
        heading, inline = _heading(line)
        kind = _KIND_OF.get(heading.casefold().replace("&", "and"))
        if kind is None or (inline and kind == "other"):
            current.append(line)
            continue
        current = [inline] if inline else []
        parts.append((kind, heading, current))
    return head, parts


def _tidy(text: str) -> list[str]:
    """Lines with odd spaces made plain, and a bullet mark on its own line joined to its text."""
    plain = text.replace("\u00a0", " ").replace("\u200b", "").replace("\x00", "")
    lines: list[str] = []
    for line in plain.splitlines():
        if lines and _BARE_BULLET.match(lines[-1]) and line.strip():
            lines[-1] = f"- {line.strip()}"
        else:
            lines.append(line.rstrip())
    return lines


def _heading(line: str) -> tuple[str, str]:
    """Return a line's possible heading and what follows it on the same line ("Skills: Go, C")."""
    bare = line.strip().strip("#*=_-\u2014\u2013•").strip()
    before, colon, after = bare.partition(":")
    return (before.strip(), after.strip()) if colon else (bare, "")


def _contact(lines: Sequence[str]) -> tuple[Contact, list[str]]:
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
            tidy = field.strip(" ,;|·•\t")
            if len(tidy) > _LONG_LINE or (prose and tidy):
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


_LABELS = frozenset(
    {"email", "e-mail", "phone", "tel", "mobile", "address", "web", "website", "resume", "cv",
     "curriculum vitae", "contact", "linkedin", "github"}
)  # fmt: skip


def _name_headline_location(plain: Sequence[str]) -> tuple[str, str, str]:
    name = plain[0] if plain else ""
    places = [field for field in plain[1:] if "," in field]
    location = places[-1] if places else (plain[2] if len(plain) > 2 else "")
    headline = " | ".join(field for field in plain[1:] if field != location)
    return name, headline, location


def _skills(lines: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for line in lines:
        bare = _BULLET.sub("", line).strip()
        label, colon, listed = bare.partition(":")
        if colon and listed.strip() and len(label.split()) <= 4:
            bare = listed
        for skill in _SKILL_BREAK.split(bare):
            tidy = skill.strip(" .\t")
            if tidy:
                found.setdefault(tidy.casefold(), tidy)
    return tuple(found.values())


def _positions(lines: Sequence[str]) -> list[Position]:
    positions: list[Position] = []
    head: list[str] = []
    bullets: list[str] = []
    wrapped = False
    for line in lines:
        tidy = line.strip()
        if not tidy:
            wrapped = False
        elif _BULLET.match(line):
            bullets.append(_BULLET.sub("", line).strip())
            wrapped = True
        elif bullets and wrapped and _continues(bullets[-1], tidy):
            bullets[-1] = f"{bullets[-1]} {tidy}"
        else:
            if bullets or _begins_another(head, tidy):
                positions.append(_position(head, bullets))
                head, bullets = [], []
            head.append(tidy)
            wrapped = False
    if head or bullets:
        positions.append(_position(head, bullets))
    return positions


def _continues(previous: str, line: str) -> bool:
    """Whether a line without a mark goes on with the bullet above it."""
    if _PERIOD.search(line):
        return False
    return line[:1].islower() or (
        len(previous) >= _LONG_LINE and not previous.endswith((".", "!", "?"))
    )


def _begins_another(head: Sequence[str], line: str) -> bool:
    return bool(_PERIOD.search(line)) and any(_PERIOD.search(earlier) for earlier in head)


def _position(head: Sequence[str], bullets: Sequence[str]) -> Position:
    period = ""
    fields: list[str] = []
    prose: list[str] = []
    for line in head:
        match = _PERIOD.search(line)
        if match and not period:
            period = match.group().strip("()")
            line = f"{line[: match.start()]}   {line[match.end() :]}"
        if len(fields) >= 2 and len(line) > _LONG_FIELD:
            prose.append(line)
            continue
        fields += [field.strip(" ,;|\u2013\u2014-()") for field in _TITLE_BREAK.split(f"{line}   ")]
    fields = [field for field in fields if field]
    title, employer, *place = [*fields, "", ""][: max(2, len(fields))]
    return Position(title, employer, ", ".join(place), period, (*prose, *bullets))


def _joined(lines: Sequence[str]) -> list[str]:
    """The lines without marks and blanks, wrapped ones put together again."""
    joined: list[str] = []
    for line in lines:
        tidy = _BULLET.sub("", line).strip()
        if not tidy:
            continue
        if joined and tidy[:1].islower() and not _BULLET.match(line):
            joined[-1] = f"{joined[-1]} {tidy}"
        else:
            joined.append(tidy)
    return joined
