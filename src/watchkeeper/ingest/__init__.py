"""What comes in: scraped and received, validated, limited, written."""

from watchkeeper.ingest.bulk import BulkReceiver
from watchkeeper.ingest.config import PrometheusConfig, load_config
from watchkeeper.ingest.receive import OtlpReceiver, ReceiveLimits
from watchkeeper.ingest.remote_write import RemoteWriteReceiver
from watchkeeper.ingest.scrape import Scraper, TargetStatus
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal
from watchkeeper.ingest.tail import LogTailer

__all__ = [
    "BulkReceiver",
    "IngestStatistics",
    "LogTailer",
    "OtlpReceiver",
    "PrometheusConfig",
    "ReceiveLimits",
    "Refusal",
    "RemoteWriteReceiver",
    "Scraper",
    "Signal",
    "TargetStatus",
    "load_config",
]
