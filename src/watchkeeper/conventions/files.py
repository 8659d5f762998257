"""Files that people upload and the service reads."""

from watchkeeper.contract import Counter, Histogram, Label, Signals, Span

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
