"""What a signal's rows look like: in hot memory, in a part, and in questions about either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Columns = tuple[tuple[str, str], ...]
"""Names of columns with their types."""


def as_json(column: str) -> str:
    """Return the SQL that makes JSON of encoded attributes (see wire.attribute_text)."""
    return f"'{{' || substring({column}, 2, greatest(length({column}) - 2, 0)) || '}}'"


def with_zstd(columns: Columns, *long_texts: str) -> Columns:
    """Return columns of which some are kept with zstd: of texts that repeat, dictionaries are
    smaller."""
    return _with_compression(columns, "zstd", long_texts)


@dataclass(frozen=True, slots=True)
class RowTable:
    """A signal's table by name, and its column with the time (ns).

    Questions see the columns of `columns` and `position`, by which rows of one moment are in
    the order of their coming; of hot rows as `hot_view` lists them, of a part's as `part_view`
    does. A part has `part_columns`, which `arranged` selects from hot rows, in the part's order.
    `exported` selects from such rows what readers of Parquet get.
    `key` is the column that parts have filters for (rows without one have ''), `searched` those
    with filters for pieces of their texts, `listed` those whose distinct values parts know.
    `random` are identifiers: to compress those takes half the time of writing a part and saves a
    third of them, so that it is left to merges.
    """

    name: str
    time: str
    columns: Columns
    part_columns: Columns
    arranged: Callable[[str], str]
    exported: Callable[[str], str]
    key: str
    searched: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    random: tuple[str, ...] = ()
    hot_view: str = "*"
    part_view: str = "*"

    @property
    def names(self) -> str:
        """The columns as a list for SQL."""
        return ", ".join(name for name, _ in self.columns)

    def hot_ddl(self, table: str) -> str:
        """Return the statement that makes it in memory."""
        return f"CREATE TABLE {table}({_listed(self.columns)}, position BIGINT)"

    def part_ddl(self, catalog: str, *, is_merged: bool) -> str:
        """Return the statement that makes it in a part, of rows from parts or from hot memory."""
        plain = () if is_merged else self.random
        columns = _with_compression(self.part_columns, "uncompressed", plain)
        return f"CREATE TABLE {catalog}.{self.name}({_listed(columns)})"

    def hot_rows(self, table: str) -> str:
        """Return a hot table's rows for the FROM of a question."""
        return f"(SELECT {self.hot_view} FROM {table})"

    def part_rows(self, catalog: str, position: int, condition: str = "true") -> str:
        """Return a part's rows for the FROM of a question, counted on from a position."""
        return (
            f"(SELECT {self.part_view}, rowid + {position} AS position "
            f"FROM {catalog}.{self.name} WHERE {condition})"
        )


def _with_compression(columns: Columns, method: str, names: tuple[str, ...]) -> Columns:
    said = f" USING COMPRESSION {method}"
    return tuple((name, kind + said if name in names else kind) for name, kind in columns)


def _listed(columns: Columns) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns)
