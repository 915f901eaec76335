"""Expressions of the PowerShell model: variables, operators, members, casts, strings."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ps_methods import text_method
from ps_tree import source
from ps_values import Bag, Block, Host, PsError, Value, collected, listed, same, shown, truth

if TYPE_CHECKING:
    from tree_sitter import Node


class Expressions:
    """What has a value; `Machine` adds statements, commands and functions."""

    scopes: list[dict[str, Value]]
    environment: dict[str, str]
    types: dict[str, Host]

    def evaluate(self, node: Node) -> Value:
        """The value of a node, a pipeline included."""
        raise NotImplementedError

    def chain(self, node: Node) -> list[Value]:
        """What a pipeline puts out."""
        raise NotImplementedError

    def statements(self, node: Node) -> list[Value]:
        """What a list of statements puts out."""
        raise NotImplementedError

    def statement(self, node: Node) -> list[Value]:
        """What one statement puts out."""
        raise NotImplementedError

    # -- variables ---------------------------------------------------------------------------------------------------

    def variable(self, name: str) -> Value:
        low = name.lower()
        if low.startswith("env:"):
            return self.environment.get(low[4:])
        low = low.removeprefix("script:")
        for scope in reversed(self.scopes):
            if low in scope:
                return scope[low]
        raise PsError(f"The variable '${name}' cannot be retrieved because it has not been set.")

    def assign(self, node: Node) -> None:
        operator = source(child(node, "assignment_operator"))
        holder = child(node, "assignment_value").children[0]
        value = collected(self.chain(holder)) if self._chain_is_command(holder) else self._assigned(holder)
        target = child(node, "left_assignment_expression").children[0].children[0]
        if operator == "+=":
            before = self.expression(target)
            value = [*before, *_appended(value)] if isinstance(before, list) else self._add(before, value)
        else:
            assert operator == "=", operator
        if target.type == "variable":
            name = source(target)[1:].lower()
            if name == "null":
                return
            scope = self.scopes[0] if name.startswith("script:") else self.scopes[-1]
            scope[name.removeprefix("script:")] = value
            return
        assert target.type == "member_access", target.type
        self._set_member(self.expression(target.children[0]), source(child(target, "member_name")), value)

    def _chain_is_command(self, chain: Node) -> bool:
        return chain.type == "pipeline_chain" and (len(chain.children) > 1 or chain.children[0].type == "command")

    def _assigned(self, holder: Node) -> Value:
        if holder.type == "pipeline_chain":
            return self.expression(holder.children[0])
        return collected(self.statement(holder))

    def _set_member(self, target: Value, name: str, value: Value) -> None:
        if isinstance(target, Bag):
            if not target.table and name not in target:
                raise PsError(f"the property {name} cannot be found on this object")
            target[name] = value
            return
        assert isinstance(target, Host), target
        assert name.lower() in target.setters, f"{target.kind} has no settable {name}"
        target.setters[name.lower()](value)

    # -- expressions -------------------------------------------------------------------------------------------------

    def expression(self, node: Node) -> Value:  # noqa: C901, PLR0911, PLR0912 - one case a kind of node
        match node.type:
            case (
                "unary_expression" | "expression_with_unary_operator" | "pipeline_chain" | "string_literal"
                | "integer_literal" | "key_expression"
            ):  # fmt: skip
                return self._unary(node)
            case "variable":
                return self.variable(source(node)[1:].strip("{}"))
            case "type_literal":
                return self._type(source(node)[1:-1])
            case "verbatim_here_string_characters":
                return "\n".join(source(node).splitlines()[1:-1])
            case "verbatim_string_characters":
                return source(node)[1:-1].replace("''", "'")
            case "expandable_string_literal":
                return self._expandable(node)
            case "decimal_integer_literal":
                return int(source(node))
            case "real_literal":
                return float(source(node))
            case "hexadecimal_integer_literal":
                return int(source(node), 16)
            case "simple_name":
                return source(node)
            case "parenthesized_expression":
                return self.evaluate(child(node, "pipeline"))
            case "array_expression" | "sub_expression":
                inner = next((c for c in node.children if c.type == "statement_list"), None)
                values = [] if inner is None else self.statements(inner)
                return values if node.type == "array_expression" else collected(values)
            case "array_literal_expression":
                return [self.expression(c) for c in node.children if c.is_named]
            case "hash_literal_expression":
                return self._hash(node)
            case "script_block_expression":
                return Block(child(node, "script_block"))
            case "member_access":
                return self._member(node)
            case "invocation_expression":
                return self._invoke(node)
            case "element_access":
                return self._element(node)
            case "cast_expression":
                return self.cast(source(node.children[0])[1:-1], self.expression(node.children[1]))
            case "comparison_expression":
                return self._compare(node)
            case "logical_expression":
                return self._logic(node)
            case "additive_expression":
                return self._arithmetic(node)
            case "format_expression":
                return self._format(node)
            case "pipeline":
                return self.evaluate(node)
            case _:
                raise AssertionError(f"expression {node.type} is not modelled: {source(node)[:60]}")

    def _unary(self, node: Node) -> Value:
        if len(node.children) == 1:
            return self.expression(node.children[0])
        if not node.children:
            return source(node)
        operator = source(node.children[0]).lower()
        value = self.expression(node.children[1])
        match operator:
            case "-not" | "!":
                return not truth(value)
            case "-":
                return -value
            case "-join":
                return "".join(shown(one) for one in listed(value))
            case _:
                raise AssertionError(f"operator {operator} is not modelled")

    def _expandable(self, node: Node) -> str:
        assert node.text is not None
        out, at = [], 1
        for child in node.children:
            if child.type not in {"variable", "sub_expression"}:
                continue
            out.append(_unescaped(node.text[at : child.start_byte - node.start_byte].decode()))
            out.append(shown(self.expression(child)))
            at = child.end_byte - node.start_byte
        out.append(_unescaped(node.text[at:-1].decode()))
        return "".join(out)

    def _hash(self, node: Node) -> Bag:
        body = next((c for c in node.children if c.type == "hash_literal_body"), None)
        found = Bag()
        for entry in [] if body is None else [c for c in body.children if c.type == "hash_entry"]:
            key = shown(self.expression(entry.children[0]))
            assert key not in found, f"the key {key} stands twice"
            found[key] = self.evaluate(entry.children[2])
        return found

    def _type(self, name: str) -> Host:
        low = name.lower().removeprefix("system.")
        found = self.types.get(low) or self.types.get("system." + low)
        assert found is not None, f"type [{name}] is not modelled"
        return found

    def _member(self, node: Node) -> Value:
        holder = child(node, "member_name")
        name = source(holder)
        if holder.children and holder.children[0].type == "variable":
            name = shown(self.expression(holder.children[0]))
        if node.children[1].type == "::":
            kind = source(node.children[0])[1:-1]
            host = self._type(kind)
            assert name.lower() in host.properties, f"[{kind}]::{name} is not modelled"
            return host.properties[name.lower()]()
        return self.member(self.expression(node.children[0]), name)

    def member(self, target: Value, name: str) -> Value:  # noqa: PLR0911 - one return a type
        """A property, under strict mode: one that is not there is an error."""
        low = name.lower()
        if isinstance(target, Bag):
            if name in target:
                return target[name]
            if target.table and low in {"count", "keys"}:
                return len(target) if low == "count" else list(target)
            if low == "psobject":
                names = [Bag([("Name", one)], table=False) for one in target]
                return Bag([("Properties", names)], table=False)
        elif isinstance(target, timedelta) and low == "totalseconds":
            return target.total_seconds()
        elif isinstance(target, datetime) and low == "ticks":
            return int(target.timestamp() * 10_000_000)
        elif isinstance(target, (list, tuple, bytes, str)) and low in {"count", "length"}:
            return len(target)
        elif isinstance(target, Host) and low in target.properties:
            return target.properties[low]()
        elif isinstance(target, list) and target:
            return [self.member(one, name) for one in target]
        raise PsError(f"The property '{name}' cannot be found on {type(target).__name__} {shown(target)[:40]!r}.")

    def _invoke(self, node: Node) -> Value:
        name = source(child(node, "member_name"))
        holder = child(node, "argument_list")
        arguments = [
            self.expression(one.children[0])
            for group in holder.children
            if group.type == "argument_expression_list"
            for one in group.children
            if one.type == "argument_expression"
        ]
        if node.children[1].type == "::":
            kind = source(node.children[0])[1:-1]
            host = self._type(kind)
            assert name.lower() in host.methods, f"[{kind}]::{name}() is not modelled"
            return host.methods[name.lower()](*arguments)
        target = self.expression(node.children[0])
        if isinstance(target, Host):
            assert name.lower() in target.methods, f"{target.kind} has no method {name}"
            return target.methods[name.lower()](*arguments)
        return text_method(target, name.lower(), arguments)

    def _element(self, node: Node) -> Value:
        target = self.expression(node.children[0])
        place = self.expression(node.children[2])
        if isinstance(target, Bag):
            return target.get(shown(place))
        try:
            return target[int(place)]
        except IndexError:
            raise PsError("Index was outside the bounds of the array.", "System.IndexOutOfRangeException") from None

    def cast(self, kind: str, value: Value) -> Value:  # noqa: C901, PLR0911 - one case a type
        match kind.lower():
            case "void":
                return None
            case "string":
                return shown(value)
            case "int" | "int32" | "long" | "int64":
                try:
                    return int(value)
                except (TypeError, ValueError):
                    raise PsError(f"{shown(value)!r} is not a number", "System.InvalidCastException") from None
            case "bool" | "switch":
                return truth(value)
            case "byte[]":
                return bytes(int(one) for one in listed(value))
            case "string[]":
                return [shown(one) for one in listed(value)]
            case "object[]" | "array":
                return listed(value)
            case "ordered":
                return value
            case "pscustomobject":
                return Bag(value.items(), table=False)
            case _:
                host = self._type(kind)
                assert "cast" in host.methods, f"cast to [{kind}] is not modelled"
                return host.methods["cast"](value)

    def _compare(self, node: Node) -> Value:  # noqa: C901, PLR0911, PLR0912 - one case an operator
        left = self.expression(node.children[0])
        operator = source(node.children[1]).lower()
        right = self.expression(node.children[2])
        many = isinstance(left, list)
        match operator:
            case "-eq":
                return [one for one in left if same(one, right)] if many else same(left, right)
            case "-ne":
                return [one for one in left if not same(one, right)] if many else not same(left, right)
            case "-ceq":
                return shown(left) == shown(right)
            case "-cne":
                return shown(left) != shown(right)
            case "-contains" | "-notcontains":
                found = any(same(one, right) for one in listed(left))
                return found if operator == "-contains" else not found
            case "-in":
                return any(same(one, left) for one in listed(right))
            case "-lt" | "-le" | "-gt" | "-ge":
                return _ordered(operator, left, right)
            case "-like" | "-notlike":
                pattern = re.escape(shown(right)).replace(r"\*", ".*").replace(r"\?", ".")
                hit = re.fullmatch(pattern, shown(left), re.IGNORECASE | re.DOTALL) is not None
                return hit if operator == "-like" else not hit
            case "-match" | "-notmatch":
                hit = re.search(_regex(shown(right)), shown(left), re.IGNORECASE) is not None
                return hit if operator == "-match" else not hit
            case "-cmatch":
                return re.search(_regex(shown(right)), shown(left)) is not None
            case "-replace":
                return re.sub(_regex(shown(right)), "", shown(left), flags=re.IGNORECASE)
            case "-join":
                return shown(right).join(shown(one) for one in listed(left))
            case _:
                raise AssertionError(f"operator {operator} is not modelled")

    def _logic(self, node: Node) -> bool:
        value = truth(self.expression(node.children[0]))
        for operator, operand in zip(node.children[1::2], node.children[2::2], strict=True):
            word = source(operator).lower()
            assert word in {"-and", "-or"}, word
            if (word == "-and") != value:
                continue
            value = truth(self.expression(operand))
        return value

    def _arithmetic(self, node: Node) -> Value:
        value = self.expression(node.children[0])
        for operator, operand in zip(node.children[1::2], node.children[2::2], strict=True):
            other = self.expression(operand)
            value = self._add(value, other) if source(operator) == "+" else value - other
        return value

    def _add(self, one: Value, other: Value) -> Value:
        if isinstance(one, str):
            return one + shown(other)
        if isinstance(one, list):
            return [*one, *_appended(other)]
        return other if one is None else one + other

    def _format(self, node: Node) -> str:
        values = self.expression(node.children[2])
        many = values if isinstance(values, list) else [values]
        return re.sub(r"\{(\d+)\}", lambda m: shown(many[int(m[1])]), shown(self.expression(node.children[0])))


def child(node: Node, kind: str) -> Node:
    for one in node.children:
        if one.type == kind:
            return one
    raise AssertionError(f"{node.type} has no {kind}: {source(node)[:60]}")


def elements(node: Node) -> list[Node]:
    groups = [c for c in node.children if c.type == "command_elements"]
    return [c for group in groups for c in group.children if c.type != "command_argument_sep"]


def is_void(node: Node) -> bool:
    return re.match(r"\[void\]", source(node), re.IGNORECASE) is not None


def _appended(value: Value) -> list[Value]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _unescaped(text: str) -> str:
    return re.sub(r"`(.)", lambda m: {"n": "\n", "r": "\r", "t": "\t"}.get(m[1], m[1]), text.replace('""', '"'))


def _regex(pattern: str) -> str:
    return pattern.replace(r"\A", r"\A")


def _ordered(operator: str, left: Any, right: Any) -> bool:
    match operator:
        case "-lt":
            return bool(left < right)
        case "-le":
            return bool(left <= right)
        case "-gt":
            return bool(left > right)
        case _:
            return bool(left >= right)
