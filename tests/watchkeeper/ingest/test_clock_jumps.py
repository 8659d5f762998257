"""What docs/ingest.md says of clocks that jump: scrapes wait until the clock has caught up."""

import httpx2
import pytest

from watchkeeper.ingest import Refusal, Signal
from watchkeeper.ingest.discovery import Discovery
from watchkeeper.ingest.relabel import Relabeler
from watchkeeper.ingest.samples import TargetSamples
from watchkeeper.ingest.scrape import TargetBeat
from watchkeeper.ingest.statistics import Tally
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.storage.memory import MemoryStore
from watchkeeper.testing import FakeClock

pytestmark = pytest.mark.anyio
PAGE = {"content-type": "text/plain; version=0.0.4"}
SERIES = 6
"""The page's one, up, and four that tell of the scrape."""


class WallClock(FakeClock):
    """Its time can be set; what has passed is not changed by that."""

    ahead_seconds = 0

    def time_ns(self):
        return super().time_ns() + self.ahead_seconds * 10**9


class Scraping:
    """One target, scraped now and then into a store."""

    def __init__(self, config):
        (job,) = config.scrape_configs
        ((target,), _) = Discovery(job, source="test").targets()
        self.clock, self.store, self.tally = WallClock(), MemoryStore().metrics, Tally()
        self.beat = TargetBeat(
            job,
            target,
            TargetSamples(job, target, Relabeler.compile((), source="test", path="")),
            self.store,
            self.clock,
            httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer)),
            self.tally,
        )
        self.pages = 0

    def answer(self, request):
        self.pages += 1
        return httpx2.Response(200, text=f"page {self.pages}\n", headers=PAGE)

    async def after(self, seconds):
        """Scrape, and return what was refused of it as out of order."""
        before = self.refused
        self.clock.advance(seconds)
        await self.beat.scrape()
        return self.refused - before

    @property
    def refused(self):
        return self.tally.snapshot().refused.get((Signal.SAMPLES, Refusal.OUT_OF_ORDER), 0)

    @property
    def pages_kept(self):
        matcher = Matcher("__name__", MatchOperator.EQUAL, "page")
        (series,) = self.store.select([matcher], 0, 2**62)
        return series.values.tolist()


@pytest.fixture
def scraping(configured):
    return Scraping(configured("static_configs: [{targets: ['one:80']}]"))


async def test_a_clock_that_is_set_back_has_scrapes_refused_until_it_has_caught_up(scraping):
    assert [await scraping.after(15), await scraping.after(15)] == [0, 0]
    scraping.clock.ahead_seconds = -40
    assert [await scraping.after(15), await scraping.after(15)] == [SERIES, SERIES]
    assert await scraping.after(15) == 0
    assert scraping.pages_kept == [1, 2, 5]
    assert scraping.beat.status().health == "up"


async def test_a_clock_that_jumps_ahead_has_nothing_refused_until_it_is_set_right(scraping):
    assert await scraping.after(15) == 0
    scraping.clock.ahead_seconds = 86_400
    assert [await scraping.after(15), await scraping.after(15)] == [0, 0]
    scraping.clock.ahead_seconds = 0
    assert await scraping.after(15) == SERIES
    assert await scraping.after(86_400) == 0
    assert scraping.pages_kept == [1, 2, 3, 5]
