"""What a watched client of a model's SDK does when the SDK, or the service, does not play along."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from watchkeeper.conventions import llm
from watchkeeper.instrument.llm import begin_call
from watchkeeper.instrument.model_clients import AnswerWatch, watch_model_client
from watchkeeper.testing import Captured

OPENAI = {"provider": "openai", "model": "gpt-4o-mini"}


class Client:
    """A client whose requests answer with whatever it was given."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def request(self, cast_to: Any, options: Any) -> Any:
        return self.answer


def asked(seen: Captured, answer: Any, options: Any) -> Any:
    return watch_model_client(seen.telemetry, Client(answer), provider="openai").request(
        None, options
    )


CHAT = SimpleNamespace(url="/chat/completions", method="post", json_data={"model": "gpt-4o-mini"})


def test_an_answer_that_is_forgotten_ends_its_call(seen: Captured) -> None:
    watch = AnswerWatch(seen.telemetry, begin_call(seen.telemetry, **OPENAI))
    watch.take(SimpleNamespace(usage=SimpleNamespace(prompt_tokens=7)))
    assert seen.value(llm.REQUESTS) == 0
    del watch
    assert seen.value(llm.REQUESTS, outcome="success", **OPENAI) == 1
    assert seen.value(llm.TOKENS, type="input") == 7


def test_an_answer_of_an_unknown_kind_is_handed_on(seen: Captured) -> None:
    answer = object()
    assert asked(seen, answer, CHAT) is answer
    assert seen.value(llm.REQUESTS, outcome="success", **OPENAI) == 1
    assert seen.value(llm.UNPRICED, **OPENAI) == 1


def test_options_of_an_unknown_kind_are_handed_on(seen: Captured) -> None:
    seen.telemetry.faults.loud = False
    assert asked(seen, "answer", None) == "answer"
    assert seen.telemetry.faults.seen == {"llm": 1}
    assert seen.value(llm.REQUESTS) == 0
