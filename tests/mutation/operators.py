"""The changes that make mutants of a module, each in one place of its syntax tree.

Left alone: docstrings, annotations, decorators, what is only said to the log, and the names of policy statements, which
decide nothing.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True)
class Mutant:
    """One change. where: the function or class around it, with a number where it has the same change again. tree: the
    whole module, changed. in_a_body: whether importing the module runs none of what changed.
    """

    where: str
    line: int
    before: str
    after: str
    tree: ast.Module
    in_a_body: bool

    @property
    def change(self) -> str:
        return f"{self.where}: {self.before} → {self.after}"


def mutants(source: str) -> list[Mutant]:
    module = ast.parse(source)
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for path, node, where in _walk(module, (), ""):
        for after in _changes(node):
            if ast.dump(node) == ast.dump(after):
                continue
            tree = _replaced(module, path, node, after)
            line = getattr(node, "lineno", 0)
            change = Mutant(where or "module", line, _text(node), _text(after), tree, _is_in_a_body(module, path))
            seen[change.change] += 1
            number = seen[change.change]
            found.append(replace(change, where=f"{change.where} ({number})") if number > 1 else change)
    return found


Path = tuple[tuple[str, int | None], ...]


def _walk(node: ast.AST, path: Path, where: str) -> Iterator[tuple[Path, ast.AST, str]]:
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        if isinstance(value, list):
            children = [((name, index), child) for index, child in enumerate(value)]
        else:
            children = [((name, None), value)]
        if name == "args" and _makes_a_policy_statement(node):
            children = children[1:]
        for step, child in children:
            if not isinstance(child, ast.AST) or _is_left_alone(child):
                continue
            inside = f"{where}.{child.name}".lstrip(".") if isinstance(child, _NAMED) else where
            yield (*path, step), child, inside
            yield from _walk(child, (*path, step), inside)


_NAMED = (ast.FunctionDef, ast.ClassDef)


def _is_in_a_body(module: ast.Module, path: Path) -> bool:
    node: ast.AST = module
    for name, index in path:
        if isinstance(node, ast.FunctionDef) and name == "body":
            return True
        child = getattr(node, name)
        node = child if index is None else child[index]
    return False


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log")))):
            return True
        case ast.Import() | ast.ImportFrom():
            return True
        case _:
            return False


def _makes_a_policy_statement(node: ast.AST) -> bool:
    """Return whether a call is one of components.policy's, whose first argument is the statement's name."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"allow", "deny"}


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    yield from _changed_expressions(node)
    yield from _changed_statements(node)


def _changed_expressions(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                yield _with(node, ops=[*ops[:index], _COMPARISONS[type(operator)](), *ops[index + 1 :]])
        case ast.BoolOp(op=operator, values=values):
            yield _with(node, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
            for index in range(len(values)):
                rest = [*values[:index], *values[index + 1 :]]
                yield rest[0] if len(rest) == 1 else _with(node, values=rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(op=operator) if type(operator) in _ARITHMETIC:
            yield _with(node, op=_ARITHMETIC[type(operator)]())
        case ast.Call(keywords=keywords):
            for index in range(len(keywords)):
                yield _with(node, keywords=[*keywords[:index], *keywords[index + 1 :]])
        case ast.Constant():
            yield from _changed_constants(node)
        case _:
            pass


def _changed_constants(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool(value):
            yield ast.Constant(not value)
        case int(value) | float(value):
            yield ast.Constant(value + 1)
        case str(value):
            yield ast.Constant(f"X{value}")
        case bytes(value):
            yield ast.Constant(b"X" + value)
        case _:
            pass


def _changed_statements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr() | ast.Raise() | ast.AugAssign() | ast.Delete():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case _:
            pass


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _replaced(module: ast.Module, path: Path, before: ast.AST, after: ast.AST) -> ast.Module:
    """The module with another node at the end of the path; it shares all that lies beside the path."""
    if not hasattr(after, "lineno"):
        ast.copy_location(after, before)
    ast.fix_missing_locations(after)
    tree = copy.copy(module)
    parent: ast.AST = tree
    for name, index in path[:-1]:
        child = getattr(parent, name)
        copied = copy.copy(child if index is None else child[index])
        _put(parent, name, index, copied)
        parent = copied
    _put(parent, *path[-1], after)
    return tree


def _put(parent: ast.AST, name: str, index: int | None, child: ast.AST) -> None:
    """Make it the parent's child without changing a list that another tree shares."""
    if index is None:
        setattr(parent, name, child)
    else:
        children = getattr(parent, name)
        setattr(parent, name, [*children[:index], child, *children[index + 1 :]])


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:160]
