"""Lazy imports of pulumi_aws, which load only the files of the classes in use.

A service's own `__init__` imports all of its files, ten times as many as the program needs: that took most of the
program's time.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

import pulumi_aws

_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ARGUMENTS = re.compile(r"Args(Dict)?$")
_INPUTS, _ENUMS = "_inputs", "_enums"


def load_classes_alone() -> None:
    """Make each service that is not loaded yet find a class by its file. Safe to repeat."""
    for name, service in list(vars(pulumi_aws).items()):
        # Until they are loaded, services are of a type of pulumi_aws's own.
        if isinstance(service, ModuleType) and type(service) is not ModuleType:
            lean = _lean(ModuleType.__getattribute__(service, "__spec__"))
            sys.modules[lean.__name__] = lean
            setattr(pulumi_aws, name, lean)


def _lean(spec: ModuleSpec) -> ModuleType:
    """A package that imports each class on first access (PEP 562)."""
    package = ModuleType(spec.name)
    package.__spec__, package.__package__ = spec, spec.name
    package.__path__ = list(spec.submodule_search_locations or ())
    folder = Path(package.__path__[0])

    def find(name: str) -> object:
        # Names of files are left to the import system.
        if name.startswith("__") or (folder / f"{name}.py").is_file():
            raise AttributeError(name)
        for file in _files_of(name):
            if (folder / f"{file}.py").is_file():
                found = vars(importlib.import_module(f"{spec.name}.{file}"))
                if name in found:
                    return found[name]
        SourceFileLoader(spec.name, str(folder / "__init__.py")).exec_module(package)
        if name in vars(package):
            return vars(package)[name]
        raise AttributeError(name)

    vars(package)["__getattr__"] = find
    return package


def _files_of(name: str) -> Iterator[str]:
    """Files that may define a class or a function: `BucketPolicy` is in `bucket_policy`."""
    if _ARGUMENTS.search(name):
        yield _INPUTS
    yield _WORD_BEGINS.sub("_", _ARGUMENTS.sub("", name)).lower().removesuffix("_output")
    yield _ENUMS
