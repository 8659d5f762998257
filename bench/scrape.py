"""How long a scrape of 10,000 series takes: counters with two labels, and histograms.

    python bench/scrape.py [rounds]

CPU milliseconds for the whole answer, by format: the least, and the median. `first` is the scrape
after the series were made.
"""

from __future__ import annotations

import statistics
import sys
import time

from watchkeeper import Contract, Settings, Telemetry
from watchkeeper.contract import Counter, Histogram, Label, Metric, Signals

SERIES = 10_000
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
ACCEPTS = {
    "OpenMetrics": "application/openmetrics-text; version=1.0.0",
    "Prometheus text": "text/plain",
}


def telemetry_of(metric: Metric) -> Telemetry:
    contract = Contract(service="bench", version="1", signals=Signals(metrics=(metric,)))
    return Telemetry(contract, Settings(background=False, log="off"))


def counters() -> Telemetry:
    labels = (Label("tenant", limit=1_000), Label("kind", limit=1_000))
    metric = Counter(name="visits_total", help="Visits.", labels=labels)
    telemetry = telemetry_of(metric)
    for number in range(SERIES):
        telemetry.counter(metric).inc(
            number % 97, tenant=f"tenant-{number // 100}", kind=f"kind-{number % 100}"
        )
    return telemetry


def histograms() -> Telemetry:
    """Series of buckets, sum and count add up to SERIES."""
    metric = Histogram(
        name="wait_seconds",
        help="Waits.",
        unit="seconds",
        labels=(Label("queue", limit=1_000),),
        buckets=BUCKETS,
    )
    telemetry = telemetry_of(metric)
    for number in range(SERIES // (len(BUCKETS) + 3)):
        telemetry.histogram(metric).observe(number % 7 / 3, queue=f"queue-{number}")
    return telemetry


def scrape(telemetry: Telemetry, accept: str) -> tuple[float, int]:
    before = time.process_time()
    body, _ = telemetry.exposition(accept)
    return (time.process_time() - before) * 1e3, len(body)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"{'':32}{'least ms':>10}{'median':>10}{'first':>10}{'bytes':>10}")
    for name, telemetry in (("counters", counters()), ("histograms", histograms())):
        for form, accept in ACCEPTS.items():
            times = [scrape(telemetry, accept) for _ in range(rounds)]
            spent = [milliseconds for milliseconds, _ in times]
            median = statistics.median(spent[1:])
            print(
                f"{f'{SERIES} {name}, {form}':32}{min(spent):10.1f}{median:10.1f}"
                f"{spent[0]:10.1f}{times[0][1]:10}"
            )


if __name__ == "__main__":
    main()
