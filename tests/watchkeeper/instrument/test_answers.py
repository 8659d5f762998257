"""Answers of every kind the vendors' SDKs know are read into one usage, each token once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from watchkeeper.instrument.answers import Answer
from watchkeeper.instrument.prices import TokenUsage


def read(*pieces: Any) -> Answer:
    answer = Answer()
    for piece in pieces:
        answer.take(piece)
    return answer


def test_a_chat_completion_with_cached_and_reasoning_tokens() -> None:
    answer = read(
        ChatCompletion.model_validate(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt-5.4-mini",
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": "Yes."},
                    }
                ],
                "usage": {
                    "prompt_tokens": 100,
                    "completion_tokens": 50,
                    "total_tokens": 150,
                    "prompt_tokens_details": {"cached_tokens": 40},
                    "completion_tokens_details": {"reasoning_tokens": 30},
                },
            }
        )
    )
    assert answer.tokens() == TokenUsage(input=100, cached_input=40, output=50, reasoning=30)
    assert (answer.id, answer.finish_reasons) == ("chatcmpl-1", ["stop"])


@pytest.mark.parametrize(
    "choice",
    [
        {"finish_reason": "content_filter", "message": {"role": "assistant", "content": ""}},
        {"finish_reason": "stop", "message": {"role": "assistant", "refusal": "I cannot."}},
    ],
)
def test_a_refusal_is_known(choice: dict[str, Any]) -> None:
    answer = read(
        ChatCompletion.model_validate(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, **choice}],
            }
        )
    )
    assert answer.refused
    assert answer.tokens() is None


RESPONSE = Response.model_construct(
    id="resp-1",
    object="response",
    model="gpt-5.4-mini",
    status="completed",
    usage=SimpleNamespace(
        input_tokens=100,
        input_tokens_details=SimpleNamespace(cached_tokens=40),
        output_tokens=50,
        output_tokens_details=SimpleNamespace(reasoning_tokens=30),
    ),
)


def test_a_response() -> None:
    answer = read(RESPONSE)
    assert answer.tokens() == TokenUsage(input=100, cached_input=40, output=50, reasoning=30)
    assert (answer.model, answer.finish_reasons) == ("gpt-5.4-mini", ["completed"])


def test_the_events_of_a_response() -> None:
    begun = Response.model_construct(id="resp-1", object="response", status="in_progress")
    answer = Answer()
    brought = [
        answer.take(event)
        for event in (
            SimpleNamespace(type="response.created", response=begun),
            SimpleNamespace(type="response.output_text.delta", delta="Ye"),
            SimpleNamespace(type="response.completed", response=RESPONSE),
        )
    ]
    assert brought == [False, True, False]
    assert answer.tokens() == TokenUsage(input=100, cached_input=40, output=50, reasoning=30)
    assert answer.finish_reasons == ["completed"]


def test_embeddings_have_no_output() -> None:
    answer = read(
        CreateEmbeddingResponse.model_validate(
            {
                "object": "list",
                "model": "text-embedding-3-small",
                "data": [],
                "usage": {"prompt_tokens": 7, "total_tokens": 7},
            }
        )
    )
    assert answer.tokens() == TokenUsage(input=7)


def test_a_message_counts_its_cache_beside_its_input() -> None:
    message = Message.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5",
            "content": [{"type": "text", "text": "Yes."}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 10,
                "cache_read_input_tokens": 300,
                "cache_creation_input_tokens": 200,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 150,
                    "ephemeral_1h_input_tokens": 50,
                },
                "output_tokens": 20,
                "output_tokens_details": {"thinking_tokens": 5},
            },
        }
    )
    expected = TokenUsage(
        input=510,
        cached_input=300,
        cache_write=200,
        cache_write_hour=50,
        output=20,
        reasoning=5,
    )
    assert read(message).tokens() == expected
    # As a stream: the input at its start, the output at its end.
    done = SimpleNamespace(
        type="message_delta",
        delta=SimpleNamespace(stop_reason="refusal"),
        usage=SimpleNamespace(
            output_tokens=60, output_tokens_details=SimpleNamespace(thinking_tokens=9)
        ),
    )
    streamed = read(SimpleNamespace(type="message_start", message=message), done)
    assert streamed.tokens() == TokenUsage(
        input=510,
        cached_input=300,
        cache_write=200,
        cache_write_hour=50,
        output=60,
        reasoning=9,
    )
    assert streamed.refused


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "message", "usage", "choices", "delta", "id", "content"]),
                inner,
                max_size=4,
            ).map(lambda fields: SimpleNamespace(**fields))
        ),
        max_leaves=12,
    )
)
def test_an_answer_of_any_shape_is_read_as_far_as_it_goes(piece: Any) -> None:
    read(piece).tokens()
