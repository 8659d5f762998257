"""Personal data and secrets go; what operators need stays."""

from __future__ import annotations

import logging
import time
import uuid
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper import Settings
from watchkeeper.conventions import telemetry as own
from watchkeeper.instrument.finish import attribute_value
from watchkeeper.instrument.redaction import CUT, LONGEST_TEXT, Redactor
from watchkeeper.testing import Captured, capture
from watchkeeper.wire.limits import AttributeLimits


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("mail jane.doe+jobs@example.co.uk now", "mail [email] now"),
        ("call +49 171 2345678 today", "call [phone] today"),
        ("call (415) 555-2671", "call [phone]"),
        ("call 415-555-2671.", "call [phone]."),
        ("phone 0171 2345678", "phone [phone]"),
        ("+14155552671", "[phone]"),
        ("card 4111 1111 1111 1111 ok", "card [card] ok"),
        ("card 5500-0000-0000-0004", "card [card]"),
        ("card 378282246310005", "card [card]"),
        ("pay to DE89 3704 0044 0532 0130 00", "pay to [card]"),
        ("ssn 123-45-6789", "ssn [national_id]"),
        ("nino AB 12 34 56 C", "nino [national_id]"),
        ("lives at 42 Long Acre Road, London", "lives at [address], London"),
        ("wohnt Hauptstraße 12b", "wohnt [address]"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: [token]"),
        ("sent Bearer abcdefgh12345678", "sent Bearer [token]"),
        ("password=hunter2 ok", "password=[password] ok"),
        ('{"password": "hunter 2", "a": 1}', '{"password": [password], "a": 1}'),
        ("db_password: 'x y'", "db_password: [password]"),
        ("postgres://user:pw@db/x", "postgres://[password]@db/x"),
        ("GET /reset?token=abc&page=1", "GET /reset?token=[token]&page=1"),
        ("X-Api-Key: 12345", "X-Api-Key: [token]"),
        ("key sk-" + "a1" * 12, "key [token]"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[token]"),
        ("AKIAIOSFODNN7EXAMPLE", "[token]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln", "[token]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[token]"),
        ("GET /reset?email=jane%40example.org&page=1", "GET /reset?email=[email]&page=1"),
        ("GET /call?to=%2B49%20171%202345678", "GET /call?to=[phone]"),
        ("/next?url=%2Freset%3Fto%3Djane%2540example.org", "/next?url=/reset?to=[email]"),
        ("tel:+14155552671", "tel:[phone]"),
        ("phone:+49 171 2345678", "phone:[phone]"),
        ("ssn 123456789 given", "ssn [national_id] given"),
        ("passport no. C01X00T47", "passport no. [national_id]"),
        ("DNI 12345678Z", "DNI [national_id]"),
        ("cpf: 123.456.789-09", "cpf: [national_id]"),
        ("di RSSMRA85T10A562S", "di [national_id]"),
        ("lives at Friedrich-Ebert-Str. 12", "lives at [address]"),
        ("wohnt Berliner Straße 5", "wohnt [address]"),
        ("42 Wallaby Way, Sydney", "[address], Sydney"),
        ("habite 5 rue de la Paix", "habite [address]"),
        ("vive en Calle Mayor 5", "vive en [address]"),
        ("write to P.O. Box 123", "write to [address]"),
        ("Cookie: session=abc; other=def, next", "Cookie: [token], next"),
        ("Set-Cookie: sid=abc123; Path=/; HttpOnly", "Set-Cookie: [token]"),
        ('Authorization: Digest username="jane", response="abcdef"', "Authorization: [token]"),
        ("/login?user=jane&pass=hunter2", "/login?user=jane&pass=[password]"),
        ("otp=123456", "otp=[token]"),
        ("/x?X-Amz-Signature=ab12&size=3", "/x?X-Amz-Signature=[token]&size=3"),
        ("/x?sv=2026&sig=ab%2F12", "/x?sv=2026&sig=[token]"),
        ("/callback?code=4eC39HqLyjWDarjtT1zdp7dc&n=1", "/callback?code=[token]&n=1"),
        ("sk_live_" + "4eC39HqLyjWDarjt", "[token]"),
        ("hf_" + "abcdefghij" * 3, "[token]"),
        ("npm_" + "abcdefghij" * 4, "[token]"),
        ("SG." + "abcdefghij" * 2 + "." + "abcdefghij" * 4, "[token]"),
        (
            "null value violates\nDETAIL:  Failing row contains (1, My (long)\nlife, null).",
            "null value violates\nDETAIL:  Failing row contains ([declared]).",
        ),
        (
            "DETAIL:  Key (name)=(Jane (Doe)) already exists.",
            "DETAIL:  Key (name)=([declared]) already exists.",
        ),
        (
            "field required [type=missing, input_value={'a': ', input_type=x'}, input_type=dict]",
            "field required [type=missing, input_value=[declared], input_type=dict]",
        ),
        (
            "invalid input for query argument $1: 'My (a) life' (expected int)",
            "invalid input for query argument $1: [declared] (expected int)",
        ),
        (
            'invalid input syntax for type uuid: "My life"',
            'invalid input syntax for type uuid: "[declared]"',
        ),
        (
            "invalid literal for int() with base 10: 'My life'",
            "invalid literal for int() with base 10: [declared]",
        ),
    ],
)
def test_what_must_not_leave_is_taken_out(text: str, clean: str) -> None:
    assert Redactor().text(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "job 6f1c1e1a-1111-4222-8333-123456789012 done",
        "trace 0af7651916cd43dd8448eb211c80319c span b7ad6b7169203331",
        "at 2026-11-23T19:27:43.123456Z and 2026-11-23 19:27:43",
        "took 1732390000123456789 ns, 1732390000123 ms, 1795462769.357 s",
        "version 1.2.3, 10.0.0.1:8000, 127.0.0.1, ::1",
        "input_tokens=1234 output_tokens: 99 max_tokens=4096",
        "cache key: jobs:42, key=value, monkey=1",
        "user@host",
        "10485760 bytes of 1,048,576",
        "GET /api/jobs/{job_id} 200",
        "python-httpx2/2.16.2",
        "the password is wrong",
        "12 tests: pass=11 fail=1",
        "GET /search?q=50%25%20off&code=404",
        "100% of 12 jobs, 7%20",
        "cookie consent shown",
        "signal sig=9 caught",
        "our way of 3 steps; place 4 of 12; drive 2",
        "a box 12 wide",
        "passport check took 1200 ms",
        "10:15:00 to 10:16:00 at node 0:004",
        "HTTP/1.1 200 OK",
        "0.123456789012345",
    ],
)
def test_what_operators_need_stays(text: str) -> None:
    assert Redactor().text(text) == text


@given(number=st.integers(0, 2**128 - 1))
def test_identifiers_of_every_form_stay(number: int) -> None:
    for text in (str(uuid.UUID(int=number)), f"{number:032x}", f"{number >> 64:016x}"):
        assert Redactor().text(f"job {text} ended") == f"job {text} ended"


@given(moment=st.integers(10**18, 2 * 10**18), seconds=st.floats(0, 1e9))
def test_times_and_figures_stay(moment: int, seconds: float) -> None:
    text = f"at {moment} and {moment // 10**6} for {seconds} s"
    assert Redactor().text(text) == text


@given(text=st.text(max_size=400))
def test_any_text_can_be_redacted_and_redacting_twice_changes_nothing(text: str) -> None:
    redactor = Redactor()
    once = redactor.text(text)
    assert redactor.text(once) == once


def test_fields_are_judged_by_their_names_too() -> None:
    redactor = Redactor({"resume_text"})
    fields = {
        "resume_text": "My life",
        "http.request.header.authorization": "x",
        "set-cookie": "a=b",
        "user_email": "a@b.de",
        "phone": "12",
        "gen_ai.usage.input_tokens": 12,
        "client.address": "10.0.0.1",
        "nested": {"password": "x", "list": ["a@b.de", 1]},
        "count": 4111111111111111,
        "nothing": None,
    }
    assert redactor.fields(fields) == {
        "resume_text": "[declared]",
        "http.request.header.authorization": "[token]",
        "set-cookie": "[token]",
        "user_email": "[email]",
        "phone": "[phone]",
        "gen_ai.usage.input_tokens": 12,
        "client.address": "10.0.0.1",
        "nested": {"password": "[password]", "list": ["[email]", 1]},
        "count": 4111111111111111,
        "nothing": None,
    }


def test_a_document_is_cut_and_says_so() -> None:
    redactor = Redactor()
    kept = redactor.text("word " * 100_000)
    assert kept.endswith("word word…")
    assert len(kept) <= LONGEST_TEXT + 1
    assert redactor.cut == 1


@pytest.mark.parametrize("place", range(1, 24))
def test_what_a_cut_goes_through_is_left_out_as_a_whole(place: int) -> None:
    text = "x" * (LONGEST_TEXT - place - 1) + " anna.smith@example.org and more"
    kept = Redactor().text(text)
    assert "anna" not in kept
    assert "smith" not in kept


def test_of_a_long_stack_the_end_stays() -> None:
    redactor = Redactor()
    stack = "".join(f'  File "a.py", line {line}, in call\n' for line in range(2000))
    kept = redactor.stack(f"{stack}    raise Broken")
    assert kept.startswith('…\n  File "a.py", line ')
    assert kept.endswith("line 1999, in call\n    raise Broken")
    assert len(kept) <= LONGEST_TEXT
    assert redactor.cut == 1


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)),
        ["word " * 10_000] * 1_000,
        {str(number): "word" for number in range(100_000)},
        {"k" * 1_000_000: "v"},
        [[[["word"] * 100] * 100] * 100] * 100,
        10**6000,
        [10**6000, 1],
    ],
    ids=["numbers", "texts", "pairs", "name", "nested", "integer", "integers"],
)
def test_a_value_of_any_size_takes_little(value: Any) -> None:
    clean = Redactor().field("value", value)
    # As much as the backend takes (wire.limits).
    assert len(orjson.dumps(attribute_value(clean))) < AttributeLimits().value_length


def test_a_value_that_holds_itself_ends_somewhere() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    redactor = Redactor()
    assert CUT in str(redactor.field("loop", loop))
    assert redactor.cut == 1


def test_lines_of_any_length_are_cut_and_counted(door: SimpleNamespace) -> None:
    with capture(door.contract, Settings(log_value_characters=10)) as seen:
        logger = logging.getLogger("door")
        logger.warning("word " * 100_000, extra={"note": "n" * 20_000, "big": 10**6000})
        try:
            raise ValueError("why " * 100_000)
        except ValueError:
            logger.exception("it broke")
        line, failed = seen.logs
        assert seen.value(own.CUT) == 3
    assert line.message.endswith("word…")
    assert (line.attributes["note"], line.attributes["big"]) == ("n" * 10, "an integer")
    assert len(str(failed.attributes["exception.message"])) <= LONGEST_TEXT + 1


@pytest.mark.parametrize(
    "piece",
    [
        "a", "a_", "1 ", "1(", "1-", "eyJ-", "Key (a)=(", "password=\"", "token='", "a.a@a.", "A1 ",
        "http://a:", "Aa-", "1 Aa ", "input_value=", "DE12 ", "Failing row contains (", "00+1 ",
        "-----BEGIN PRIVATE KEY-----", "bearer ",
    ],
)  # fmt: skip
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    text = piece * (16_000 // len(piece)) + " @ :// token key ( invalid input street"
    started = time.process_time()
    Redactor().text(text)
    assert time.process_time() - started < 1.0


def test_what_was_removed_is_counted_by_kind(seen: Captured, door: SimpleNamespace) -> None:
    with seen.telemetry.span(door.work, note="a@b.de and c@d.de", password="x"):
        pass
    assert seen.value(own.REDACTED, kind="email") == 2
    assert seen.value(own.REDACTED, kind="password") == 1


def test_nothing_of_a_corpus_leaks_through_any_signal(
    seen: Captured, door: SimpleNamespace
) -> None:
    secrets = ("jane@example.org", "4111111111111111", "hunter2", "eyJhbGciOi.eyJ.x", "123-45-6789")
    told = f"{secrets[0]} {secrets[1]} password={secrets[2]} token={secrets[3]} {secrets[4]}"
    telemetry = seen.telemetry
    with telemetry.span(door.work, name=told, note=told, list=[told]) as span:
        span.add_event(told, {"note": told})
        span.record_exception(ValueError(told))
        logging.getLogger(told).warning("%s", told, extra={"note": told})
        telemetry.counter(door.visits).inc(page=told)
    everything = repr(seen.spans) + repr(seen.logs) + telemetry.exposition()[0].decode()
    for secret in secrets:
        assert secret not in everything
