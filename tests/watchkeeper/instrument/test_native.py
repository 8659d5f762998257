"""A histogram that is native too: right buckets, one sum over processes, both forms scraped."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper import Contract, ContractError, Histogram, Settings, Signals, Telemetry
from watchkeeper.contract import NativeBuckets
from watchkeeper.instrument.native import NativeCells
from watchkeeper.model import NativeHistogram
from watchkeeper.testing import capture
from watchkeeper.wire import exposition

PROTOBUF = "application/vnd.google.protobuf"
WAIT = Histogram(
    name="wait_seconds",
    help="Wait.",
    unit="seconds",
    buckets=(0.1, 1.0),
    native=NativeBuckets(schema=2, lowest_exponent=-10, highest_exponent=3),
)
CONTRACT = Contract(service="shop", version="1", signals=Signals(metrics=(WAIT,)))
CELLS = NativeCells(NativeBuckets())


def scraped(telemetry: Telemetry) -> NativeHistogram:
    body, content_type = telemetry.exposition(PROTOBUF)
    [histogram] = exposition.parse(body, content_type, 0).histograms.values()
    return histogram


@given(st.floats(2.0**-20, 2.0**14, exclude_min=True))
def test_an_observation_lies_in_its_bucket(value: float) -> None:
    cells = [0.0] * CELLS.size
    cells[CELLS.cell(value)] = 1.0
    [index] = CELLS.histogram(cells, value).positive
    assert 2 ** ((index - 1) / 8) * (1 - 1e-15) <= value <= 2 ** (index / 8) * (1 + 1e-15)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (0.0, 0),
        (-5.0, 0),
        (math.nan, 0),
        (2.0**-20, 0),
        (math.nextafter(2.0**-20, 1), 1),
        (2.0**14, CELLS.size - 1),
        (1e300, CELLS.size - 1),
        (math.inf, CELLS.size - 1),
    ],
)
def test_what_lies_outside_counts_at_the_ends(value: float, cell: int) -> None:
    assert CELLS.cell(value) == cell


def test_whoever_asks_for_protobuf_gets_it_and_others_the_classic_form() -> None:
    with capture(CONTRACT) as seen:
        for seconds in (0.0, 0.05, 0.05, 2.0):
            seen.telemetry.histogram(WAIT).observe(seconds)
        found = scraped(seen.telemetry)
        text = seen.telemetry.exposition()[0].decode()
    assert (found.schema, found.count, found.zero_count) == (2, 4, 1)
    assert found.sum == pytest.approx(2.1)
    assert sorted(found.positive.values()) == [1, 2]
    assert found.zero_threshold == 2**-10
    assert 'wait_seconds_bucket{le="0.1"} 3' in text
    assert "wait_seconds_count 4" in text
    assert seen.value(WAIT) == 4


def test_processes_add_up(tmp_path: Path) -> None:
    settings = Settings(process_directory=str(tmp_path), log="off", background=False)
    with Telemetry(CONTRACT, settings) as telemetry:
        telemetry.histogram(WAIT).observe(2.0)
        child = os.fork()
        if child == 0:
            telemetry.histogram(WAIT).observe(2.0)
            telemetry.histogram(WAIT).observe(0.0)
            os._exit(0)
        os.waitpid(child, 0)
        found = scraped(telemetry)
    assert (found.count, found.zero_count, found.positive) == (3, 1, {4: 2})


def test_since_when_it_counts_is_told_and_outlives_a_restart(tmp_path: Path) -> None:
    settings = Settings(process_directory=str(tmp_path), log="off", background=False)
    began = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            with Telemetry(CONTRACT, settings) as telemetry:
                telemetry.histogram(WAIT).observe(1.0)
            os._exit(0)
        os.waitpid(child, 0)
        with Telemetry(CONTRACT, settings) as telemetry:
            body, content_type = telemetry.exposition(PROTOBUF)
            starts = set(exposition.parse(body, content_type, 0).starts_ms.values())
        began.append(starts)
    assert len(began[0]) == 1
    assert began[0] == began[1]


def test_openmetrics_tells_since_when_only_if_asked_for() -> None:
    for created in (False, True):
        with capture(CONTRACT, Settings(created_samples=created)) as seen:
            seen.telemetry.histogram(WAIT).observe(1.0)
            text = seen.telemetry.exposition("application/openmetrics-text")[0].decode()
        assert ("wait_seconds_created 1767225600\n" in text) is created


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"schema": 9}, "schema 9 must lie between 0 and 8"),
        ({"lowest_exponent": 5, "highest_exponent": 5}, "the exponents must ascend"),
        ({"schema": 8}, "8704 buckets are too many"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, int], reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        NativeBuckets(**wrong)
