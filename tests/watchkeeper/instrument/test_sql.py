"""A statement is named by its verb and table, and its values do not survive."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchkeeper.instrument.sql import describe_query


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("SELECT * FROM jobs WHERE id = $1", "SELECT jobs", "select"),
        ("select 1", "SELECT", "select"),
        ("INSERT INTO public.jobs (a) VALUES ($1)", "INSERT public.jobs", "insert"),
        ("UPDATE jobs SET a = 1", "UPDATE jobs", "update"),
        ("delete from only jobs", "DELETE jobs", "delete"),
        ("WITH x AS (SELECT 1 FROM a) UPDATE jobs SET b = 1", "UPDATE jobs", "update"),
        ("WITH x AS (SELECT 1 FROM a) SELECT * FROM x", "SELECT x", "select"),
        ("-- a comment\n  BEGIN;", "BEGIN", "transaction"),
        ("ROLLBACK TO SAVEPOINT a", "ROLLBACK", "transaction"),
        ("CREATE TABLE IF NOT EXISTS jobs (id int)", "CREATE jobs", "ddl"),
        ("COPY jobs", "COPY jobs", "copy"),
        ('SELECT * FROM "Odd Table"', "SELECT Odd Table", "select"),
        ("LISTEN jobs", "LISTEN", "other"),
        ("", "QUERY", "other"),
    ],
)
def test_a_statement_is_known_by_verb_and_table(text: str, name: str, kind: str) -> None:
    query = describe_query(text)
    assert (query.name, query.type) == (name, kind)


def test_values_become_question_marks() -> None:
    text = "SELECT * FROM users WHERE email = 'a@b.de' AND age > 42 AND x = $1 AND y = $$a'b$$"
    assert (
        describe_query(text).text
        == "SELECT * FROM users WHERE email = ? AND age > ? AND x = $1 AND y = ?"
    )


@example("--")
@example("/* x */")
@given(secret=st.text(st.characters(exclude_characters="'", codec="utf-8"), min_size=1))
def test_no_literal_survives(secret: str) -> None:
    query = describe_query(f"SELECT a FROM t WHERE b = '{secret}'")
    assert query.text == "SELECT a FROM t WHERE b = ?"
