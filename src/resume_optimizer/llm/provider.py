"""What the application asks of a language model, whoever makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from resume_optimizer.settings import LlmSettings, SettingsError

FailureKind = Literal["timeout", "rate_limited", "refused", "error"]


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One question: instructions, the text to work on, and the JSON schema of the answer."""

    system: str
    user: str
    schema: dict[str, Any]
    most_output_tokens: int = 4096


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `input_tokens` contains `cached_input_tokens` and `cache_write_tokens`,
    `output_tokens` contains `reasoning_tokens`. `estimated`: the vendor did not say.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False


NO_USAGE = Usage()
"""Of a call that gave no answer."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer as it came, and what it took. `model` is the one that answered,
    `finish_reason` the vendor's word for why it stopped, '' when it gave none."""

    text: str
    usage: Usage
    model: str
    finish_reason: str = ""


class ProviderFailure(Exception):  # noqa: N818 - an outcome, not an error of the program
    """A model gave no answer. `kind` is one of the outcomes of `llm_requests_total`."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.message = message


class Provider(Protocol):
    """Somebody who completes prompts. One try a call: trying again is the caller's decision."""

    @property
    def name(self) -> str:
        """Whose model it is, as prices are listed: "openai", "anthropic", "offline"."""
        ...

    @property
    def model(self) -> str:
        """The model that is asked for."""
        ...

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer a request, or raise ProviderFailure."""
        ...

    async def close(self) -> None:
        """Let go of connections. Safe to call twice."""
        ...


def provider_from_settings(settings: LlmSettings) -> Provider:
    """Return the provider that is configured; only its own SDK is imported.

    Raises SettingsError that names the variable that is missing or unknown.
    """
    if settings.provider == "offline":
        from resume_optimizer.llm.offline import OfflineProvider

        return OfflineProvider()
    if settings.provider not in ("openai", "anthropic"):
        raise SettingsError(
            f"LLM_PROVIDER: {settings.provider!r} is not known; use offline, openai or anthropic"
        )
    if not settings.model:
        raise SettingsError(f"LLM_MODEL: not set; {settings.provider} needs a model's name")
    if settings.provider == "openai":
        from resume_optimizer.llm.openai_compatible import OpenAIProvider

        return OpenAIProvider(settings)
    from resume_optimizer.llm.anthropic import AnthropicProvider

    return AnthropicProvider(settings)
