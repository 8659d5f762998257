"""Remote write: what senders mean, read from either version; garbage is refused."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.errors import DecodeError
from watchkeeper.model import Exemplar, MetricMetadata, MetricType, NativeHistogram
from watchkeeper.wire.limits import LabelLimits
from watchkeeper.wire.native_histogram import REMOTE_WRITE
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, delimited, pack_double, tag, varint
from watchkeeper.wire.remote_write import RemoteWriteDecoder, Version
from watchkeeper.wire.remote_write_series import STALE_SUM

from .native_messages import native

unhurried = settings(deadline=None)
NOW_MS = 1_700_000_000_000

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)
label_sets = st.dictionaries(texts, texts, max_size=4).map(
    lambda pairs: tuple(sorted({**pairs, "__name__": "up"}.items()))
)
times = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(NOW_MS, NOW_MS + 1000)
samples = st.tuples(st.floats(allow_nan=False), times)
requests = st.lists(st.tuples(label_sets, st.lists(samples, min_size=1, max_size=3)), max_size=5)


def field(number, content):
    return delimited(tag(number, LENGTH), content)


def sample(value, time_ms):
    return tag(1, FIXED64) + pack_double(value) + tag(2, VARINT) + varint(time_ms)


def series_v1(pairs, found, *more):
    labels = [field(1, field(1, n.encode()) + field(2, v.encode())) for n, v in pairs]
    return field(1, b"".join([*labels, *(field(2, sample(*each)) for each in found), *more]))


def request_v2(series, *more):
    symbols = [""]
    parts = []
    for pairs, found in series:
        references = b""
        for text in [text for pair in pairs for text in pair]:
            references += varint(len(symbols))
            symbols.append(text)
        content = field(1, references) + b"".join(field(2, sample(*each)) for each in found)
        parts.append(field(5, content + b"".join(more)))
    return b"".join([*(field(4, text.encode()) for text in symbols), *parts])


def rows(found):
    return list(zip(found.labels, found.values, found.timestamps_ms, strict=True))


def flat(series):
    return [(pairs, value, time) for pairs, found in series for value, time in found]


@unhurried
@given(requests)
def test_every_sample_of_version_1_is_read(series):
    decoder = RemoteWriteDecoder()
    body = b"".join(series_v1(*each) for each in series)
    for _ in range(2):
        assert rows(decoder.decode(body, Version.V1)) == flat(series)


@unhurried
@given(requests)
def test_every_sample_of_version_2_is_read(series):
    body = request_v2(series)
    assert rows(RemoteWriteDecoder().decode(body, Version.V2)) == flat(series)


@unhurried
@given(label_sets, samples, samples)
def test_a_series_that_is_known_means_the_same(pairs, first, second):
    decoder = RemoteWriteDecoder()
    decoder.decode(series_v1(pairs, [first]), Version.V1)
    assert rows(decoder.decode(series_v1(pairs, [second]), Version.V1)) == [(pairs, *second)]


@pytest.mark.parametrize("version", list(Version))
@unhurried
@given(body=st.binary(max_size=200))
def test_garbage_is_a_decode_error_and_nothing_else(version, body):
    with contextlib.suppress(DecodeError):
        RemoteWriteDecoder().decode(body, version)


@unhurried
@given(st.data())
def test_a_request_that_is_cut_is_never_read_as_another(data):
    body = series_v1((("__name__", "up"), ("job", "api")), [(1.0, NOW_MS)])
    cut = data.draw(st.integers(1, len(body) - 1))
    with pytest.raises(DecodeError):
        RemoteWriteDecoder().decode(body[:cut], Version.V1)


def test_exemplars_and_metadata_come_along():
    exemplar = field(1, field(1, b"trace_id") + field(2, b"ab")) + sample(0.5, 7)[:0]
    exemplar += tag(2, FIXED64) + pack_double(0.5) + tag(3, VARINT) + varint(7)
    body = series_v1((("__name__", "hits_total"),), [(1.0, NOW_MS)], field(3, exemplar))
    body += field(3, tag(1, VARINT) + b"\x01" + field(2, b"hits") + field(4, b"Hits."))
    found = RemoteWriteDecoder().decode(body, Version.V1)
    assert found.exemplars == [
        ((("__name__", "hits_total"),), Exemplar((("trace_id", "ab"),), 0.5, 7))
    ]
    assert found.metadata == {"hits": MetricMetadata("hits", MetricType.COUNTER, "Hits.")}


def test_metadata_of_version_2_names_the_family():
    metadata = tag(1, VARINT) + b"\x01" + tag(3, VARINT) + b"\x02"
    body = request_v2([((("__name__", "hits_total"),), [(1.0, 5)])], field(5, metadata))
    found = RemoteWriteDecoder().decode(body, Version.V2)
    assert found.metadata == {"hits": MetricMetadata("hits", MetricType.COUNTER, "hits_total")}


NATIVE = NativeHistogram(schema=1, count=3, sum=4.5, positive={2: 1, 5: 2})


def test_a_native_histogram_of_version_1_is_a_sample():
    content = native(NATIVE, REMOTE_WRITE) + tag(15, VARINT) + varint(NOW_MS)
    body = series_v1((("__name__", "wait"),), [(1.0, 5)], field(4, content))
    found = RemoteWriteDecoder().decode(body, Version.V1)
    assert found.histograms == {1: NATIVE}
    assert rows(found)[1] == ((("__name__", "wait"),), 4.5, NOW_MS)


def test_version_2_says_since_when_a_counter_has_counted():
    content = native(NATIVE, REMOTE_WRITE) + tag(15, VARINT) + varint(NOW_MS)
    own = field(2, sample(2.0, 9) + tag(3, VARINT) + varint(8))
    created = tag(6, VARINT) + varint(4)
    pairs = (("__name__", "wait"),)
    body = request_v2([(pairs, [(1.0, 5)])], own, field(3, content), created)
    found = RemoteWriteDecoder().decode(body, Version.V2)
    assert found.histograms == {2: NATIVE}
    assert found.starts_ms == {0: 4, 1: 8, 2: 4}


def test_a_histogram_that_contradicts_itself_is_left_out_and_named():
    body = series_v1((("__name__", "wait"),), [(1.0, 5)], field(4, tag(1, VARINT) + b"\x07"))
    found = RemoteWriteDecoder().decode(body, Version.V1)
    assert (found.invalid, found.values) == (1, [1.0])
    assert "series 'wait': a histogram counts 7" in found.reason


def test_a_histogram_may_end_its_series():
    stale = tag(3, FIXED64) + STALE_SUM + tag(15, VARINT) + varint(NOW_MS)
    body = series_v1((("__name__", "wait"),), [], field(4, stale))
    found = RemoteWriteDecoder().decode(body, Version.V1)
    assert found.histograms == {}
    assert struct.pack("<d", found.values[0]) == STALE_SUM


@pytest.mark.parametrize(
    "pairs", [(("job", "api"),), (("__name__", "up"), ("job", "a"), ("job", "b"))]
)
def test_a_series_that_means_nothing_does_not_spoil_the_others(pairs):
    body = series_v1(pairs, [(1.0, 5)]) + series_v1((("__name__", "up"),), [(2.0, 5)])
    found = RemoteWriteDecoder().decode(body, Version.V1)
    assert (found.invalid, found.values) == (1, [2.0])
    assert found.reason


def test_a_reference_beyond_the_symbols_is_refused():
    body = field(4, b"") + field(5, field(1, b"\x01\x02"))
    with pytest.raises(DecodeError, match="symbol"):
        RemoteWriteDecoder().decode(body, Version.V2)


@pytest.mark.parametrize("limits", [LabelLimits(count=1), LabelLimits(value_bytes=3)])
def test_a_series_beyond_the_limits_is_named_and_left_out(limits):
    found = RemoteWriteDecoder(limits).decode(
        series_v1((("__name__", "up"), ("job", "shop")), [(1.0, 5)]), Version.V1
    )
    assert (len(found.excesses), found.labels) == (1, [])
    assert "up" in found.reason
