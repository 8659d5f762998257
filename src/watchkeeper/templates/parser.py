"""Tokens into a tree; what cannot be evaluated is refused here, with its line and column."""

from __future__ import annotations

from collections.abc import Collection

from watchkeeper.errors import ConfigError
from watchkeeper.templates import literals
from watchkeeper.templates.lexer import LexerError, Token, TokenKind, tokens
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

_CLAUSES = ("else", "end")
_OPERANDS = frozenset(
    {
        TokenKind.FIELD,
        TokenKind.VARIABLE,
        TokenKind.WORD,
        TokenKind.DOT,
        TokenKind.STRING,
        TokenKind.CHARACTER,
        TokenKind.NUMBER,
        TokenKind.LEFT,
    }
)


def place(source: str, offset: int) -> str:
    """Return an offset as `line L, column C`, both from 1."""
    before = source[:offset]
    return f"line {before.count(chr(10)) + 1}, column {offset - before.rfind(chr(10))}"


def parse(
    source: str, *, name: str, functions: Collection[str], variables: Collection[str] = ()
) -> dict[str, Body]:
    """Return the template `name` and what it defines, by name.

    `functions` and `variables` are those that exist. Raises ConfigError with line and column.
    """
    try:
        return _Parser(source, name, functions, variables).parse()
    except (LexerError, _ParseError) as error:
        raise ConfigError(
            error.reason, source=f"template {name!r}", path=place(source, error.offset)
        ) from None


class _ParseError(Exception):
    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class _Parser:
    def __init__(
        self, source: str, name: str, functions: Collection[str], variables: Collection[str]
    ) -> None:
        self._source = source
        self._name = name
        self._functions = functions
        self._tokens = tokens(source)
        self._position = 0
        self._scope: list[str] = ["$", *(f"${variable}" for variable in variables)]
        self._loops = 0
        self._bodies: dict[str, Body] = {}

    def parse(self) -> dict[str, Body]:
        nodes, clause = self._nodes(top=True)
        if clause is not None:
            raise _ParseError(f"unexpected {{{{ {clause.text} }}}}", clause.offset)
        self._bodies[self._name] = Body(self._name, self._source, nodes)
        return self._bodies

    # tokens

    def _peek(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._tokens[self._position]
        self._position += 1
        return token

    def _expect(self, kind: TokenKind, what: str) -> Token:
        token = self._take()
        if token.kind is not kind:
            raise _ParseError(f"expected {what}, found {token.text!r}", token.offset)
        return token

    # nodes

    def _nodes(self, *, top: bool = False) -> tuple[tuple[Node, ...], Token | None]:
        """Read nodes up to `else`, `end` or the end of the text; return them and that clause."""
        nodes: list[Node] = []
        while True:
            token = self._take()
            if token.kind is TokenKind.TEXT:
                nodes.append(Text(token.offset, token.text))
                continue
            if token.kind is TokenKind.END:
                if not top:
                    raise _ParseError(
                        "unexpected end of the template: {{ end }} is missing", token.offset
                    )
                return tuple(nodes), None
            word = self._peek()
            if word.kind is TokenKind.WORD and word.text in _CLAUSES:
                return tuple(nodes), self._take()
            node = self._action(token.offset)
            if node is not None:
                nodes.append(node)

    def _action(self, offset: int) -> Node | None:
        word = self._peek()
        if word.kind is TokenKind.WORD:
            match word.text:
                case "if" | "with":
                    self._take()
                    return self._branch(offset, word.text)
                case "range":
                    self._take()
                    return self._range(offset)
                case "template" | "block":
                    self._take()
                    return self._call(offset, defines=word.text == "block")
                case "define":
                    self._take()
                    self._define()
                    return None
                case "break" | "continue":
                    self._take()
                    return self._loop_exit(word)
        pipeline = self._pipeline("action")
        self._expect(TokenKind.CLOSE, "}}")
        return Action(offset, pipeline)

    def _branch(self, offset: int, word: str) -> If:
        scope = len(self._scope)
        pipeline = self._pipeline(word)
        self._expect(TokenKind.CLOSE, "}}")
        body, otherwise = self._body_and_else(word)
        del self._scope[scope:]
        return If(offset, pipeline, body, otherwise, moves_dot=word == "with")

    def _range(self, offset: int) -> Range:
        scope = len(self._scope)
        pipeline = self._pipeline("range", loop=True)
        self._expect(TokenKind.CLOSE, "}}")
        self._loops += 1
        body, otherwise = self._body_and_else("range")
        self._loops -= 1
        del self._scope[scope:]
        return Range(offset, pipeline, body, otherwise)

    def _body_and_else(self, word: str) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        scope = len(self._scope)
        body, clause = self._nodes()
        del self._scope[scope:]
        if clause is None or clause.text == "end":
            self._expect(TokenKind.CLOSE, "}}")
            return body, ()
        following = self._peek()
        if (
            word != "range"
            and following.kind is TokenKind.WORD
            and following.text in ("if", "with")
        ):
            self._take()
            return body, (self._branch(following.offset, following.text),)
        self._expect(TokenKind.CLOSE, "}}")
        otherwise, clause = self._nodes()
        del self._scope[scope:]
        if clause is not None and clause.text == "else":
            raise _ParseError("a second {{ else }}: expected {{ end }}", clause.offset)
        self._expect(TokenKind.CLOSE, "}}")
        return body, otherwise

    def _call(self, offset: int, *, defines: bool) -> Call:
        name = literals.unquote(self._expect(TokenKind.STRING, "the name of a template").text)
        pipeline = None if self._peek().kind is TokenKind.CLOSE else self._pipeline("template")
        self._expect(TokenKind.CLOSE, "}}")
        if defines:
            self._define_body(name)
        return Call(offset, name, pipeline)

    def _define(self) -> None:
        name = literals.unquote(self._expect(TokenKind.STRING, "the name of a template").text)
        self._expect(TokenKind.CLOSE, "}}")
        self._define_body(name)

    def _define_body(self, name: str) -> None:
        outer_scope, outer_loops = self._scope, self._loops
        self._scope, self._loops = ["$"], 0
        nodes, clause = self._nodes()
        if clause is not None and clause.text == "else":
            raise _ParseError("unexpected {{ else }} in a definition", clause.offset)
        self._expect(TokenKind.CLOSE, "}}")
        self._scope, self._loops = outer_scope, outer_loops
        self._bodies[name] = Body(name, self._source, nodes)

    def _loop_exit(self, word: Token) -> LoopExit:
        if not self._loops:
            raise _ParseError(f"{{{{ {word.text} }}}} outside {{{{ range }}}}", word.offset)
        self._expect(TokenKind.CLOSE, "}}")
        return LoopExit(word.offset, goes_on=word.text == "continue")

    # pipelines

    def _pipeline(self, context: str, *, loop: bool = False) -> Pipeline:
        offset = self._peek().offset
        variables, assigns = self._variables(loop=loop)
        commands = [self._command(context)]
        while self._peek().kind is TokenKind.PIPE:
            self._take()
            commands.append(self._command(context))
        for command in commands[1:]:
            if not isinstance(command.operands[0], Function | Access):
                raise _ParseError("only a function can stand behind |", command.offset)
        if not assigns:
            self._scope.extend(variables)
        return Pipeline(offset, tuple(commands), variables, assigns)

    def _variables(self, *, loop: bool) -> tuple[tuple[str, ...], bool]:
        """Read `$a :=`, `$a =` or, in a range, `$i, $a :=`."""
        start = self._position
        names: list[str] = []
        while self._peek().kind is TokenKind.VARIABLE:
            names.append(self._take().text)
            if not (loop and len(names) == 1 and self._peek().kind is TokenKind.COMMA):
                break
            self._take()
        operator = self._peek()
        if not names or operator.kind not in (TokenKind.DECLARE, TokenKind.ASSIGN):
            self._position = start
            return (), False
        self._take()
        assigns = operator.kind is TokenKind.ASSIGN
        if assigns:
            for name in names:
                self._require_variable(name, operator.offset)
        return tuple(names), assigns

    def _command(self, context: str) -> Command:
        offset = self._peek().offset
        operands: list[Operand] = []
        while self._peek().kind in _OPERANDS:
            if operands and not self._peek().spaced and self._peek().kind is not TokenKind.LEFT:
                raise _ParseError(f"unexpected {self._peek().text!r}", self._peek().offset)
            operands.append(self._operand())
        if not operands:
            token = self._peek()
            found = "nothing" if token.kind is TokenKind.CLOSE else repr(token.text)
            raise _ParseError(f"missing value for {context}: found {found}", token.offset)
        if len(operands) > 1 and not isinstance(operands[0], Function | Access):
            raise _ParseError("arguments given to what is not a function", offset)
        return Command(offset, tuple(operands))

    def _operand(self) -> Operand:
        token = self._peek()
        operand = self._term()
        names: list[str] = []
        while self._peek().kind is TokenKind.FIELD and not self._peek().spaced:
            names.append(self._take().text[1:])
        if not names:
            return operand
        if isinstance(operand, Literal | Nil | Function):
            raise _ParseError("a literal or a function has no fields: use (...)", token.offset)
        if isinstance(operand, Access):
            return Access(operand.offset, operand.value, (*operand.names, *names))
        return Access(token.offset, operand, tuple(names))

    def _term(self) -> Operand:
        token = self._take()
        match token.kind:
            case TokenKind.DOT:
                return Dot(token.offset)
            case TokenKind.FIELD:
                return Access(token.offset, Dot(token.offset), (token.text[1:],))
            case TokenKind.VARIABLE:
                self._require_variable(token.text, token.offset)
                return Variable(token.offset, token.text)
            case TokenKind.LEFT:
                pipeline = self._pipeline("parentheses")
                self._expect(TokenKind.RIGHT, ")")
                return pipeline
            case TokenKind.WORD:
                return self._word(token)
        return self._literal(token)

    def _word(self, token: Token) -> Operand:
        if token.text in ("true", "false"):
            return Literal(token.offset, token.text == "true")
        if token.text == "nil":
            return Nil(token.offset)
        if token.text not in self._functions:
            raise _ParseError(f"function {token.text!r} is not defined", token.offset)
        return Function(token.offset, token.text)

    def _literal(self, token: Token) -> Literal:
        readers = {
            TokenKind.STRING: literals.unquote,
            TokenKind.CHARACTER: literals.character,
            TokenKind.NUMBER: literals.number,
        }
        try:
            return Literal(token.offset, readers[token.kind](token.text))
        except ValueError as error:
            raise _ParseError(str(error), token.offset) from None

    def _require_variable(self, name: str, offset: int) -> None:
        if name not in self._scope:
            raise _ParseError(f"undefined variable {name!r}", offset)
