"""Templates: what is wrong is said with its place, and never costs the message."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.errors import ConfigError, TemplateError
from watchkeeper.templates import (
    KeyValues,
    Library,
    Record,
    SafeHtml,
    alertmanager_functions,
    compile,
)


@pytest.mark.parametrize(
    ("source", "place", "complaint"),
    [
        ("{{ if }}", "line 1, column 7", "missing value for if"),
        ("a\n {{ nothing }}", "line 2, column 5", "function 'nothing' is not defined"),
        ("{{ $x }}", "line 1, column 4", "undefined variable '$x'"),
        ("{{ if true }}\nx", "line 2, column 2", "{{ end }} is missing"),
        ("{{ .a", "line 1, column 1", "not closed"),
        ('{{ "a }}', "line 1, column 4", "not closed"),
        ("{{ end }}", "line 1, column 4", "unexpected {{ end }}"),
        ("{{ 3 | 4 }}", "line 1, column 8", "only a function"),
        ("{{ break }}", "line 1, column 4", "outside {{ range }}"),
        ("{{ 3 4 }}", "line 1, column 4", "not a function"),
        ("{{/* x }}", "line 1, column 1", "comment"),
        ("{{ if true }}{{ else }}{{ else }}{{ end }}", "line 1, column 27", "second {{ else }}"),
        ("{{ define x }}{{ end }}", "line 1, column 11", "name of a template"),
        ('{{ "\\z" }}', "line 1, column 4", "unknown escape"),
        ("{{ ? }}", "line 1, column 4", "unexpected '?'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(source, place, complaint) -> None:
    with pytest.raises(ConfigError) as raised:
        compile(source, name="mine")
    assert f"template 'mine' at {place}" in str(raised.value)
    assert complaint in str(raised.value)


def test_a_template_that_fails_says_so_in_its_text() -> None:
    template = compile("before\n{{ .Labels.a.b }}", name="mine")
    data = Record("Data", {"Labels": KeyValues(a="1")})
    assert template.render(data) == (
        "<error expanding template: template 'mine' at line 2, column 4: "
        "can't evaluate field b in type string>"
    )
    with pytest.raises(TemplateError, match="line 2, column 4"):
        template.evaluate(data)


@pytest.mark.parametrize(
    "source",
    [
        '{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}',
        "{{ printf 1 2 3 | len | index 5 }}",
        "{{ toUpper }}",
        '{{ match "(" "x" }}',
        "{{ join 1 2 }}",
        "{{ since 5 }}",
        "{{ call 3 }}",
        '{{ slice "abc" 5 }}',
    ],
)
def test_no_mistake_escapes_as_another_error(source: str) -> None:
    text = compile(source).render(None, alertmanager_functions())
    assert text.startswith("<error expanding template: template ")
    assert " at line 1, column " in text


def test_output_without_end_is_stopped() -> None:
    source = '{{ range . }}{{ range $ }}{{ printf "%1000s" "x" }}{{ end }}{{ end }}'
    with pytest.raises(TemplateError, match="writes more than"):
        compile(source).evaluate([1] * 100)


def test_html_is_escaped_unless_it_is_said_to_be_safe() -> None:
    template = compile("<b>{{ . }}</b>{{ safeHtml . }}")
    text = template.evaluate("<i>", {"safeHtml": SafeHtml}, as_html=True)
    assert text == "<b>&lt;i&gt;</b><i>"


def test_a_library_lends_its_definitions_and_the_last_one_counts() -> None:
    library = Library(()).with_text('{{ define "x" }}one{{ end }}', name="first")
    assert library.compile('{{ template "x" }}', name="t").render(None) == "one"
    later = library.with_text('{{ define "x" }}two{{ end }}', name="second")
    assert later.compile('{{ template "x" }}', name="t").render(None) == "two"


def test_labels_have_alertmanagers_methods() -> None:
    labels = KeyValues(job="api", alertname="Slow", b="2")
    source = (
        "{{ range .SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}"
        '{{ (.Remove (stringSlice "b" "job")).Names | join "," }} {{ .Values | join "," }}'
    )
    text = compile(source).render(labels, alertmanager_functions())
    assert text == "alertname=Slow b=2 job=api alertname Slow,2,api"


@given(st.text())
def test_text_without_actions_is_its_own_result(text: str) -> None:
    if "{{" not in text:
        assert compile(text).evaluate(None) == text


@given(st.text(alphabet='{}-/* \n.$ab"`|()=:,1ifrangeendlse', max_size=40))
def test_whatever_is_written_is_a_template_or_a_named_mistake(source: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(compile(source).render({"a": "1"}), str)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_raw_or_quoted_text_is_that_text(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert compile(f'{{{{ "{quoted}" }}}}').evaluate(None) == text
