"""Each exception of a vendor's SDK is one outcome of `llm_requests_total`."""

from __future__ import annotations

import anthropic
import httpx2
import openai
import pytest

from resume_optimizer.llm.failures import vendor_failures
from resume_optimizer.llm.provider import ProviderFailure

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1")
SDKS = [(anthropic, anthropic.AnthropicError), (openai, openai.OpenAIError)]


def outcome(sdk, base, error: Exception) -> tuple[str, str]:
    with pytest.raises(ProviderFailure) as raised, vendor_failures(sdk, base):
        raise error
    return raised.value.kind, raised.value.message


@pytest.mark.parametrize(("sdk", "base"), SDKS, ids=["anthropic", "openai"])
@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("RateLimitError", 429, "rate_limited"),
        ("InternalServerError", 529, "rate_limited"),
        ("InternalServerError", 500, "error"),
        ("AuthenticationError", 401, "refused"),
        ("PermissionDeniedError", 403, "refused"),
        ("BadRequestError", 400, "refused"),
        ("NotFoundError", 404, "error"),
    ],
)
def test_a_status_is_an_outcome(sdk, base, name, status, kind):
    answer = httpx2.Response(status, request=REQUEST, text="secret")
    error = getattr(sdk, name)("secret", response=answer, body=None)
    found, message = outcome(sdk, base, error)
    assert found == kind
    assert "secret" not in message


@pytest.mark.parametrize(("sdk", "base"), SDKS, ids=["anthropic", "openai"])
def test_what_is_no_answer_at_all_is_an_outcome(sdk, base):
    assert outcome(sdk, base, sdk.APITimeoutError(request=REQUEST))[0] == "timeout"
    assert outcome(sdk, base, sdk.APIConnectionError(request=REQUEST))[0] == "error"
    assert outcome(sdk, base, base("anything"))[0] == "error"
    assert outcome(sdk, base, ValueError("no JSON"))[0] == "error"


def test_what_is_not_the_vendors_goes_on_as_it_is():
    with pytest.raises(KeyError), vendor_failures(openai, openai.OpenAIError):
        raise KeyError
