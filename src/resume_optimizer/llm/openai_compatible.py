"""Models behind OpenAI's chat completions, or a server that speaks the same."""

from __future__ import annotations

from typing import Any

import openai
from openai.types.chat import ChatCompletion

from resume_optimizer.llm.failures import vendor_failures
from resume_optimizer.llm.provider import (
    Completion,
    CompletionRequest,
    ProviderFailure,
    Usage,
)
from resume_optimizer.llm.tokens import estimate_usage
from resume_optimizer.settings import LlmSettings

OPENAI_URL = "https://api.openai.com/v1"


class OpenAIProvider:
    """Asks one model by OpenAI's protocol. An empty base URL means OpenAI itself."""

    name = "openai"

    def __init__(self, settings: LlmSettings) -> None:
        self.model = settings.model
        # Retries are the job's, which counts and shows each attempt.
        self._client = openai.AsyncOpenAI(
            api_key=settings.api_key,
            base_url=settings.base_url or OPENAI_URL,
            timeout=settings.timeout_seconds,
            max_retries=0,
        )

    async def complete(self, request: CompletionRequest) -> Completion:
        with vendor_failures(openai, openai.OpenAIError):
            answer = await self._ask(request)
        return _completion(request, answer, self.model)

    async def close(self) -> None:
        await self._client.close()

    async def _ask(self, request: CompletionRequest) -> ChatCompletion:
        return await self._client.chat.completions.create(
            model=self.model,
            messages=[
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.user},
            ],
            response_format={
                "type": "json_schema",
                "json_schema": {
                    "name": "optimised_resume",
                    "strict": True,
                    "schema": request.schema,
                },
            },
            max_completion_tokens=request.most_output_tokens,
        )


def _completion(request: CompletionRequest, answer: Any, model: str) -> Completion:
    """Read an answer with care: compatible servers leave things out, or send another shape."""
    choices = getattr(answer, "choices", None)
    choice = choices[0] if choices else None
    message = getattr(choice, "message", None)
    if message is None:
        raise ProviderFailure("error", "the vendor's answer holds no choice")
    if getattr(message, "refusal", None):
        raise ProviderFailure("refused", "the model refused to answer")
    text = getattr(message, "content", None) or ""
    return Completion(
        text,
        _usage(request, answer, text),
        getattr(answer, "model", None) or model,
        getattr(choice, "finish_reason", None) or "",
    )


def _usage(request: CompletionRequest, answer: Any, text: str) -> Usage:
    usage = getattr(answer, "usage", None)
    if usage is None:
        return estimate_usage(request, text)
    given = getattr(usage, "prompt_tokens_details", None)
    made = getattr(usage, "completion_tokens_details", None)
    return Usage(
        input_tokens=getattr(usage, "prompt_tokens", None) or 0,
        cached_input_tokens=getattr(given, "cached_tokens", None) or 0,
        output_tokens=getattr(usage, "completion_tokens", None) or 0,
        reasoning_tokens=getattr(made, "reasoning_tokens", None) or 0,
    )
