"""Log lines of the service, on their way out: over OTLP and as JSON.

A request may write dozens, so nothing is made of a line but these bytes. What lines of one logger,
level and message have in common is encoded once, and so are the ids that lines of one span share.
A line with an exception, or with a field that is named like one of ours, becomes an ordinary
LogRecord instead, and so does every line while somebody looks at what leaves.
"""

from __future__ import annotations

from watchkeeper.instrument.finish import SEVERITIES, Finisher
from watchkeeper.instrument.leaving import Leaving
from watchkeeper.instrument.log_line import (
    EXCEPTION_FIELDS,
    RESERVED,
    encode_fields,
    encode_json,
    known_fields,
    timestamp,
)
from watchkeeper.instrument.records import PendingLog
from watchkeeper.wire.otlp_template import LineTemplate, log_ids

_MOST_REMEMBERED = 1024
_LONGEST_REMEMBERED = 256
_APART = RESERVED.union(EXCEPTION_FIELDS)
"""Names of fields that do not stand in a line as they are."""

_Likeness = tuple[int, str, str]


class Alike:
    """What lines of one severity, logger and message have in common, clean."""

    __slots__ = ("head", "log", "logger", "message")

    def __init__(self, finisher: Finisher, likeness: _Likeness) -> None:
        number, logger, message = likeness
        severity = SEVERITIES[number]
        self.message = finisher.clean(message)
        self.logger = finisher.clean(logger)
        known = known_fields(
            severity, self.logger, self.message, finisher.service, finisher.resource
        )
        self.head = f'",{encode_fields(known)}'
        self.log = LineTemplate(severity, self.message)


class Lines:
    """Lets lines leave, in the pump."""

    def __init__(self, finisher: Finisher) -> None:
        self._finisher = finisher
        self._alike: dict[_Likeness, Alike] = {}
        self._span = (0, 0, False)
        self._ids_text = ""
        self._ids = b""

    def leave(self, line: PendingLog, leaving: Leaving) -> None:
        """Let a line leave in every form that is wanted."""
        time_ns, severity, logger, message, fields, trace_id, span_id, sampled, error = line
        finisher = self._finisher
        if error is not None or leaving.observed or not _APART.isdisjoint(fields):
            leaving.add_log(finisher.log(line))
            return
        likeness = (severity, logger, message)
        alike = self._alike.get(likeness) or self._remember(likeness)
        if (trace_id, span_id, sampled) != self._span:
            self._enter(trace_id, span_id, sampled)
        attributes = finisher.line_attributes(fields)
        if leaving.wants_lines:
            head = f'{{"@timestamp":"{timestamp(time_ns)}{alike.head}{self._ids_text}'
            rest = b"," + encode_json(attributes)[1:] if attributes else b"}"
            leaving.lines.append(b"".join((head.encode(), rest, b"\n")))
        if leaving.wants_logs:
            leaving.logs[alike.logger].append(alike.log.encode(time_ns, self._ids, attributes))

    def _remember(self, likeness: _Likeness) -> Alike:
        _, logger, message = likeness
        alike = Alike(self._finisher, likeness)
        # What was cleaned is not remembered: every removal counts.
        clean = (alike.message, alike.logger) == (message, logger)
        if clean and len(message) <= _LONGEST_REMEMBERED:
            if len(self._alike) >= _MOST_REMEMBERED:
                self._alike.clear()
            self._alike[likeness] = alike
        return alike

    def _enter(self, trace_id: int, span_id: int, sampled: bool) -> None:
        """Remember the span that the next lines will be of, too."""
        self._span = (trace_id, span_id, sampled)
        if trace_id:
            trace, span = trace_id.to_bytes(16, "big"), span_id.to_bytes(8, "big")
            self._ids = log_ids(trace, span, sampled)
            self._ids_text = f',"trace_id":"{trace.hex()}","span_id":"{span.hex()}"'
        else:
            self._ids = b""
            self._ids_text = ""
