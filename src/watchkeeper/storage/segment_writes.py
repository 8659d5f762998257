"""Moving hot data into the segment files of their periods, so that a reader sees it once.

What is written bears a sequence above the file's watermark, and readers leave that out. Once
the file is at rest on disk, with no reader inside, the watermark rises and the data leaves
hot memory. A write that fails leaves the file as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchkeeper.errors import StorageError
from watchkeeper.storage.engine import Cursor, EngineError
from watchkeeper.storage.gate import Gate
from watchkeeper.storage.segments import Segment, Segments

Insert = Callable[[Cursor, Segment], None]


def write_periods(
    segments: Segments,
    readers: Gate,
    sequence: int,
    inserts: Mapping[int, Insert],
    leave_hot: Callable[[int], None],
) -> None:
    """Run the insert of every period (by its start, ns) in a transaction of its file.

    Calls `leave_hot` for each period whose file has it; the others stay hot. Raises
    StorageError after all were tried.
    """
    failures: list[str] = []
    opened: list[Segment] = []
    with readers.alone():
        for segment in segments.damaged():
            segments.set_aside(segment)
        for start_ns in inserts:
            try:
                opened.append(segments.begin_writing(start_ns))
            except (EngineError, OSError) as error:
                failures.append(f"the segment of {start_ns}: {error}")
    failed = []
    for segment in opened:
        try:
            _write(segments, segment, sequence, inserts[segment.start_ns])
        except EngineError as error:
            failures.append(f"{segment.path}: {error}")
            failed.append(segment)
    with readers.alone():
        for segment in opened:
            if segments.end_writing(segment, sequence, failed=segment in failed):
                leave_hot(segment.start_ns)
    if failures:
        raise StorageError(
            "hot data could not be moved into segments and stays in the log: " + "; ".join(failures)
        )


def _write(segments: Segments, segment: Segment, sequence: int, insert: Insert) -> None:
    with segments.cursor() as cursor:
        cursor.execute("BEGIN")
        insert(cursor, segment)
        cursor.execute(f"UPDATE {segment.catalog}.watermark SET sequence = ?", [sequence])
        cursor.execute("COMMIT")
        cursor.execute(f"FORCE CHECKPOINT {segment.catalog}")
