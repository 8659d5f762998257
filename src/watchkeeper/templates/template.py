"""Compiled templates: read once, rendered as often as there is something to say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from watchkeeper.errors import TemplateError
from watchkeeper.templates.builtin_functions import BUILTINS, LAZY, escape_html
from watchkeeper.templates.evaluator import Evaluator
from watchkeeper.templates.functions import NAMES
from watchkeeper.templates.nodes import Body
from watchkeeper.templates.parser import parse
from watchkeeper.templates.values import SafeHtml, text

Functions = Mapping[str, Callable[..., object]]


@dataclass(frozen=True, slots=True)
class Template:
    """A template that parsed. `bodies` holds it and what it, or its library, defines."""

    name: str
    bodies: Mapping[str, Body]

    @property
    def source(self) -> str:
        """The text that it was compiled from."""
        return self.bodies[self.name].source

    def evaluate(
        self,
        data: object,
        functions: Functions | None = None,
        *,
        variables: Mapping[str, object] | None = None,
        as_html: bool = False,
    ) -> str:
        """Return the text for `data`. Raises TemplateError that names line and column.

        `as_html` escapes what actions print, SafeHtml excepted.
        """
        evaluator = Evaluator(self.bodies, functions or {}, _escaped if as_html else None)
        try:
            return evaluator.run(self.name, data, variables or {})
        except RecursionError:
            raise TemplateError(f"template {self.name!r} is nested too deeply") from None

    def render(
        self,
        data: object,
        functions: Functions | None = None,
        *,
        variables: Mapping[str, object] | None = None,
        as_html: bool = False,
    ) -> str:
        """Return the text for `data`; where that fails, a text that says so and why."""
        try:
            return self.evaluate(data, functions, variables=variables, as_html=as_html)
        except TemplateError as error:
            return f"<error expanding template: {error}>"


@dataclass(frozen=True, slots=True)
class Library:
    """Definitions that templates share, as Alertmanager's `templates:` files give them."""

    functions: Collection[str]
    bodies: Mapping[str, Body] = field(default_factory=dict)

    def with_text(self, source: str, *, name: str) -> Library:
        """Return a library that also has what `source` defines; a later one wins."""
        parsed = parse(source, name=name, functions=_known(self.functions))
        return Library(self.functions, {**self.bodies, **parsed})

    def compile(self, source: str, *, name: str) -> Template:
        """Return a template that may call what the library defines. Raises ConfigError."""
        parsed = parse(source, name=name, functions=_known(self.functions))
        return Template(name, {**self.bodies, **parsed})


def compile(
    source: str,
    *,
    name: str = "template",
    functions: Collection[str] = (),
    variables: Collection[str] = (),
) -> Template:
    """Return a template. Raises ConfigError that names line and column.

    `functions` and `variables` are the names that it may use beside Go's own; no `functions`
    means those of Prometheus and Alertmanager.
    """
    known = _known(functions or NAMES)
    return Template(name, parse(source, name=name, functions=known, variables=variables))


def _known(functions: Collection[str]) -> Collection[str]:
    return {*BUILTINS, *LAZY, *functions}


def _escaped(value: object) -> str:
    shown = text(value)
    return shown if isinstance(value, SafeHtml) else escape_html(shown)
