"""Files that people upload and the service reads."""

from watchkeeper.contract import (
    Alert,
    Counter,
    Histogram,
    Label,
    Panel,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Span,
    Urgency,
)
from watchkeeper.conventions.queries import quantile, quantiles, share

FILE_TYPE = Label("file_type", values=("pdf", "docx", "txt"))

UPLOAD_SIZE = Histogram(
    name="file_upload_size_bytes",
    help="Size of uploaded files.",
    unit="bytes",
    buckets=(1024, 10240, 102400, 1048576, 10485760),
)
PROCESSED = Counter(
    name="files_processed_total",
    help="Files read, by type and how it went.",
    labels=(FILE_TYPE, Label("status", values=("success", "failed", "rejected"))),
)
PROCESSING_DURATION = Histogram(
    name="file_processing_duration_seconds",
    help="Time to read a file, failed ones too.",
    labels=(FILE_TYPE,),
    unit="seconds",
)
PROCESSING_SPAN = Span(
    "file_processing",
    "One file read into text.",
    attributes=("file.type", "file.size_bytes", "error.type"),
)

SIGNALS = Signals(metrics=(UPLOAD_SIZE, PROCESSED, PROCESSING_DURATION), spans=(PROCESSING_SPAN,))

FAILED = f'{PROCESSED.name}{{status="failed"}}'
ROW = Row(
    "Files",
    (
        Panel(
            title="Files processed",
            description="Files over the last hour by type and how reading them went.",
            queries=(
                Query(
                    f"sum by (file_type, status) (increase({PROCESSED.name}[1h]))",
                    "{{file_type}} {{status}}",
                ),
            ),
            width=8,
        ),
        Panel(
            title="Time to read a file",
            description="How long 95 of a hundred files take at most, by type.",
            queries=(
                Query(quantile(0.95, PROCESSING_DURATION.name, "file_type"), "{{file_type}}"),
            ),
            unit="s",
            width=8,
        ),
        Panel(
            title="Size of uploads",
            description="Half, 95 and 99 of a hundred files are smaller.",
            queries=quantiles(UPLOAD_SIZE.name),
            unit="bytes",
            width=8,
        ),
    ),
)


def watched(failure_ratio: float = 0.1) -> Part:
    """Return files with an alert on more failures than `failure_ratio`; those that people have
    to mend are not failures."""
    return Part(
        name="files",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="FileProcessingFailures",
                expression=f"{share(FAILED, PROCESSED.name, '10m')} > {failure_ratio:g}",
                for_seconds=300,
                severity=Urgency.WARNING,
                summary="Files cannot be read",
                description=(
                    "{{ $value | humanizePercentage }} of the files of the last 10 minutes could"
                    " not be read, and not for what is in them."
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "FileProcessingFailures",
                "Files that are in order cannot be read.",
                (
                    "Look at *Files processed*: one type, or all? At the logs: one error, or many?",
                    "Is there room on the disk, memory for the reader, was a library changed?",
                ),
            ),
        ),
    )
