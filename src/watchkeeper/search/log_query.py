"""The query language of logs: what somebody types to find records.

All terms of a query must hold; spaces (or `AND`) part them.

    refused                     the message holds this text, whatever the case
    "connection refused"        the message holds this phrase; \\" and \\\\ inside
    job_id:42                   the attribute job_id is 42, compared as text, exactly
    logger:"uvicorn.access"     so are service, logger, span_id and every attribute
    message:refused             the same as the bare word
    level:error                 error or worse; also severity:, level=, level>=
    level>info                  worse than info
    trace_id:4bf92f3577b34da6a3ce929d0e0e4736
    -timeout  -status:200       leave out; so does NOT before a term

Levels are trace, debug, info, warning (warn), error and critical (fatal). An empty query
finds every record. There is no OR and no grouping.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import Severity
from watchkeeper.ports import LogQuery
from watchkeeper.search.tokens import Term, terms

_LEVELS = {level.name.lower(): level for level in Severity} | {
    "warn": Severity.WARNING,
    "err": Severity.ERROR,
    "fatal": Severity.CRITICAL,
}
_LEVEL_FIELDS = ("level", "severity")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")


def parse_log_query(
    text: str, *, start_ns: int, end_ns: int, limit: int = 100, newest_first: bool = True
) -> LogQuery:
    """Return the query that a text means, over a range of time.

    Raises QuerySyntaxError, with the place in the text and what to write instead.
    """
    conditions = _Conditions()
    negation: Term | None = None
    for term in terms(text):
        keyword = "" if term.quoted or term.field or term.excluded else term.value
        if keyword == "NOT":
            negation = term
        elif keyword == "OR":
            raise QuerySyntaxError(
                'a query has no OR: ask for each alternative by itself, or write "OR" in quotes '
                "to look for the word",
                start=term.start,
                end=term.end,
            )
        elif keyword != "AND":
            conditions.add(term, excluded=term.excluded or negation is not None)
            negation = None
    if negation is not None:
        raise QuerySyntaxError(
            'nothing follows NOT: write NOT word, or "NOT" in quotes to look for it',
            start=negation.start,
            end=negation.end,
        )
    return LogQuery(
        start_ns=start_ns,
        end_ns=end_ns,
        words=tuple(conditions.words),
        without_words=tuple(conditions.without_words),
        fields=tuple(conditions.fields),
        without_fields=tuple(conditions.without_fields),
        minimum_severity=conditions.minimum_severity,
        trace_id=conditions.trace_id,
        limit=limit,
        newest_first=newest_first,
    )


@dataclass(slots=True)
class _Conditions:
    """What the terms read so far ask for."""

    words: list[str] = field(default_factory=list)
    without_words: list[str] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)
    without_fields: list[tuple[str, str]] = field(default_factory=list)
    minimum_severity: Severity = Severity.TRACE
    trace_id: str = ""

    def add(self, term: Term, *, excluded: bool) -> None:
        name = term.field.lower()
        if name in _LEVEL_FIELDS:
            self._add_level(term, excluded=excluded)
        elif name == "trace_id" and not excluded:
            self._add_trace(term)
        elif name in ("", "message"):
            self._add_word(term, excluded=excluded)
        else:
            pairs = self.without_fields if excluded else self.fields
            pairs.append((term.field, term.value))

    def _add_word(self, term: Term, *, excluded: bool) -> None:
        if not term.value:
            raise QuerySyntaxError(
                "an empty phrase is in every message: leave it out",
                start=term.start,
                end=term.end,
            )
        (self.without_words if excluded else self.words).append(term.value)

    def _add_level(self, term: Term, *, excluded: bool) -> None:
        level = _LEVELS.get(term.value.lower())
        if level is None:
            raise QuerySyntaxError(
                f"{term.value!r} is not a level: write one of trace, debug, info, warning, error, "
                "critical",
                start=term.start,
                end=term.end,
            )
        if excluded or term.operator in ("<", "<=", "!="):
            raise QuerySyntaxError(
                "levels can only be asked for from one upwards: write level>=warning, say",
                start=term.start,
                end=term.end,
            )
        if term.operator == ">":
            level = _next_worse(level, term)
        self.minimum_severity = max(self.minimum_severity, level)

    def _add_trace(self, term: Term) -> None:
        trace_id = term.value.lower()
        if not _TRACE_ID.fullmatch(trace_id):
            raise QuerySyntaxError(
                f"{term.value!r} is not a trace id: write its 32 hexadecimal digits",
                start=term.start,
                end=term.end,
            )
        if self.trace_id not in ("", trace_id):
            raise QuerySyntaxError(
                "a record has one trace: ask for one trace_id at a time",
                start=term.start,
                end=term.end,
            )
        self.trace_id = trace_id


def _next_worse(level: Severity, term: Term) -> Severity:
    worse = [one for one in Severity if one > level]
    if not worse:
        raise QuerySyntaxError(
            "nothing is worse than critical: write level:critical", start=term.start, end=term.end
        )
    return worse[0]
