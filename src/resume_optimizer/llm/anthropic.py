"""Anthropic's models, by its messages API."""

from __future__ import annotations

import anthropic

from resume_optimizer.llm.failures import vendor_failures
from resume_optimizer.llm.provider import (
    Completion,
    CompletionRequest,
    ProviderFailure,
    Usage,
)
from resume_optimizer.settings import LlmSettings

ANTHROPIC_URL = "https://api.anthropic.com"


class AnthropicProvider:
    """Asks one model by Anthropic's protocol. An empty base URL means Anthropic itself."""

    name = "anthropic"

    def __init__(self, settings: LlmSettings) -> None:
        self.model = settings.model
        self._client = anthropic.AsyncAnthropic(
            api_key=settings.api_key,
            base_url=settings.base_url or ANTHROPIC_URL,
            timeout=settings.timeout_seconds,
            max_retries=0,
            # The call has a span already, which also tells its outcome and cost.
            open_telemetry=False,
        )

    async def complete(self, request: CompletionRequest) -> Completion:
        with vendor_failures(anthropic, anthropic.AnthropicError):
            message = await self._client.messages.create(
                model=self.model,
                max_tokens=request.most_output_tokens,
                system=request.system,
                messages=[{"role": "user", "content": request.user}],
                output_config={"format": {"type": "json_schema", "schema": request.schema}},
            )
        return _completion(message, self.model)

    async def close(self) -> None:
        await self._client.close()


def _completion(message: anthropic.types.Message, model: str) -> Completion:
    blocks = getattr(message, "content", None)
    if blocks is None:
        raise ProviderFailure("error", "the vendor's answer holds no content")
    if message.stop_reason == "refusal":
        raise ProviderFailure("refused", "the model refused to answer")
    text = "".join(block.text for block in blocks if block.type == "text")
    usage = message.usage
    cached = usage.cache_read_input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    thought = usage.output_tokens_details
    # Anthropic counts what was read from the cache, or written to it, beside the input.
    return Completion(
        text,
        Usage(
            input_tokens=usage.input_tokens + cached + written,
            cached_input_tokens=cached,
            cache_write_tokens=written,
            output_tokens=usage.output_tokens,
            reasoning_tokens=(thought.thinking_tokens or 0) if thought else 0,
        ),
        message.model or model,
        message.stop_reason or "",
    )
