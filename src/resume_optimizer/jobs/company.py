"""What kind of company hires, told from its posting by the words such companies use."""

from __future__ import annotations

import re

UNKNOWN = "unknown"

SIGNS = {
    "public": (
        r"government",
        r"public (sector|service|authority)",
        r"ministry",
        r"municipal(ity)?",
        r"(city|county|state) of \w+",
        r"federal",
        r"university",
        r"civil serv(ice|ant)",
    ),
    "agency": (
        r"our client",
        r"on behalf of",
        r"(staffing|recruit(ing|ment)|talent|creative) agency",
        r"consultanc(y|ies)",
        r"placement",
    ),
    "startup": (
        r"start-?up",
        r"seed( stage|-funded| round)?",
        r"series [a-d]",
        r"early[- ]stage",
        r"founding (engineer|team|member)",
        r"venture[- ](backed|funded)",
        r"(equity|stock options)",
    ),
    "enterprise": (
        r"fortune \d+",
        r"enterprise",
        r"multinational",
        r"global leader",
        r"(nasdaq|nyse|publicly traded)",
        r"\d{1,3}[,.]?\d{3}\+? employees",
        r"worldwide",
    ),
}
"""Signs by type of company; at a tie the type that is named first wins."""

PATTERNS = {
    company_type: tuple(re.compile(rf"\b(?:{sign})(?!\w)", re.IGNORECASE) for sign in signs)
    for company_type, signs in SIGNS.items()
}


def company_type(posting_text: str) -> str:
    """Return startup, enterprise, agency, public or unknown: always the same for one text."""
    found = {
        kind: sum(1 for pattern in patterns if pattern.search(posting_text))
        for kind, patterns in PATTERNS.items()
    }
    best = max(found, key=lambda kind: found[kind])
    return best if found[best] else UNKNOWN
