"""IAM's evaluation of policies, to the extent that this program's policies use it.

IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators". An unknown element
raises, so that no policy is evaluated by guess.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.infrastructure.safety.reading import as_list


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of AWS. principal: a role's ARN or a service; context: the condition keys that are present."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict[str, str])


def is_allowed(call: Call, policies: Sequence[Sequence[Mapping[str, Any]]]) -> bool:
    """Return whether these policies (the role's own and the resource's, of one account) allow a call."""
    matching = [each for statements in policies for each in statements if _speaks_of(each, call)]
    return bool(matching) and all(each["Effect"] == "Allow" for each in matching)


def _speaks_of(statement: Mapping[str, Any], call: Call) -> bool:
    actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
    return (
        _names(statement.get("Principal"), call.principal)
        and any(fnmatch.fnmatchcase(call.action.lower(), action.lower()) for action in actions)
        and any(fnmatch.fnmatchcase(call.resource, resource) for resource in resources)
        and all(
            CONDITIONS[operator](call.context.get(key), as_list(values))
            for operator, tests in statement.get("Condition", {}).items()
            for key, values in tests.items()
        )
    )


def _names(principal: Any, caller: str) -> bool:
    """A role's own policy names nobody: it speaks of the role."""
    if principal is None or principal in ("*", {"AWS": "*"}):
        return True
    ((kind, names),) = principal.items()
    if kind == "Service":
        return caller in as_list(names)
    return kind == "AWS" and any(name.split(":")[4] == caller.split(":")[4] for name in as_list(names) if ":" in caller)


def _like(value: str, pattern: str) -> bool:
    """ARNs are compared part by part: a wildcard reaches over no colon but in the last part."""
    return all(map(fnmatch.fnmatchcase, value.split(":", 5), pattern.split(":", 5)))


def _any(compare: Callable[[str, str], bool]) -> Callable[[str | None, list[str]], bool]:
    return lambda actual, wanted: actual is not None and any(compare(actual, each) for each in wanted)


def _none(compare: Callable[[str, str], bool]) -> Callable[[str | None, list[str]], bool]:
    """A negated operator holds for an absent key, too."""
    return lambda actual, wanted: actual is None or not any(compare(actual, each) for each in wanted)


CONDITIONS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "StringEquals": _any(str.__eq__),
    "StringNotEquals": _none(str.__eq__),
    "StringLike": _any(fnmatch.fnmatchcase),
    # Each call here carries one value of a key with several; an absent key matches none of them.
    "ForAnyValue:StringNotLike": lambda actual, wanted: (
        actual is not None and not any(fnmatch.fnmatchcase(actual, each) for each in wanted)
    ),
    "ArnEquals": _any(_like),
    "ArnLike": _any(_like),
    "ArnNotEquals": _none(_like),
    "Bool": _any(str.__eq__),
    "NumericLessThan": _any(lambda actual, wanted: float(actual) < float(wanted)),
    "NumericGreaterThan": _any(lambda actual, wanted: float(actual) > float(wanted)),
    "Null": lambda actual, wanted: wanted == ["true" if actual is None else "false"],
}
