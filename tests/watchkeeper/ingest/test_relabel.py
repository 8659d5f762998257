"""Relabelling does what Prometheus' documentation says of each action."""

import pytest

from watchkeeper.ingest.relabel import RelabelConfig, Relabeler

LABELS = {"a": "foo", "b": "bar", "c": "baz"}


def apply(*configs, to=None):
    return Relabeler.compile(configs, source="file", path="$").apply(to or LABELS)


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({"source_labels": ("a",), "target_label": "d"}, LABELS | {"d": "foo"}),
        (
            {
                "source_labels": ("a", "b"),
                "regex": "f(.*);(?P<rest>.*)r",
                "target_label": "d",
                "replacement": "${1}-$rest-$$",
            },
            LABELS | {"d": "oo-ba-$"},
        ),
        ({"source_labels": ("a",), "regex": "f", "target_label": "d"}, LABELS),
        ({"regex": ".*", "replacement": "", "target_label": "a"}, {"b": "bar", "c": "baz"}),
        (
            {"source_labels": ("a",), "target_label": "x_$1", "replacement": "1"},
            LABELS | {"x_foo": "1"},
        ),
        ({"action": "keep", "source_labels": ("a",), "regex": "fo+"}, LABELS),
        ({"action": "keep", "source_labels": ("a",), "regex": "f"}, None),
        ({"action": "drop", "source_labels": ("a", "b"), "regex": "foo;bar"}, None),
        ({"action": "drop", "source_labels": ("missing",), "regex": "x"}, LABELS),
        ({"action": "keepequal", "source_labels": ("a",), "target_label": "b"}, None),
        ({"action": "dropequal", "source_labels": ("a",), "target_label": "b"}, LABELS),
        (
            {"action": "labelmap", "regex": "([ab])", "replacement": "m_$1"},
            LABELS | {"m_a": "foo", "m_b": "bar"},
        ),
        ({"action": "labeldrop", "regex": "[ab]"}, {"c": "baz"}),
        ({"action": "labelkeep", "regex": "[ab]"}, {"a": "foo", "b": "bar"}),
        (
            {"action": "uppercase", "source_labels": ("a",), "target_label": "a"},
            LABELS | {"a": "FOO"},
        ),
        (
            {"action": "lowercase", "source_labels": ("a",), "target_label": "d"},
            LABELS | {"d": "foo"},
        ),
        # The bucket that Prometheus' own test has for this label.
        (
            {"action": "hashmod", "source_labels": ("c",), "target_label": "d", "modulus": 1000},
            LABELS | {"d": "976"},
        ),
    ],
)
def test_an_action_does_what_its_name_says(rule, wanted):
    assert apply(RelabelConfig(**rule)) == wanted


def test_rules_run_one_after_the_other():
    first = RelabelConfig(source_labels=("a",), target_label="d")
    second = RelabelConfig(source_labels=("d",), regex="foo", action="drop")
    assert apply(first, second) is None
