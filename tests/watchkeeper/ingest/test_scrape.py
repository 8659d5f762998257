"""Scraping, from the configuration to the batches, with a fake target and a fake time."""

import asyncio
import contextlib
import gzip
import math

import httpx2
import pytest

from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.ingest import Refusal, Scraper, Signal

TARGET = "static_configs: [{targets: ['one:80']}]"
pytestmark = pytest.mark.anyio


class Targets:
    """Answers scrapes with the given bodies, one after the other; the last is repeated."""

    def __init__(self, *answers, content_type="text/plain; version=0.0.4"):
        self.answers = list(answers)
        self.requests = []
        self.content_type = content_type

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx2.Response):
            return answer
        return httpx2.Response(200, text=answer, headers={"content-type": self.content_type})


class Beats:
    """Sleeps that let the fake clock advance, and end the run after so many scrapes."""

    def __init__(self, clock, scrapes):
        self.clock, self.scrapes = clock, scrapes
        self.slept = []

    async def __call__(self, seconds):
        if asyncio.current_task().get_coro().__qualname__ != "TargetBeat.run":
            await asyncio.Event().wait()
        if len(self.slept) == self.scrapes:
            raise EnoughError
        self.slept.append(seconds)
        self.clock.advance(seconds)


class EnoughError(Exception):
    """The run has scraped as often as the test wants."""


@pytest.fixture
def scraped(configured, sink, clock):
    async def run(targets, job=TARGET, scrapes=1):
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(targets))
        beats = Beats(clock, scrapes)
        scraper = Scraper(configured(job), sink, clock=clock, client=client, sleep=beats)
        with pytest.raises(ExceptionGroup):
            await scraper.run()
        scraper.slept = beats.slept
        return scraper

    return run


async def test_a_scrape_is_stored_with_the_targets_labels_and_a_report(scraped, sink):
    scraper = await scraped(Targets("# TYPE a gauge\na{x='1'} 2\n".replace("'", '"')))
    (batch,) = sink.batches
    assert batch.labels[0] == (
        ("__name__", "a"),
        ("instance", "one:80"),
        ("job", "api"),
        ("x", "1"),
    )
    assert sink.rows() == {
        "a": 2.0,
        "up": 1.0,
        "scrape_duration_seconds": 0.0,
        "scrape_samples_scraped": 1.0,
        "scrape_samples_post_metric_relabeling": 1.0,
        "scrape_series_added": 1.0,
    }
    assert [item.name for item in batch.metadata] == ["a"]
    (status,) = scraper.targets()
    assert (status.health, status.url, status.last_error) == ("up", "http://one:80/metrics", "")
    assert scraper.statistics().received == {Signal.SAMPLES: 6}


async def test_a_series_that_vanishes_is_marked_stale_once(scraped, sink):
    await scraped(Targets("a 1\nb 1\n", "a 1\n", "a 1\n"), scrapes=3)
    assert sink.rows(1)["b"] == "stale"
    assert "b" not in sink.rows(2)
    assert sink.rows(1)["scrape_series_added"] == 0.0


async def test_a_target_that_fails_is_down_and_its_series_are_stale(scraped, sink):
    scraper = await scraped(Targets("a 1\n", httpx2.ConnectError("refused"), "a 2\n"), scrapes=3)
    assert sink.rows(1)["up"] == 0.0
    assert sink.rows(1)["a"] == "stale"
    assert sink.rows(2) | {"up": 1.0, "a": 2.0} == sink.rows(2)
    assert scraper.targets()[0].health == "up"


REFUSED = httpx2.ConnectError("refused")


@pytest.mark.parametrize(
    ("answers", "starting"),
    [
        ([REFUSED], True),
        ([REFUSED] * 4, True),
        ([REFUSED] * 6, False),
        (["a 1\n"], False),
        (["a 1\n", REFUSED], False),
        ([REFUSED, "a 1\n", REFUSED], False),
    ],
)
async def test_a_target_that_has_not_answered_yet_may_be_starting_for_a_minute(
    scraped, answers, starting
):
    # Every fifteen seconds.
    scraper = await scraped(Targets(*answers), scrapes=len(answers))
    assert scraper.targets()[0].starting is starting


@pytest.mark.parametrize(
    ("answer", "job", "reason"),
    [
        (httpx2.Response(503), "", "HTTP status 503"),
        ("a x\n", "", "line 1: 'x' is not a number"),
        (httpx2.ReadTimeout("slow"), "", "ReadTimeout"),
        ("a 1\nb 1\n", "sample_limit: 1", "sample_limit is 1"),
        ("a 1\n" * 9, "body_size_limit: 10B", "body_size_limit of 10 bytes"),
        ('a{x="1"} 1\n', "label_limit: 3", "label_limit is 3"),
        ('a{x="long"} 1\n', "label_value_length_limit: 3", "label_value_length_limit is 3"),
        ("a 1", "authorization: {credentials_file: missing}", "credentials: No such file"),
    ],
)
async def test_what_is_wrong_is_told_in_the_targets_status(scraped, sink, answer, job, reason):
    scraper = await scraped(Targets(answer), f"{TARGET}, {job}" if job else TARGET)
    (status,) = scraper.targets()
    assert status.health == "down"
    assert reason in status.last_error
    assert sink.rows() == {
        "up": 0.0,
        "scrape_duration_seconds": 0.0,
        "scrape_samples_scraped": 0.0,
        "scrape_samples_post_metric_relabeling": 0.0,
        "scrape_series_added": 0.0,
    }


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (StoreFullError("disk full"), Refusal.STORE_FULL),
        (OverloadError("too much"), Refusal.LIMIT),
        (RuntimeError("broken"), Refusal.STORE_FAILED),
    ],
)
async def test_a_store_that_refuses_never_stops_the_beat(scraped, sink, failure, reason):
    sink.failure = failure
    targets = Targets("a 1\n")
    scraper = await scraped(targets, scrapes=3)
    assert len(targets.requests) == 3
    assert scraper.statistics().refused == {(Signal.SAMPLES, reason): 18}
    assert str(failure) in scraper.targets()[0].last_error


async def test_scrapes_come_once_an_interval_at_the_targets_own_offset(scraped):
    scraper = await scraped(Targets("a 1\n"), scrapes=4)
    assert scraper.slept[0] < 1.0
    assert all(math.isclose(seconds, 15.0) for seconds in scraper.slept[2:])


async def test_own_timestamps_are_honoured_unless_told_otherwise(scraped, sink):
    await scraped(Targets("a 1 77\n"))
    assert sink.batches[0].timestamps_ms[0] == 77
    await scraped(Targets("a 1 77\n"), f"{TARGET}, honor_timestamps: false")
    assert sink.batches[-1].timestamps_ms[0] == sink.batches[-1].timestamps_ms[-1]


async def test_clashing_labels_are_kept_beside_the_targets_own(scraped, sink):
    await scraped(Targets('a{job="theirs"} 1\n'))
    assert dict(sink.batches[0].labels[0])["exported_job"] == "theirs"
    await scraped(Targets('a{job="theirs"} 1\n'), f"{TARGET}, honor_labels: true")
    assert dict(sink.batches[-1].labels[0])["job"] == "theirs"


async def test_metric_relabelling_drops_series_and_counts_both_ways(scraped, sink):
    rule = "metric_relabel_configs: [{source_labels: [__name__], regex: b, action: drop}]"
    await scraped(Targets("a 1\nb 1\n"), f"{TARGET}, {rule}")
    assert "b" not in sink.rows()
    assert sink.rows()["scrape_samples_scraped"] == 2.0
    assert sink.rows()["scrape_samples_post_metric_relabeling"] == 1.0


async def test_relabelling_decides_where_to_scrape(scraped):
    rule = "relabel_configs: [{target_label: __address__, replacement: 'two:81'}]"
    targets = Targets("a 1\n")
    job = f"{TARGET}, {rule}, metrics_path: /m, scheme: https, params: {{q: [x, y]}}"
    await scraped(targets, job)
    assert str(targets.requests[0].url) == "https://two:81/m?q=x&q=y"


async def test_credentials_and_the_wish_for_openmetrics_are_sent(scraped):
    targets = Targets("a 1\n")
    await scraped(targets, f"{TARGET}, basic_auth: {{username: u, password: p}}")
    headers = targets.requests[0].headers
    assert headers["authorization"] == "Basic dTpw"
    assert headers["accept"] == (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
        "*/*;q=0.2"
    )
    assert headers["x-prometheus-scrape-timeout-seconds"] == "10"


async def test_an_exemplar_is_passed_on_once(scraped, sink):
    body = '# TYPE a counter\na_total 1 # {trace_id="ab"} 0.5 1\n# EOF\n'
    await scraped(Targets(body, content_type="application/openmetrics-text"), scrapes=2)
    first, second = sink.batches
    assert [item.labels for _, item in first.exemplars] == [(("trace_id", "ab"),)]
    assert second.exemplars == []
    assert second.metadata == []


async def test_a_compressed_answer_is_opened(scraped, sink):
    answer = httpx2.Response(
        200,
        content=gzip.compress(b"a 5\n"),
        headers={"content-encoding": "gzip", "content-type": "text/plain"},
    )
    await scraped(Targets(answer))
    assert sink.rows()["a"] == 5.0


@pytest.mark.parametrize(
    ("secret", "failure"),
    [
        ("geheim-€", None),
        ("geheim", httpx2.LocalProtocolError("Illegal header value b'Bearer geheim'")),
    ],
)
async def test_credentials_that_cannot_be_sent_are_told_of_and_not_told(
    scraped, sink, secret, failure
):
    job = f"authorization: {{credentials: '{secret}'}}, {TARGET}"
    scraper = await scraped(Targets(failure or "a 1\n"), job=job, scrapes=2)
    (status,) = scraper.targets()
    assert status.health == "down"
    assert "credentials" in status.last_error
    assert "geheim" not in status.last_error
    assert sink.rows(1)["up"] == 0.0


async def test_a_failure_that_nobody_foresaw_does_not_stop_the_beat(scraped, sink, caplog):
    scraper = await scraped(Targets(RuntimeError("a bug"), "a 1\n"), scrapes=2)
    assert [sink.rows(number)["up"] for number in (0, 1)] == [0.0, 1.0]
    assert scraper.targets()[0].health == "up"
    assert "a bug" in caplog.text


NATIVE_TYPE = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)


def native_family(buckets):
    """One histogram with so many native buckets of one observation each, and no classic ones."""
    spans = bytes([0x62, 4, 0x08, 2, 0x10, buckets]) + bytes(
        [0x6A, buckets, 2, *[0] * (buckets - 1)]
    )
    histogram = bytes([0x08, buckets, 0x28, 16, *spans])
    metric = bytes([0x3A, len(histogram)]) + histogram
    body = b"\x0a\x04wait\x18\x04\x22" + bytes([len(metric)]) + metric
    return bytes([len(body)]) + body


def answered(content, kind=NATIVE_TYPE):
    return httpx2.Response(200, content=content, headers={"content-type": kind})


async def test_native_histograms_are_asked_for_and_stored(scraped, sink):
    targets = Targets(answered(native_family(4)), answered(b""))
    await scraped(targets, f"scrape_native_histograms: true, {TARGET}", scrapes=2)
    assert (
        targets.requests[0]
        .headers["accept"]
        .startswith(
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
            "encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0"
        )
    )
    histogram = sink.batches[0].histograms[0]
    assert (histogram.schema, histogram.count) == (8, 4)
    assert len(sink.batches[0].histograms) == len(sink.batches[0].labels)
    assert sink.rows(1)["wait"] == "stale"


@pytest.mark.parametrize(("most", "schema"), [(2, 7), (1, 6)])
async def test_native_histograms_are_made_coarser(scraped, sink, most, schema):
    options = f"scrape_native_histograms: true, native_histogram_bucket_limit: {most}"
    await scraped(Targets(answered(native_family(4))), f"{options}, {TARGET}")
    assert sink.batches[0].histograms[0].schema == schema


async def test_an_answer_of_no_known_type_needs_a_fallback(scraped, sink):
    scraper = await scraped(Targets(answered(b"a 1\n", "text/html")))
    assert "fallback_scrape_protocol" in scraper.targets()[0].last_error
    fallback = f"fallback_scrape_protocol: PrometheusText0.0.4, {TARGET}"
    await scraped(Targets(answered(b"a 1\n", "text/html")), fallback)
    assert sink.rows()["a"] == 1.0


async def test_protocols_are_asked_for_in_the_order_of_the_file(scraped):
    targets = Targets("a 1\n")
    job = f"scrape_protocols: [PrometheusText0.0.4, PrometheusProto], {TARGET}"
    await scraped(targets, job)
    assert targets.requests[0].headers["accept"] == (
        "text/plain;version=0.0.4;q=0.6,application/vnd.google.protobuf;"
        "proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,*/*;q=0.4"
    )


async def test_a_job_with_too_many_targets_is_down_and_not_scraped(scraped, sink):
    targets = Targets("a 1\n")
    scraper = await scraped(
        targets, "target_limit: 1, static_configs: [{targets: ['one:1', 'two:2']}]", scrapes=2
    )
    assert targets.requests == []
    assert sink.rows()["up"] == 0.0
    assert scraper.targets()[0].last_error == "2 targets: target_limit is 1"


async def test_samples_too_far_ahead_are_left_out_and_counted(scraped, sink, clock):
    now_ms = clock.time_ns() // 1_000_000
    scraper = await scraped(Targets(f"a 1 {now_ms + 700_000}\nb 2 {now_ms + 500_000}\n"))
    assert "a" not in sink.rows()
    assert sink.rows()["b"] == 2.0
    assert scraper.statistics().refused == {(Signal.SAMPLES, Refusal.FUTURE): 1}


async def test_more_can_be_told_about_a_scrape(scraped, sink):
    options = "extra_scrape_metrics: true, sample_limit: 5, scrape_timeout: 2s"
    await scraped(Targets("a 1\n", httpx2.ConnectError("gone")), f"{options}, {TARGET}", scrapes=2)
    found = sink.rows(0)
    assert found["scrape_timeout_seconds"] == 2.0
    assert found["scrape_sample_limit"] == 5.0
    assert found["scrape_body_size_bytes"] == 4.0
    assert sink.rows(1)["scrape_body_size_bytes"] == -1.0


async def test_names_that_prometheus_2_did_not_know_can_be_refused(scraped, sink):
    body = '{"http.requests"} 1\n'
    await scraped(Targets(body))
    assert sink.rows()["http.requests"] == 1.0
    targets = Targets(body)
    scraper = await scraped(targets, f"metric_name_validation_scheme: legacy, {TARGET}")
    assert "http.requests" in scraper.targets()[0].last_error
    assert "escaping=underscores" in targets.requests[0].headers["accept"]


class Turns:
    """Sleeps that let every target be scraped once, and files be looked at when told to."""

    def __init__(self):
        self.look = asyncio.Queue()
        self.looked = asyncio.Queue()
        self.resting = asyncio.Queue()

    async def __call__(self, seconds):
        match asyncio.current_task().get_coro().__qualname__:
            case "TargetBeat.run" if seconds <= 1:
                return
            case "TargetBeat.run":
                self.resting.put_nowait(None)
                await asyncio.Event().wait()
            case _:
                self.looked.put_nowait(None)
                await self.look.get()


@contextlib.asynccontextmanager
async def running(scraper):
    task = asyncio.create_task(scraper.run())
    try:
        async with asyncio.timeout(10):
            yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def of_instance(sink, instance):
    """The batches of one target."""
    return [
        number
        for number, batch in enumerate(sink.batches)
        if batch.labels and ("instance", instance) in batch.labels[0]
    ]


async def test_a_target_that_is_no_longer_one_is_stale_with_all_that_tells_of_it(
    configured, sink, clock, tmp_path
):
    file = tmp_path / "targets.json"
    file.write_text('[{"targets": ["one:80"]}]')
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(Targets("a 1\n")))
    turns = Turns()
    config = configured("file_sd_configs: [{files: [targets.json]}]")
    scraper = Scraper(config, sink, clock=clock, client=client, sleep=turns)
    async with running(scraper):
        await turns.resting.get()
        clock.advance(1)
        file.write_text('[{"targets": ["another:80"]}]')
        turns.look.put_nowait(None)
        await turns.resting.get()
    last = of_instance(sink, "one:80")[-1]
    assert sink.rows(last) == dict.fromkeys(
        (
            *("a", "up", "scrape_duration_seconds", "scrape_samples_scraped"),
            *("scrape_samples_post_metric_relabeling", "scrape_series_added"),
        ),
        "stale",
    )


@pytest.mark.parametrize("known_at_once", [True, False])
async def test_after_a_reload_targets_that_are_gone_are_stale_and_those_that_stay_go_on(
    configured, sink, clock, known_at_once
):
    pages = Targets("a 1\nb 1\n")
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(pages))
    turns = Turns()
    before = Scraper(
        configured("static_configs: [{targets: ['stays:80', 'goes:80']}]"),
        sink,
        clock=clock,
        client=client,
        sleep=turns,
    )
    async with running(before):
        for _ in range(2):
            await turns.resting.get()
    received = sum(before.statistics().received.values())
    clock.advance(15)
    pages.answers = ["a 2\n"]
    asked = "" if known_at_once else ", http_sd_configs: [{url: 'http://127.0.0.1:1/nobody'}]"
    after = Scraper(
        configured(f"static_configs: [{{targets: ['stays:80']}}]{asked}"),
        sink,
        clock=clock,
        client=client,
        sleep=turns,
    )
    after.succeed(before)
    async with running(after):
        await turns.resting.get()
        while len(of_instance(sink, "goes:80")) < 2:
            await turns.looked.get()
    assert sink.rows(of_instance(sink, "goes:80")[-1])["up"] == "stale"
    stays = sink.rows(of_instance(sink, "stays:80")[-1])
    assert (stays["a"], stays["b"], stays["up"]) == (2.0, "stale", 1.0)
    assert sum(after.statistics().received.values()) > received


async def test_a_reload_does_not_make_a_target_start_anew(configured, sink, clock):
    pages, turns = Targets("a 1\n", REFUSED), Turns()
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(pages))
    before, after = (
        Scraper(configured(TARGET), sink, clock=clock, client=client, sleep=turns) for _ in range(2)
    )
    async with running(before):
        await turns.resting.get()
    after.succeed(before)
    async with running(after):
        await turns.resting.get()
    assert (after.targets()[0].health, after.targets()[0].starting) == ("down", False)
