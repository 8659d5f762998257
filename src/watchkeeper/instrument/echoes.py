"""What error messages of databases and parsers quote of the values they were given.

A row that a constraint refused is quoted whole: a document must not leave by that way.
Sources: PostgreSQL's and asyncpg's message texts, pydantic's, the standard library's.
"""

from __future__ import annotations

import re
from collections.abc import Callable

ECHO_HINTS = (
    "failing row contains",
    "key (",
    "input_value=",
    "invalid input",
    "invalid literal",
    "could not convert string",
)
"""Lower-case text without any of these echoes nothing that find_echoes would find."""

_ECHOES = re.compile(
    r"""(?xs)
      (?P<row> Failing\ row\ contains\ \( ) .* (?P<row_end> \) )
    | (?P<key> Key\ \( [^()]* \)=\( ) .* (?P<key_end> \)\ (?:already|is\ not|is\ still|conflicts) )
    | (?P<input> input_value= ) [^\n]* (?P<input_end> ,\ input_type= )
    | (?P<argument> invalid\ input\ for\ query\ argument\ \$\d+:\  ) .*
      (?P<argument_end> \ \([^()]*\) \Z )
    | (?P<syntax> invalid\ input\ (?:syntax|value)\ for\ [\w\ ]+:\ " ) .* (?P<syntax_end> " )
    | (?P<bare> (?: invalid\ input\ for\ query\ argument\ \$\d+
        | invalid\ literal\ for\ \w+\(\)[\w\ ]*
        | could\ not\ convert\ string\ to\ \w+ ):\  ) .* (?P<bare_end> \Z )
    """
)


def find_echoes(text: str, mark: Callable[[str], str]) -> str:
    """Return `text` with every quoted value replaced by what `mark("declared")` gives."""

    def replace(found: re.Match[str]) -> str:
        name = (found.lastgroup or "").removesuffix("_end")
        return f"{found[name]}{mark('declared')}{found[f'{name}_end']}"

    return _ECHOES.sub(replace, text)
