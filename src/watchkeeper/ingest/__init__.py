"""What comes in: scraped and received, validated, limited, written."""

from watchkeeper.ingest.bulk import BulkReceiver
from watchkeeper.ingest.config import PrometheusConfig, load_config
from watchkeeper.ingest.limits import IngestLimits, load_limits
from watchkeeper.ingest.quota import Quotas
from watchkeeper.ingest.receive import OtlpReceiver
from watchkeeper.ingest.remote_write import RemoteWriteReceiver
from watchkeeper.ingest.scrape import Scraper, TargetStatus
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal
from watchkeeper.ingest.tail import LogTailer

__all__ = [
    "BulkReceiver",
    "IngestLimits",
    "IngestStatistics",
    "LogTailer",
    "OtlpReceiver",
    "PrometheusConfig",
    "Quotas",
    "Refusal",
    "RemoteWriteReceiver",
    "Scraper",
    "Signal",
    "TargetStatus",
    "load_config",
    "load_limits",
]
