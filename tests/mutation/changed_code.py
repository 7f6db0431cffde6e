"""Changed code for the functions of a module that is loaded."""

import ast
import gc
from collections.abc import Iterator, Sequence
from types import CodeType, FunctionType, ModuleType

CodeLocation = tuple[str, int]  # qualified name and first line


def functions_of(loaded: ModuleType) -> list[FunctionType]:
    return [each for each in gc.get_objects() if type(each) is FunctionType and each.__globals__ is vars(loaded)]


def change_functions(functions: Sequence[FunctionType], before: ast.Module, after: ast.Module) -> bool:
    """Give the functions that differ their code of `after`. False where one does not take it or is not to be found."""
    old, new = _codes(before), _codes(after)
    waiting = {location: code for location, code in new.items() if code != old[location]}
    if not waiting:
        return False
    found: set[CodeLocation] = set()
    for each in functions:
        location = _location(each.__code__)
        if location in waiting:
            try:
                each.__code__ = waiting[location]
            except ValueError:  # it has another closure now
                return False
            found.add(location)
    return found == set(waiting)


def _codes(tree: ast.Module) -> dict[CodeLocation, CodeType]:
    return {_location(code): code for code in _functions(compile(tree, "", "exec"))}


def _functions(code: CodeType) -> Iterator[CodeType]:
    """Code of the functions of a module and of its classes, not of functions within functions."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if _is_class_body(constant):
                yield from _functions(constant)
            else:
                yield constant


def _is_class_body(code: CodeType) -> bool:
    return "__module__" in code.co_names and "__qualname__" in code.co_names


def _location(code: CodeType) -> CodeLocation:
    return code.co_qualname, code.co_firstlineno
