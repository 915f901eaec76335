"""A model of the PowerShell that mimapp generates: it runs a script's syntax tree against a modelled Windows.

It is strict where PowerShell is forgiving: a command, parameter, method, property or variable that it does not know
fails the test. It covers what the generated scripts use, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ps_expressions import Expressions, child, elements, is_void
from ps_tree import parsed, source
from ps_values import Bag, Block, Host, PsError, Value, collected, listed, same, shown, truth

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass
class Call:
    """One call of a cmdlet: its arguments, and what the pipeline hands it."""

    machine: Machine
    positional: list[Value]
    named: dict[str, Value]
    flow: list[Value]


Command = Callable[[Call], Value]


class _Flow(Exception):  # noqa: N818 - control flow, not an error
    """Leaves blocks; what they had put out so far travels along."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[Value] = []


class _Return(_Flow):
    pass


class _Loop(_Flow):
    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word


class ScriptExit(_Flow):
    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Machine(Expressions):
    """One run of one script: variables, functions, and the Windows around it."""

    def __init__(
        self,
        commands: dict[str, tuple[Command, set[str], set[str]]],
        types: dict[str, Host],
        variables: dict[str, Value],
        environment: dict[str, str],
    ) -> None:
        self.commands = {name.lower(): entry for name, entry in commands.items()}
        self.types = {name.lower(): host for name, host in types.items()}
        self.scopes: list[dict[str, Value]] = [{"true": True, "false": False, "null": None, **variables}]
        self.environment = {name.lower(): value for name, value in environment.items()}
        self.functions: dict[str, Block] = {}
        self.output: list[str] = []
        self.what_if: list[str] = []
        self.asked: list[tuple[str, str]] = []

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self, text: str, **arguments: Value) -> int:
        """Run a whole script with its parameters; the exit code, output in `output`."""
        root = parsed(text)
        simulated = bool(arguments.pop("WhatIf", False))
        self.scopes[0]["whatifpreference"] = simulated
        self.scopes[0]["pscmdlet"] = Host(
            "PSCmdlet",
            methods={"shouldprocess": lambda target, action: self._should(target, action, simulated=simulated)},
        )
        try:
            for part in root.children:
                if part.type == "param_block":
                    self._bind(part, [], arguments, self.scopes[0])
                elif part.type == "statement_list":
                    self.output += [shown(one) for one in self.statements(part)]
        except ScriptExit as done:
            self.output += [shown(one) for one in done.pending]
            return done.code
        return 0

    def _should(self, target: str, action: str, *, simulated: bool) -> bool:
        (self.what_if if simulated else []).append(f"{action}: {target}")
        self.asked.append((target, action))
        return not simulated

    def _bind(self, block: Node, positional: list[Value], named: dict[str, Value], scope: dict[str, Value]) -> None:
        given = {name.lower(): value for name, value in named.items()}
        for parameter in (one for part in block.children for one in part.children if one.type == "script_parameter"):
            name = source(next(c for c in parameter.children if c.type == "variable"))[1:].lower()
            text = "".join(source(c) for c in parameter.children if c.type == "attribute_list")
            kind = re.search(r"\[([A-Za-z.]+(?:\[\])?)\]\s*$", text)
            default = next((c for c in parameter.children if c.type == "script_parameter_default"), None)
            switch = kind is not None and kind[1].lower() == "switch"
            if name in given:
                value = given.pop(name)
            elif positional and not switch:
                value = positional.pop(0)
            elif "Mandatory" in text:
                raise PsError(f"parameter {name} is mandatory")
            else:
                value = self.evaluate(default.children[-1]) if default else (False if switch else None)
                if default is None and kind is not None and kind[1].lower() == "string":
                    value = ""
            choice = re.search(r"ValidateSet\(([^)]*)\)", text)
            if choice and value not in re.findall(r"'([^']*)'", choice[1]):
                raise PsError(f"parameter {name} does not take {value!r}", "ParameterBindingValidationException")
            if kind is not None and not switch and value is not None:
                value = self.cast(kind[1], value)
            scope[name] = value
        if given or positional:
            raise PsError(f"parameters that are not there: {sorted(given)} {positional}")

    def statements(self, node: Node) -> list[Value]:
        out: list[Value] = []
        try:
            for one in node.children:
                if one.is_named and one.type not in {"comment", "empty_statement"}:
                    out += self.statement(one)
        except (_Flow, PsError) as left:
            left.pending[:0] = out
            raise
        return out

    def statement(self, node: Node) -> list[Value]:  # noqa: PLR0911 - one case a kind of statement
        match node.type:
            case "pipeline":
                return self._pipeline(node)
            case "function_statement":
                name = source(next(c for c in node.children if c.type == "function_name"))
                self.functions[name.lower()] = Block(next(c for c in node.children if c.type == "script_block"), name)
                return []
            case "if_statement":
                return self._if(node)
            case "foreach_statement":
                return self._foreach(node)
            case "while_statement":
                return self._while(node)
            case "switch_statement":
                return self._switch(node)
            case "try_statement":
                return self._try(node)
            case "flow_control_statement":
                return self._flow(node)
            case _:
                raise AssertionError(f"statement {node.type} is not modelled: {source(node)[:60]}")

    def _block(self, node: Node) -> list[Value]:
        inner = next((c for c in node.children if c.type == "statement_list"), None)
        return [] if inner is None else self.statements(inner)

    def _if(self, node: Node) -> list[Value]:
        if truth(self.evaluate(child(node, "pipeline"))):
            return self._block(child(node, "statement_block"))
        for clauses in (c for c in node.children if c.type == "elseif_clauses"):
            for clause in clauses.children:
                if truth(self.evaluate(child(clause, "pipeline"))):
                    return self._block(child(clause, "statement_block"))
        for other in (c for c in node.children if c.type == "else_clause"):
            return self._block(child(other, "statement_block"))
        return []

    def _foreach(self, node: Node) -> list[Value]:
        name = source(child(node, "variable"))[1:].lower()
        out: list[Value] = []
        for value in listed(self.evaluate(child(node, "pipeline"))):
            self.scopes[-1][name] = value
            if not self._turn(node, out):
                break
        return out

    def _while(self, node: Node) -> list[Value]:
        out: list[Value] = []
        for _ in range(100_000):
            if not truth(self.evaluate(child(child(node, "while_condition"), "pipeline"))):
                return out
            if not self._turn(node, out):
                return out
        raise AssertionError("a loop does not end")

    def _turn(self, node: Node, out: list[Value]) -> bool:
        """One turn of a loop; whether it goes on."""
        try:
            out += self._block(child(node, "statement_block"))
        except _Loop as word:
            out += word.pending
            return word.word == "continue"
        except (_Flow, PsError) as left:
            left.pending[:0] = out
            raise
        return True

    def _switch(self, node: Node) -> list[Value]:
        value = self.evaluate(child(child(node, "switch_condition"), "pipeline"))
        out: list[Value] = []
        for clause in child(child(node, "switch_body"), "switch_clauses").children:
            if same(value, self.expression(child(clause, "switch_clause_condition").children[0])):
                out += self._block(child(clause, "statement_block"))
        return out

    def _try(self, node: Node) -> list[Value]:
        out: list[Value] = []
        clauses = [c for group in node.children if group.type == "catch_clauses" for c in group.children]
        last = next((c for c in node.children if c.type == "finally_clause"), None)
        depth = len(self.scopes)
        try:
            out += self._block(child(node, "statement_block"))
        except PsError as error:
            del self.scopes[depth:]
            out += error.pending
            error.pending = []
            for clause in clauses:
                kinds = [source(c)[1:-1] for g in clause.children if g.type == "catch_type_list" for c in g.children]
                if kinds and not any(error.kind.lower().endswith(kind.lower()) for kind in kinds):
                    continue
                record = {"Exception": Bag([("Message", error.message)], table=False), "_error": error}
                record["FullyQualifiedErrorId"] = error.identifier
                self.scopes[-1]["_"] = Bag(record.items(), table=False)
                out += self._block(child(clause, "statement_block"))
                return out
            raise
        finally:
            if last is not None:
                out += self._block(child(last, "statement_block"))
        return out

    def _flow(self, node: Node) -> list[Value]:
        word = source(node.children[0]).lower()
        value = next((c for c in node.children if c.type == "pipeline"), None)
        if word in {"break", "continue"}:
            raise _Loop(word)
        if word == "return":
            result = _Return()
            result.pending = [] if value is None else self._pipeline(value)
            raise result
        if word == "exit":
            raise ScriptExit(int(self.evaluate(value)) if value is not None else 0)
        if word == "throw":
            if value is None:
                raise self.variable("_")["_error"]
            raise PsError(shown(self.evaluate(value)))
        raise AssertionError(word)

    # -- pipelines and commands --------------------------------------------------------------------------------------

    def evaluate(self, node: Node) -> Value:
        """The value of a node where one value is wanted."""
        if node.type == "pipeline":
            return collected(self._pipeline(node)) if self._is_command(node) else self._pipeline_value(node)
        return self.expression(node)

    def _is_command(self, node: Node) -> bool:
        chain = node.children[0]
        return chain.type == "pipeline_chain" and (len(chain.children) > 1 or chain.children[0].type == "command")

    def _pipeline_value(self, node: Node) -> Value:
        first = node.children[0]
        if first.type == "assignment_expression":
            self.assign(first)
            return None
        return self.expression(first.children[0])

    def _pipeline(self, node: Node) -> list[Value]:
        first = node.children[0]
        if first.type == "assignment_expression":
            self.assign(first)
            return []
        assert len(node.children) == 1, f"only simple pipelines are modelled: {source(node)[:60]}"
        return self.chain(first)

    def chain(self, node: Node) -> list[Value]:
        flow: list[Value] = []
        for position, element in enumerate(c for c in node.children if c.is_named):
            if element.type == "command":
                flow = self._command(element, flow, piped=position > 0)
            else:
                assert position == 0
                one = self.expression(element)
                flow = listed(one) if not is_void(element) else []
        return flow

    def _command(self, node: Node, flow: list[Value], *, piped: bool) -> list[Value]:
        name_node = node.children[0]
        name = source(name_node).lower()
        if name_node.type == "command_invokation_operator":
            target = self.expression(node.children[1])
            return self.call(target, []) if isinstance(target, Block) else self._external(shown(target), node)
        positional, named = self._arguments(node, name)
        if name in self.functions:
            return self.call(self.functions[name], positional, named)
        assert name in self.commands, f"command {name} is not modelled: {source(node)[:80]}"
        run = self.commands[name][0]
        if piped:
            named["InputObject"] = flow
        return listed(run(Call(self, positional, named, flow)))

    def _external(self, path: str, node: Node) -> list[Value]:
        arguments = [self.expression(c) if c.type != "generic_token" else source(c) for c in elements(node)]
        assert "&" in self.commands, f"{path} is not modelled"
        return listed(self.commands["&"][0](Call(self, [path, *arguments], {}, [])))

    def _arguments(self, node: Node, name: str) -> tuple[list[Value], dict[str, Value]]:
        known, switches = (
            (set(), set()) if name in self.functions else self.commands.get(name, (None, set(), set()))[1:]
        )
        if name in self.functions:
            switches = self._switches(self.functions[name])
        positional: list[Value] = []
        named: dict[str, Value] = {}
        waiting = ""
        for element in elements(node):
            if element.type == "command_parameter":
                assert not waiting, f"{name}: -{waiting} has no value"
                word, colon, _ = source(element)[1:].partition(":")
                if word.lower() in {one.lower() for one in switches} and not colon:
                    named[word] = True
                else:
                    waiting = word
                if name not in self.functions:
                    assert word.lower() in {one.lower() for one in known | switches}, f"{name} has no parameter -{word}"
                continue
            value = source(element) if element.type == "generic_token" else self.expression(element)
            if waiting:
                named[waiting] = value
                waiting = ""
            else:
                positional.append(value)
        assert not waiting, f"{name}: -{waiting} has no value"
        return positional, named

    def _switches(self, block: Block) -> set[str]:
        head = next((c for c in block.node.children if c.type == "param_block"), None)
        return set() if head is None else set(re.findall(r"\[switch\]\s*\$(\w+)", source(head)))

    def call(self, block: Block, positional: list[Value], named: dict[str, Value] | None = None) -> list[Value]:
        """Call a function or script block; its output."""
        scope: dict[str, Value] = {}
        self.scopes.append(scope)
        depth = len(self.scopes)
        try:
            head = next((c for c in block.node.children if c.type == "param_block"), None)
            if head is not None:
                self._bind(head, list(positional), dict(named or {}), scope)
            elif positional or named:
                raise PsError(f"{block.name} takes no parameters")
            body = next((c for c in block.node.children if c.type == "script_block_body"), None)
            return [] if body is None else self._block(body)
        except _Return as result:
            return result.pending
        finally:
            del self.scopes[depth - 1 :]

    def with_item(self, block: Block, item: Value) -> Value:
        """Run a block once with `$_`."""
        self.scopes.append({"_": item})
        try:
            return collected(self._block(child(block.node, "script_block_body")))
        finally:
            self.scopes.pop()
