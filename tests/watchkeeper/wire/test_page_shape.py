"""A page of a known shape is read as if it were the first: the same samples and refusals."""

from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.errors import DecodeError
from watchkeeper.wire import exposition
from watchkeeper.wire.series import SeriesCache

TEXT = "text/plain; version=0.0.4"
PAGE = '# HELP a What.\n# TYPE a gauge\na 1\na{x="1"} 2\n\ndropped 3\nb 4\n'

values = st.sampled_from(
    ["1", "-2.5", "NaN", "+Inf", "1e3", "1_0", "٣", "", "x", " 7", "8 ", "1 2", "1 1700000000000"]
)
lines = st.sampled_from(["a", 'a{x="1"}', "b", "dropped", "c", "a "]).flatmap(
    lambda series: values.map(lambda value: f"{series} {value}")
) | st.sampled_from(["", "# HELP a What.", "# HELP a Other.", "# TYPE a counter", "b", "#"])


def transform(labels):
    return None if dict(labels)["__name__"] == "dropped" else labels


def read(text, series, kind=TEXT):
    try:
        found = exposition.parse(text.encode(), kind, 5_000, series)
    except DecodeError as error:
        return str(error)
    columns = (found.labels, found.timestamps_ms, [repr(value) for value in found.values])
    return (*columns, found.metadata, found.timed, found.received)


@settings(deadline=None, max_examples=300)
@given(st.lists(lines, max_size=6), st.data())
def test_it_is_read_as_if_it_were_the_first(page, data):
    series = SeriesCache(transform)
    texts = ["\n".join(page)] * 3
    row = data.draw(st.integers(0, max(len(page) - 1, 0)))
    texts.append("\n".join([*page[:row], data.draw(lines), *page[row + 1 :]]))
    for text in texts:
        assert read(text, series) == read(text, SeriesCache(transform))


def test_the_label_sets_of_a_shape_are_one_list():
    series = SeriesCache(transform)
    first, second, third = [
        exposition.parse(PAGE.replace("4", value).encode(), TEXT, 5_000, series)
        for value in ("5", "6", "7")
    ]
    assert series.shape is not None
    assert third.labels is not first.labels
    fourth = exposition.parse(PAGE.encode(), TEXT, 5_000, series)
    assert fourth.labels is third.labels
    assert (fourth.values, fourth.received) == ([1.0, 2.0, 4.0], 4)
    assert second.labels == third.labels


STRICT = """# TYPE hits counter
hits_total{a="1"} 5
hits_created{a="1"} 0
# TYPE heat gauge
heat -1
# TYPE wait histogram
wait_bucket{le="0.5"} 1
wait_bucket{le="+Inf"} 3
wait_count 3
wait_sum 4
wait_bucket{a="2",le="1.0"} 0
wait_bucket{a="2",le="+Inf"} 2
# TYPE size summary
size{quantile="0.5"} 7
size_count 2
size_sum 8
# TYPE dropped info
dropped_info 1
# EOF
"""
PLACES = [number for number, line in enumerate(STRICT.split("\n")) if line and line[0] != "#"]


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(PLACES),
        st.sampled_from(["0", "1", "2", "3", "4", "-1", "NaN", "+Inf", "x", "1_0", "1 5", " 1"]),
        max_size=4,
    )
)
def test_so_is_openmetrics_whose_values_have_rules(changes):
    series = SeriesCache(transform)
    kind = exposition.OPENMETRICS_CONTENT_TYPE
    for _ in range(2):
        read(STRICT, series, kind)
    assert series.shape is not None
    lines = STRICT.split("\n")
    for number, value in changes.items():
        lines[number] = f"{lines[number].rpartition(' ')[0]} {value}"
    text = "\n".join(lines)
    assert read(text, series, kind) == read(text, SeriesCache(transform), kind)


def test_a_type_whose_rules_are_others_is_read_line_by_line():
    text = '# TYPE a stateset\na{a="x"} 1\n# EOF\n'
    series = SeriesCache()
    for _ in range(3):
        assert read(text, series, exposition.OPENMETRICS_CONTENT_TYPE)[2] == ["1.0"]
    assert series.shape is None
