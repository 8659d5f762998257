"""Walks a template's tree and writes its text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence

from watchkeeper.errors import TemplateError
from watchkeeper.templates.builtin_functions import BUILTINS, LAZY
from watchkeeper.templates.nodes import (
    Access,
    Action,
    Body,
    Call,
    Command,
    Dot,
    Function,
    If,
    Literal,
    LoopExit,
    Nil,
    Node,
    Operand,
    Pipeline,
    Range,
    Text,
    Variable,
)
from watchkeeper.templates.parser import place
from watchkeeper.templates.values import member, text, truth, type_name

MAXIMUM_DEPTH = 100
"""Templates that call each other deeper than this are taken to do so without end."""

MAXIMUM_OUTPUT = 1_000_000
"""Characters that one rendering may write: more is a template gone wrong, not a message."""

_NOTHING = object()
_CALL_ERRORS = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)


class _LoopExitError(Exception):
    """{{ break }} or, where `goes_on`, {{ continue }} was met."""

    def __init__(self, *, goes_on: bool) -> None:
        super().__init__()
        self.goes_on = goes_on


class Evaluator:
    """One rendering. `escape` is applied to what actions print; None for plain text."""

    def __init__(
        self,
        bodies: Mapping[str, Body],
        functions: Mapping[str, Callable[..., object]],
        escape: Callable[[object], str] | None = None,
    ) -> None:
        self._bodies = bodies
        self._functions = {**BUILTINS, **functions}
        self._escape = escape or text
        self._written: list[str] = []
        self._size = 0
        self._depth = 0
        self._body: Body
        self._variables: list[tuple[str, object]] = []

    def run(self, name: str, data: object, variables: Mapping[str, object]) -> str:
        """Return the text of the template `name`. Raises TemplateError with the place."""
        named = [(f"${variable}", value) for variable, value in variables.items()]
        self._run_body(self._bodies[name], data, [("$", data), *named])
        return "".join(self._written)

    def _run_body(self, body: Body, dot: object, variables: list[tuple[str, object]]) -> None:
        outer = getattr(self, "_body", body), self._variables
        self._body, self._variables = body, variables
        self._depth += 1
        self._nodes(body.nodes, dot)
        self._depth -= 1
        self._body, self._variables = outer

    def _fail(self, reason: str, offset: int) -> TemplateError:
        where = place(self._body.source, offset)
        return TemplateError(f"template {self._body.name!r} at {where}: {reason}")

    # nodes

    def _nodes(self, nodes: Sequence[Node], dot: object) -> None:
        for node in nodes:
            self._node(node, dot)

    def _node(self, node: Node, dot: object) -> None:
        match node:
            case Text():
                self._write(node.text, node.offset)
            case Action():
                value = self._pipeline(node.pipeline, dot)
                if not node.pipeline.variables:
                    self._write(self._escape(value), node.offset)
            case If():
                self._branch(node, dot)
            case Range():
                self._range(node, dot)
            case Call():
                self._call_template(node, dot)
            case LoopExit():
                raise _LoopExitError(goes_on=node.goes_on)

    def _write(self, written: str, offset: int) -> None:
        self._size += len(written)
        if self._size > MAXIMUM_OUTPUT:
            raise self._fail(f"writes more than {MAXIMUM_OUTPUT} characters", offset)
        self._written.append(written)

    def _branch(self, node: If, dot: object) -> None:
        mark = len(self._variables)
        value = self._pipeline(node.pipeline, dot)
        if truth(value):
            self._nodes(node.body, value if node.moves_dot else dot)
        else:
            self._nodes(node.otherwise, dot)
        del self._variables[mark:]

    def _range(self, node: Range, dot: object) -> None:
        mark = len(self._variables)
        value = self._pipeline(node.pipeline, dot, loop=True)
        empty = True
        for key, element in self._elements(value, node):
            empty = False
            self._bind(node.pipeline, key, element)
            try:
                self._nodes(node.body, element)
            except _LoopExitError as exit_:
                if not exit_.goes_on:
                    break
            finally:
                del self._variables[mark:]
        if empty:
            self._nodes(node.otherwise, dot)
        del self._variables[mark:]

    def _elements(self, value: object, node: Range) -> Iterator[tuple[object, object]]:
        if isinstance(value, Mapping):
            return iter(sorted(value.items()))
        if isinstance(value, list | tuple):
            return iter(enumerate(value))
        if value is None:
            return iter(())
        if isinstance(value, int) and not isinstance(value, bool):
            return ((number, number) for number in range(value))
        raise self._fail(f"range can't iterate over {text(value)}", node.pipeline.offset)

    def _bind(self, pipeline: Pipeline, key: object, element: object) -> None:
        names = pipeline.variables
        values = (element,) if len(names) == 1 else (key, element)
        for name, value in zip(names, values, strict=False):
            self._set(name, value, assigns=pipeline.assigns)

    def _call_template(self, node: Call, dot: object) -> None:
        body = self._bodies.get(node.name)
        if body is None:
            raise self._fail(f"template {node.name!r} is not defined", node.offset)
        if self._depth >= MAXIMUM_DEPTH:
            raise self._fail(f"more than {MAXIMUM_DEPTH} templates call each other", node.offset)
        data = None if node.pipeline is None else self._pipeline(node.pipeline, dot)
        self._run_body(body, data, [("$", data)])

    # values

    def _pipeline(self, pipeline: Pipeline, dot: object, *, loop: bool = False) -> object:
        value: object = _NOTHING
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        if not loop:
            for name in pipeline.variables:
                self._set(name, value, assigns=pipeline.assigns)
        return value

    def _set(self, name: str, value: object, *, assigns: bool) -> None:
        if not assigns:
            self._variables.append((name, value))
            return
        for position in range(len(self._variables) - 1, -1, -1):
            if self._variables[position][0] == name:
                self._variables[position] = (name, value)
                return

    def _command(self, command: Command, dot: object, final: object) -> object:
        first, arguments = command.operands[0], command.operands[1:]
        if isinstance(first, Function):
            if first.name in LAZY:
                return self._decide(first.name, arguments, dot, final)
            values = self._arguments(arguments, dot, final)
            return self._invoke(first.name, self._functions[first.name], values, first.offset)
        if isinstance(first, Access):
            return self._access(first, dot, self._arguments(arguments, dot, final))
        return self._operand(first, dot)

    def _arguments(self, operands: Sequence[Operand], dot: object, final: object) -> list[object]:
        values = [self._operand(operand, dot) for operand in operands]
        return values if final is _NOTHING else [*values, final]

    def _decide(self, name: str, operands: Sequence[Operand], dot: object, final: object) -> object:
        value = final
        for operand in operands:
            value = self._operand(operand, dot)
            if truth(value) == (name == "or"):
                return value
        return value if final is _NOTHING else final

    def _operand(self, operand: Operand, dot: object) -> object:
        match operand:
            case Dot():
                return dot
            case Nil():
                return None
            case Literal():
                return operand.value
            case Variable():
                return self._variable(operand)
            case Access():
                return self._access(operand, dot, [])
            case Function():
                function = self._functions[operand.name]
                return self._invoke(operand.name, function, [], operand.offset)
            case Pipeline():
                mark = len(self._variables)
                value = self._pipeline(operand, dot)
                del self._variables[mark:]
                return value

    def _variable(self, variable: Variable) -> object:
        for name, value in reversed(self._variables):
            if name == variable.name:
                return value
        raise self._fail(f"undefined variable {variable.name!r}", variable.offset)

    def _access(self, access: Access, dot: object, arguments: list[object]) -> object:
        value = self._operand(access.value, dot)
        last = len(access.names) - 1
        for position, name in enumerate(access.names):
            try:
                value = member(value, name)
            except TemplateError as error:
                raise self._fail(str(error), access.offset) from None
            given = arguments if position == last else []
            if callable(value):
                value = self._invoke(name, value, given, access.offset)
            elif given:
                raise self._fail(f"{name} is not a method but has arguments", access.offset)
        return value

    def _invoke(
        self, name: str, function: Callable[..., object], arguments: list[object], offset: int
    ) -> object:
        if not _accepts(function, arguments):
            given = ", ".join(type_name(argument) for argument in arguments) or "nothing"
            raise self._fail(f"wrong number of arguments for {name}: {given}", offset)
        try:
            return function(*arguments)
        except (TemplateError, *_CALL_ERRORS) as error:
            raise self._fail(f"error calling {name}: {error}", offset) from None


def _accepts(function: Callable[..., object], arguments: Sequence[object]) -> bool:
    """Whether the number of arguments fits; a callable that does not tell is tried."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        return True
    return True
