"""Anthropic's models, by its messages API."""

from __future__ import annotations

import anthropic

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
        try:
            message = await self._client.messages.create(
                model=self.model,
                max_tokens=request.most_output_tokens,
                system=request.system,
                messages=[{"role": "user", "content": request.user}],
                output_config={"format": {"type": "json_schema", "schema": request.schema}},
            )
        except anthropic.APITimeoutError as error:
            raise ProviderFailure("timeout", "the model did not answer in time") from error
        except (anthropic.RateLimitError, anthropic.OverloadedError) as error:
            raise ProviderFailure("rate_limited", "the vendor limits our rate") from error
        except (anthropic.AuthenticationError, anthropic.PermissionDeniedError) as error:
            raise ProviderFailure(
                "refused", "the vendor refused our key; look at LLM_API_KEY"
            ) from error
        except anthropic.BadRequestError as error:
            raise ProviderFailure("refused", "the vendor refused the request") from error
        except anthropic.APIStatusError as error:
            raise ProviderFailure("error", f"the vendor answered {error.status_code}") from error
        except anthropic.APIConnectionError as error:
            raise ProviderFailure("error", "the vendor cannot be reached") from error
        except (anthropic.AnthropicError, ValueError) as error:
            raise ProviderFailure("error", "the vendor's answer cannot be read") from error
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
