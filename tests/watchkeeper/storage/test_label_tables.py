"""Label sets of files are decoded once, shared where they are the same, and bounded."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchkeeper.storage import label_table
from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.label_tables import LabelTables


@dataclass
class File:
    """What LabelTables asks of a file."""

    number: int
    names: str
    reads: list[int] = field(default_factory=list)

    def labels(self) -> LabelTable:
        self.reads.append(self.number)
        return label_table.of([(("__name__", name),) for name in self.names])


def test_files_with_the_same_label_sets_share_them_and_they_count_once():
    tables = LabelTables(10**6)
    one, same, other = File(1, "ab"), File(2, "ab"), File(3, "abc")
    assert tables.of(one) is tables.of(same) is tables.of(one)
    assert tables.of(other) is not tables.of(one)
    assert tables.held_bytes == tables.of(one).size_bytes + tables.of(other).size_bytes
    assert one.reads + same.reads + other.reads == [1, 2, 3]


def test_label_sets_that_were_written_need_not_be_read():
    tables, file = LabelTables(10**6), File(1, "ab")
    table = file.labels()
    tables.keep(file, table)
    assert tables.of(file) is table
    assert file.reads == [1]


def test_those_unused_for_longest_go_but_one_always_stays():
    tables = LabelTables(0)
    one, other = File(1, "ab"), File(2, "abc")
    tables.of(one)
    tables.of(other)
    assert tables.held_bytes == tables.of(other).size_bytes
    assert other.reads == [2]
    tables.of(one)
    assert one.reads == [1, 1]


def test_label_sets_of_files_that_are_gone_are_forgotten():
    tables = LabelTables(10**6)
    one, same, other = File(1, "ab"), File(2, "ab"), File(3, "abc")
    for file in (one, same, other):
        tables.of(file)
    tables.keep_only({2})
    assert tables.held_bytes == tables.of(same).size_bytes
    assert same.reads == [2]
    tables.keep_only(())
    assert tables.held_bytes == 0
