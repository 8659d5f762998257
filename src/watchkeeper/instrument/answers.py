"""What models answer, read with care: whole, or as the events of a stream.

Sources: OpenAI's chat completions, responses and embeddings, and Anthropic's messages. What says
less is read as far as it goes: compatible servers leave things out.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.instrument.prices import TokenUsage

_TEXT_EVENTS = frozenset(
    ("content_block_delta", "response.output_text.delta", "response.function_call_arguments.delta")
)
_UNDER_WAY = frozenset(("queued", "in_progress"))
_REFUSALS = frozenset(("refusal", "content_filter"))


class Answer:
    """What is known of an answer so far."""

    def __init__(self) -> None:
        self.id = ""
        self.model = ""
        self.finish_reasons: list[str] = []
        self.refused = False
        self._usages: list[Any] = []

    def take(self, piece: Any) -> bool:
        """Take an answer, or an event of one; return whether the event brought a part of it."""
        kind = _text(piece, "type")
        inner = getattr(piece, "message", None) or getattr(piece, "response", None)
        if inner is not None and kind.startswith(("message_", "response.")):
            self.take(inner)
        self.id = self.id or _text(piece, "id")
        self.model = self.model or _text(piece, "model")
        usage = getattr(piece, "usage", None)
        if usage is not None:
            self._usages.append(usage)
        self._stopped(_text(piece, "stop_reason"))
        if _text(piece, "object") == "response" and _text(piece, "status") not in _UNDER_WAY:
            self._stopped(_text(piece, "status"))
        if kind == "message_delta":
            self._stopped(_text(getattr(piece, "delta", None), "stop_reason"))
        brought = kind in _TEXT_EVENTS
        choices = getattr(piece, "choices", None)
        for choice in choices if isinstance(choices, list) else ():
            self._stopped(_text(choice, "finish_reason"))
            message = getattr(choice, "message", None) or getattr(choice, "delta", None)
            self.refused = self.refused or bool(getattr(message, "refusal", None))
            brought = brought or bool(
                getattr(message, "content", None) or getattr(message, "tool_calls", None)
            )
        return brought

    def tokens(self) -> TokenUsage | None:
        """Return what was used, or None if nobody said."""
        found: dict[str, int] = {}
        for usage in self._usages:
            for name, count in _counts(usage).items():
                # The last word counts; a stream tells the input at first, the output at the end.
                found[name] = count or found.get(name, 0)
        if not found:
            return None
        beside = found.pop("beside", 0)
        return TokenUsage(**{**found, "input": found.get("input", 0) + beside})

    def _stopped(self, reason: str) -> None:
        if reason:
            self.finish_reasons.append(reason)
            self.refused = self.refused or reason in _REFUSALS


def _counts(usage: Any) -> dict[str, int]:
    """Return the counts by TokenUsage's names; `beside` is input that `input` does not hold."""
    prompt = _number(usage, "prompt_tokens")
    read = _number(usage, "cache_read_input_tokens")
    written = _number(usage, "cache_creation_input_tokens")
    given = getattr(usage, "prompt_tokens_details", None) or getattr(
        usage, "input_tokens_details", None
    )
    made = getattr(usage, "completion_tokens_details", None) or getattr(
        usage, "output_tokens_details", None
    )
    lasting = getattr(usage, "cache_creation", None)
    return {
        "input": prompt or _number(usage, "input_tokens"),
        "cached_input": read or _number(given, "cached_tokens"),
        "cache_write": written,
        "cache_write_hour": _number(lasting, "ephemeral_1h_input_tokens"),
        "output": _number(usage, "completion_tokens") or _number(usage, "output_tokens"),
        "reasoning": _number(made, "reasoning_tokens") or _number(made, "thinking_tokens"),
        # Anthropic counts what was read from the cache, or written to it, beside the input.
        "beside": read + written,
    }


def _number(holder: Any, name: str) -> int:
    value = getattr(holder, name, None)
    return value if isinstance(value, int) else 0


def _text(holder: Any, name: str) -> str:
    value = getattr(holder, name, None)
    return value if isinstance(value, str) else ""
