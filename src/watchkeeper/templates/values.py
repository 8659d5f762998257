"""What a template can hold: Go's notions of field, truth, type and text, on Python values.

Strings, bools, ints, floats, lists and mappings stand for themselves. A `Record` is a Go
struct: reading a field it lacks is an error, where a mapping answers with the empty string
(both programs render with `missingkey=zero`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from watchkeeper.errors import TemplateError
from watchkeeper.templates.numbers import shortest

NO_VALUE = "<no value>"
"""How Go prints a value that is not there."""


class SafeHtml(str):
    """Text that is already HTML and is not escaped again."""

    __slots__ = ()


@runtime_checkable
class HasMembers(Protocol):
    """A value with fields or methods of its own, by the names that templates use."""

    def member(self, name: str) -> object:
        """Return a field, or a method as a callable. Raises KeyError if there is none."""
        ...


class Record:
    """A Go struct: named fields and, where a value is callable, methods."""

    __slots__ = ("_fields", "_name")

    def __init__(self, name: str, fields: Mapping[str, object]) -> None:
        self._name = name
        self._fields = dict(fields)

    @property
    def type_name(self) -> str:
        """The name that errors give this struct."""
        return self._name

    def member(self, name: str) -> object:
        return self._fields[name]

    def __str__(self) -> str:
        fields = (text(value) for value in self._fields.values() if not callable(value))
        return "{" + " ".join(fields) + "}"


class Pairs(list[Record]):
    """Labels in order, as Alertmanager's `SortedPairs` gives them."""

    @classmethod
    def of(cls, pairs: Mapping[str, str]) -> Pairs:
        """Return `pairs` sorted by name, `alertname` first as Alertmanager does."""
        names = sorted(pairs, key=lambda name: (name != "alertname", name))
        return cls(Record("Pair", {"Name": name, "Value": pairs[name]}) for name in names)

    def column(self, field: str) -> list[object]:
        """Return `Name` or `Value` of every pair."""
        return [pair.member(field) for pair in self]

    def member(self, name: str) -> object:
        methods: dict[str, Callable[[], list[object]]] = {
            "Names": lambda: self.column("Name"),
            "Values": lambda: self.column("Value"),
        }
        return methods[name]


class KeyValues(dict[str, str]):
    """Labels or annotations with the methods that Alertmanager gives them."""

    def member(self, name: str) -> object:
        methods: dict[str, Callable[..., object]] = {
            "SortedPairs": lambda: Pairs.of(self),
            "Names": lambda: Pairs.of(self).column("Name"),
            "Values": lambda: Pairs.of(self).column("Value"),
            "Remove": self._without,
        }
        return methods[name]

    def _without(self, names: Sequence[str]) -> KeyValues:
        return KeyValues({name: value for name, value in self.items() if name not in names})


def member(value: object, name: str) -> object:
    """Return `value.name` as a template sees it; a method comes back as a callable."""
    if isinstance(value, HasMembers):
        try:
            return value.member(name)
        except KeyError:
            if not isinstance(value, Mapping):
                raise TemplateError(
                    f"can't evaluate field {name} in type {type_name(value)}"
                ) from None
    if isinstance(value, Mapping):
        return value.get(name, "")
    if value is None:
        raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
    raise TemplateError(f"can't evaluate field {name} in type {type_name(value)}")


def truth(value: object) -> bool:
    """Whether `if` takes its first branch: false for zero, nil and what is empty."""
    if value is None:
        return False
    if isinstance(value, bool | int | float | str | Mapping | list | tuple):
        return bool(value)
    return True


def text(value: object) -> str:
    """Return what an action prints (Go's %v)."""
    if isinstance(value, str):
        return value
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, Mapping):
        pairs = (f"{text(key)}:{text(value[key])}" for key in sorted(value))
        return "map[" + " ".join(pairs) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(text(item) for item in value) + "]"
    return str(value)


def type_name(value: object) -> str:
    """Return the Go name of a value's type, for messages."""
    if isinstance(value, Record):
        return value.type_name
    names: list[tuple[type, str]] = [
        (bool, "bool"),
        (int, "int"),
        (float, "float64"),
        (str, "string"),
        (Mapping, "map[string]string"),
        (list, "[]interface {}"),
        (tuple, "[]interface {}"),
    ]
    for kind, name in names:
        if isinstance(value, kind):
            return name
    return "nil" if value is None else type(value).__name__
