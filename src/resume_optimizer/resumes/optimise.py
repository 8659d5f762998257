"""A resume and a posting to an optimised resume, by way of a language model."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from resume_optimizer.failures import Failure
from resume_optimizer.llm.answer import Answer, InvalidAnswerError, read_answer
from resume_optimizer.llm.prompt import build_request
from resume_optimizer.llm.provider import (
    NO_USAGE,
    CompletionRequest,
    Provider,
    ProviderFailure,
    Usage,
)
from resume_optimizer.resumes.changes import Change, apply
from resume_optimizer.resumes.document import EMPTY, StructuredResume
from resume_optimizer.resumes.keywords import posting_keywords
from resume_optimizer.resumes.score import ScorePart, score
from resume_optimizer.resumes.structure import structure
from watchkeeper import Telemetry
from watchkeeper.instrument.llm import llm_call

TRIES = 2
"""An answer that cannot be used is complained about, once."""

_FAILURE_CODES = {
    "timeout": "llm_timeout",
    "rate_limited": "llm_rate_limited",
    "refused": "llm_refused",
    "error": "llm_unavailable",
}


@dataclass(frozen=True, slots=True)
class LlmCall:
    """One call to a model. `cost_usd` is None when the price is not known, never zero for it.

    `outcome` is one of the outcomes of `llm_requests_total`.
    """

    provider: str
    model: str
    outcome: str
    duration_seconds: float
    usage: Usage = NO_USAGE
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Optimisation:
    """What came out: the resume, the scores (0 to 100), what changed and what it took."""

    resume: StructuredResume
    score_before: int
    score_after: int
    matched_keywords: tuple[str, ...]
    missing_keywords: tuple[str, ...]
    changes: tuple[Change, ...]
    calls: tuple[LlmCall, ...]
    score_parts: tuple[ScorePart, ...] = ()
    original: StructuredResume = EMPTY


class OptimisationFailure(Failure):
    """A Failure that also tells of the `calls` that were made for nothing, which cost too."""

    def __init__(self, code: str, calls: tuple[LlmCall, ...] = (), message: str = "") -> None:
        super().__init__(code, message)
        self.calls = calls

    def __reduce__(self) -> tuple[type[OptimisationFailure], tuple[str, tuple[LlmCall, ...], str]]:  # type: ignore[override]  # carries the calls too
        return type(self), (self.code, self.calls, self.message)


async def optimise(
    resume_text: str,
    posting_text: str,
    provider: Provider,
    telemetry: Telemetry,
) -> Optimisation:
    """Optimise a resume for a posting.

    Raises OptimisationFailure: llm_invalid_answer, llm_unavailable, llm_timeout,
    llm_rate_limited, llm_refused; and Failure file_empty for a resume without words.
    """
    resume = structure(resume_text)
    if not resume.text().strip():
        raise Failure("file_empty")
    keywords = posting_keywords(posting_text)
    before = score(resume, keywords)
    asking = _Asking(provider, telemetry)
    answer = await asking.answer(resume, posting_text)
    improved, changes = apply(answer, resume)
    after = score(improved, keywords)
    return Optimisation(
        resume=improved,
        score_before=before.total,
        score_after=after.total,
        matched_keywords=after.matched,
        missing_keywords=after.missing,
        changes=changes,
        calls=tuple(asking.calls),
        score_parts=after.parts,
        original=resume,
    )


def to_json(optimisation: Optimisation) -> str:
    """Return an optimisation as JSON, for the database."""
    return msgspec.json.encode(optimisation).decode()


def from_json(text: str | bytes) -> Optimisation:
    """Return what `to_json` wrote. Raises msgspec.ValidationError when it did not."""
    return msgspec.json.decode(text, type=Optimisation)


class _Asking:
    """The calls of one optimisation, each one watched and kept."""

    def __init__(self, provider: Provider, telemetry: Telemetry) -> None:
        self._provider = provider
        self._telemetry = telemetry
        self.calls: list[LlmCall] = []

    async def answer(self, resume: StructuredResume, posting: str) -> Answer:
        complaints: tuple[str, ...] = ()
        for _ in range(TRIES):
            try:
                return await self._once(
                    build_request(resume, posting, complaints=complaints), resume
                )
            except InvalidAnswerError as invalid:
                complaints = invalid.complaints
            except ProviderFailure as failure:
                code = _FAILURE_CODES[failure.kind]
                raise OptimisationFailure(code, tuple(self.calls)) from failure
        raise OptimisationFailure("llm_invalid_answer", tuple(self.calls))

    async def _once(self, request: CompletionRequest, resume: StructuredResume) -> Answer:
        provider = self._provider
        usage = NO_USAGE
        outcome = "error"
        problem: InvalidAnswerError | ProviderFailure | None = None
        answer: Answer | None = None
        with llm_call(self._telemetry, provider=provider.name, model=provider.model) as call:
            try:
                completion = await provider.complete(request)
                usage = completion.usage
                call.usage(
                    input_tokens=usage.input_tokens,
                    cached_input_tokens=usage.cached_input_tokens,
                    cache_write_tokens=usage.cache_write_tokens,
                    output_tokens=usage.output_tokens,
                    reasoning_tokens=usage.reasoning_tokens,
                    response_model=completion.model,
                    finish_reasons=[completion.finish_reason] if completion.finish_reason else (),
                )
                answer = read_answer(completion.text, resume)
                outcome = "success"
            except InvalidAnswerError as invalid:
                problem, outcome = invalid, "invalid_answer"
            except ProviderFailure as failure:
                problem, outcome = failure, failure.kind
            call.outcome(outcome)
        self.calls.append(
            LlmCall(
                provider=provider.name,
                model=provider.model,
                outcome=outcome,
                duration_seconds=call.duration_seconds,
                usage=usage,
                cost_usd=call.cost_usd,
            )
        )
        if answer is None:
            raise problem or ProviderFailure("error", "no answer")
        return answer
