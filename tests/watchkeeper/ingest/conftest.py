"""A sink that remembers, and the files of a job."""

import numpy as np
import pytest

from watchkeeper.ingest import load_config
from watchkeeper.testing import FakeClock


class RememberingSink:
    def __init__(self):
        self.batches = []
        self.failure = None
        self.refuses = 0

    def append(self, batch):
        if self.failure is not None:
            raise self.failure
        self.batches.append(batch)
        return self.refuses

    def rows(self, number=-1):
        """The samples of a batch by metric name, with a stale marker as the word."""
        batch = self.batches[number]
        stale = batch.values.view(np.uint64) == 0x7FF0000000000002
        return {
            dict(series)["__name__"]: "stale" if old else value
            for series, value, old in zip(batch.labels, batch.values.tolist(), stale, strict=True)
        }


@pytest.fixture
def sink():
    return RememberingSink()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def configured(tmp_path):
    def load(job, general="scrape_interval: 15s"):
        path = tmp_path / "prometheus.yml"
        path.write_text(f"global: {{{general}}}\nscrape_configs:\n- {{job_name: api, {job}}}\n")
        return load_config(path)

    return load
