import json
from collections.abc import Sequence

import pytest

from resume_optimizer.failures import Failure
from resume_optimizer.llm.offline import OfflineProvider
from resume_optimizer.llm.provider import (
    Completion,
    CompletionRequest,
    FailureKind,
    ProviderFailure,
    Usage,
)
from resume_optimizer.resumes.optimise import (
    Optimisation,
    OptimisationFailure,
    from_json,
    optimise,
    to_json,
)
from resume_optimizer.resumes.sample import POSTING, RESUME, read_text
from resume_optimizer.telemetry import CONTRACT
from watchkeeper import Settings, Telemetry

pytestmark = pytest.mark.anyio

INVENTED = json.dumps({"summary": "Knows Haskell.", "skills": ["Haskell"], "experience": []})


class Scripted:
    """A provider that says what it is told, then what the offline one says."""

    name = "openai"
    model = "gpt-5.4-mini"

    def __init__(self, *script: str | FailureKind) -> None:
        self.script = list(script)
        self.asked: list[CompletionRequest] = []

    async def complete(self, request: CompletionRequest) -> Completion:
        self.asked.append(request)
        if not self.script:
            return await OfflineProvider().complete(request)
        said = self.script.pop(0)
        if said in ("timeout", "rate_limited", "refused", "error"):
            raise ProviderFailure(said, "no")
        return Completion(said, Usage(input_tokens=10, output_tokens=5), self.model)

    async def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(CONTRACT, Settings.from_environment({}))


async def run(provider: Scripted, telemetry: Telemetry) -> Optimisation:
    return await optimise(read_text(RESUME), read_text(POSTING), provider, telemetry)


def outcomes(calls: Sequence[object]) -> list[str]:
    return [getattr(call, "outcome", "") for call in calls]


async def test_a_resume_is_optimised_and_everything_is_told(telemetry: Telemetry) -> None:
    result = await run(Scripted(), telemetry)
    assert result.score_after > result.score_before
    assert "Kubernetes" in result.matched_keywords
    assert "OpenTelemetry" in result.missing_keywords
    assert {change.section for change in result.changes} == {"summary", "skills", "experience"}
    assert outcomes(result.calls) == ["success"]
    assert result.calls[0].usage.input_tokens > 500
    assert result.original.summary != result.resume.summary


async def test_a_result_survives_the_database(telemetry: Telemetry) -> None:
    result = await run(Scripted(), telemetry)
    assert from_json(to_json(result)) == result


async def test_an_invented_skill_is_complained_about_once_and_the_second_answer_counts(
    telemetry: Telemetry,
) -> None:
    provider = Scripted(INVENTED)
    result = await run(provider, telemetry)
    assert outcomes(result.calls) == ["invalid_answer", "success"]
    assert "'Haskell'" in provider.asked[1].user
    assert "Haskell" not in result.resume.text()


async def test_two_answers_that_cannot_be_used_are_a_failure_that_tells_of_both_calls(
    telemetry: Telemetry,
) -> None:
    with pytest.raises(OptimisationFailure) as raised:
        await run(Scripted("not JSON", INVENTED), telemetry)
    assert raised.value.code == "llm_invalid_answer"
    assert outcomes(raised.value.calls) == ["invalid_answer", "invalid_answer"]
    assert raised.value.calls[0].usage.input_tokens == 10


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("timeout", "llm_timeout"),
        ("rate_limited", "llm_rate_limited"),
        ("refused", "llm_refused"),
        ("error", "llm_unavailable"),
    ],
)
async def test_a_model_that_does_not_answer_is_a_failure_with_its_code(
    telemetry: Telemetry, kind: FailureKind, code: str
) -> None:
    with pytest.raises(OptimisationFailure) as raised:
        await run(Scripted(kind), telemetry)
    assert raised.value.code == code
    assert outcomes(raised.value.calls) == [kind]


async def test_every_call_is_counted_by_outcome_with_its_tokens_and_its_cost(
    telemetry: Telemetry,
) -> None:
    result = await run(Scripted(INVENTED), telemetry)
    body, _ = telemetry.exposition("text/plain")
    lines = body.decode().splitlines()
    labels = 'provider="openai",model="gpt-5.4-mini"'
    for outcome in ("invalid_answer", "success"):
        assert f'llm_requests_total{{{labels},outcome="{outcome}"}} 1' in lines
    spent = sum(call.usage.input_tokens for call in result.calls)
    assert f'llm_tokens_total{{{labels},type="input"}} {spent}' in lines
    assert result.calls[0].cost_usd is not None
    assert result.calls[0].cost_usd > 0


async def test_a_resume_without_words_is_empty(telemetry: Telemetry) -> None:
    with pytest.raises(Failure) as raised:
        await optimise(" \n", "a posting", Scripted(), telemetry)
    assert raised.value.code == "file_empty"
