"""Moving hot data into the segment files of their periods, so that a reader sees it once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from watchkeeper.errors import StorageError
from watchkeeper.storage.engine import Cursor, EngineError
from watchkeeper.storage.gate import Gate
from watchkeeper.storage.segments import Segment, Segments

Insert = Callable[[Cursor, Segment], None]


@dataclass(slots=True)
class _Staged:
    segment: Segment
    cursor: Cursor
    committed: bool = False


def write_periods(
    segments: Segments,
    readers: Gate,
    sequence: int,
    inserts: Mapping[int, Insert],
    leave_hot: Callable[[int], None],
) -> None:
    """Run the insert of every period (by its start) in a transaction of its file.

    With no reader inside, commits and calls `leave_hot` for each period that was; a period
    that fails stays hot. Raises StorageError after the others were done.
    """
    failures: list[str] = []
    with readers.alone():
        for segment in segments.damaged():
            segments.set_aside(segment)
    staged = [
        one
        for start_ns, insert in inserts.items()
        if (one := _stage(segments, sequence, start_ns, insert, failures)) is not None
    ]
    with readers.alone():
        for one in staged:
            try:
                one.cursor.execute("COMMIT")
            except EngineError as error:
                failures.append(f"{one.segment.path}: {error}")
                continue
            one.committed = True
            one.segment.derived = {}
            leave_hot(one.segment.start_ns)
    for one in staged:
        one.cursor.close()
        try:
            segments.close_written(one.segment, sequence if one.committed else None)
        except EngineError as error:
            failures.append(f"{one.segment.path}: {error}")
    if failures:
        raise StorageError(
            "hot data could not be moved into segments and stays in the log: " + "; ".join(failures)
        )


def _stage(
    segments: Segments, sequence: int, start_ns: int, insert: Insert, failures: list[str]
) -> _Staged | None:
    try:
        segment, cursor = segments.open_for_writing(start_ns)
    except (EngineError, OSError) as error:
        failures.append(f"period {start_ns}: {error}")
        return None
    try:
        cursor.execute("BEGIN")
        insert(cursor, segment)
        cursor.execute(f"UPDATE {segment.catalog}.watermark SET sequence = ?", [sequence])
    except EngineError as error:
        failures.append(f"{segment.path}: {error}")
        cursor.close()
        segments.close_written(segment, None)
        return None
    return _Staged(segment, cursor)
