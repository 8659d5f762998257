"""What a running service really emits, held against its contract."""

from watchkeeper.live.comparison import compare
from watchkeeper.live.difference import Difference, Kind, as_data, as_text
from watchkeeper.live.emitted import Emitted
from watchkeeper.live.sources import Source, emitted_at

__all__ = [
    "Difference",
    "Emitted",
    "Kind",
    "Source",
    "as_data",
    "as_text",
    "compare",
    "emitted_at",
]
