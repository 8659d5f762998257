"""What bench/mixed.py appends, made by processes of their own and handed over by pipes.

So memory and time of the process that is measured are those of the store, and of records that
live until they are acknowledged.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import chain, cycle, islice
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from operator import attrgetter
from typing import Any

import numpy as np
import store_data

from watchkeeper.model import Labels, LogRecord, SpanRecord

TARGETS, SERIES_PER_TARGET = 20, 5_000
ROWS_A_BATCH, BATCHES_A_SECOND = 500, 10
A_SECOND = {"samples": TARGETS, "logs": BATCHES_A_SECOND, "spans": BATCHES_A_SECOND}
_BLOCKS = SERIES_PER_TARGET // store_data.SERIES_PER_TARGET


def labels_of_targets() -> list[list[Labels]]:
    """Return the series of each target, in the order of its values."""
    batches = list(store_data.sample_batches(TARGETS * _BLOCKS, 1))
    return [
        [
            one
            for batch in batches[target * _BLOCKS : (target + 1) * _BLOCKS]
            for one in batch.labels
        ]
        for target in range(TARGETS)
    ]


def scrapes() -> Iterator[tuple[int, Any]]:
    """Yield a target's number and its values now, one target after the other, without end."""
    chance = np.random.default_rng(4)
    batches = list(store_data.sample_batches(TARGETS * _BLOCKS, 1))
    values = np.concatenate([batch.values for batch in batches]).reshape(TARGETS, -1)
    for number in cycle(range(TARGETS)):
        values[number] += chance.integers(0, 5, SERIES_PER_TARGET)
        yield number, values[number].copy()


def logs() -> Iterator[list[LogRecord]]:
    """Yield batches of now, without end; the messages come again, the traces do not."""
    chance = random.Random(4)
    made = list(chain.from_iterable(store_data.log_batches(20_000)))
    for first in cycle(range(0, len(made), ROWS_A_BATCH)):
        now_ns = time.time_ns()
        yield [
            replace(
                one,
                timestamp_ns=now_ns + place,
                trace_id=f"{chance.getrandbits(128):032x}" if one.trace_id else "",
            )
            for place, one in enumerate(made[first : first + ROWS_A_BATCH])
        ]


def spans() -> Iterator[list[SpanRecord]]:
    """Yield batches of whole traces of now, without end."""
    chance = random.Random(5)
    made = list(islice(chain.from_iterable(store_data.span_batches(20_000)), 19_992))
    size = ROWS_A_BATCH // 8 * 8
    for first in cycle(range(0, len(made) - size, size)):
        now_ns, some = time.time_ns(), made[first : first + size]
        begin_ns = some[0].start_ns
        ids = [f"{chance.getrandbits(128):032x}" for _ in range(0, size, 8)]
        yield [
            replace(
                one,
                trace_id=ids[place // 8],
                start_ns=now_ns + (one.start_ns - begin_ns) // 100,
                end_ns=now_ns + (one.start_ns - begin_ns) // 100 + one.end_ns - one.start_ns,
            )
            for place, one in enumerate(some)
        ]


_SOURCES = {"samples": scrapes, "logs": logs, "spans": spans}


def start(what: str) -> tuple[BaseProcess, Connection]:
    """Start a process that makes a batch of a signal whenever it gets a message."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(what, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _as_rows(batch: Any) -> Any:
    """Return records as what they are made from: to make them is the receiver's work."""
    if not isinstance(batch, list):
        return batch
    get = attrgetter(*(field.name for field in fields(batch[0])))
    return list(map(get, batch))


def _serve(what: str, pipe: Connection) -> None:
    source = _SOURCES[what]()
    try:
        while True:
            pipe.recv_bytes()
            pipe.send(_as_rows(next(source)))
    except (EOFError, OSError):
        return
