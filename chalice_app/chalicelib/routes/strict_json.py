"""Request bodies: one JSON object in UTF-8, and nothing that two parsers could read differently."""

import json
from typing import Any, NoReturn

from chalice.app import Request

from chalicelib.contract.fields import MAX_BODY_BYTES
from chalicelib.core.errors import InvalidJsonError, RequestTooLargeError
from chalicelib.core.json_values import JsonObject


def strict_json(request: Request, max_bytes: int = MAX_BODY_BYTES) -> JsonObject:
    """Raises RequestTooLargeError, InvalidJsonError: also for NaN, doubled names, lone surrogates and deep nesting."""
    raw: Any = request.raw_body
    if len(raw) > max_bytes:
        raise RequestTooLargeError(max_bytes=max_bytes)
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_doubles, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except InvalidJsonError:
        raise
    except UnicodeError as error:
        raise InvalidJsonError(reason="it is not valid UTF-8") from error
    except RecursionError as error:
        raise InvalidJsonError(reason="it is nested too deeply") from error
    except ValueError as error:
        raise InvalidJsonError(reason="it cannot be parsed") from error
    if not isinstance(value, dict):
        raise InvalidJsonError(reason="it is not an object")
    return value


def strict_json_or_empty(request: Request) -> JsonObject:
    """Parse the body of a call whose every field may be left out."""
    return strict_json(request) if request.raw_body else {}


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise InvalidJsonError(reason="a name appears twice")
    return names


def _no_constant(constant: str) -> NoReturn:
    raise InvalidJsonError(reason=f"{constant} is not JSON")
