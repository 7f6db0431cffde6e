"""Cross-origin requests, answered by the bucket's rules as S3 does: the preflight and the request itself.

Source: Amazon S3 User Guide, "How does Amazon S3 evaluate the CORS configuration on a bucket?".
"""

from fnmatch import fnmatchcase

from local.stand_in.buckets import CorsRule
from local.stand_in.errors import S3Error
from local.stand_in.requests import S3Request
from local.stand_in.responses import Response

_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def preflight(request: S3Request, rules: list[CorsRule]) -> Response:
    """Answer an OPTIONS; raises S3Error 403 when no rule allows what the browser is about to send."""
    method = request.headers.get("access-control-request-method")
    if request.origin is None or not method:
        raise S3Error(400, "BadRequest", "Insufficient information. Origin request header needed.")
    asked = [
        name.strip().lower()
        for name in request.headers.get("access-control-request-headers", "").split(",")
        if name.strip()
    ]
    for rule in rules:
        if _allows(rule, request.origin, method) and all(_allows_header(rule, name) for name in asked):
            headers = _headers(rule, request.origin)
            if asked:
                headers["Access-Control-Allow-Headers"] = ", ".join(asked)
            if rule.max_age_seconds is not None:
                headers["Access-Control-Max-Age"] = str(rule.max_age_seconds)
            return Response(headers=headers)
    raise S3Error(
        403,
        "AccessForbidden",
        "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, "
        "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted "
        "by the resource's CORS spec.",
        {"Method": method, "ResourceType": "OBJECT" if request.key else "BUCKET"},
    )


def response_headers(request: S3Request, rules: list[CorsRule]) -> dict[str, str]:
    """The headers that let the page read the answer; none for an origin or method that no rule allows."""
    if request.origin is None:
        return {}
    for rule in rules:
        if _allows(rule, request.origin, request.method):
            return _headers(rule, request.origin)
    return {}


def _allows(rule: CorsRule, origin: str, method: str) -> bool:
    return method in rule.methods and any(_matches(pattern, origin) for pattern in rule.origins)


def _allows_header(rule: CorsRule, name: str) -> bool:
    return any(_matches(pattern.lower(), name) for pattern in rule.headers)


def _matches(pattern: str, text: str) -> bool:
    # S3 knows `*` alone; the other wildcards of fnmatch are letters to it.
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def _headers(rule: CorsRule, origin: str) -> dict[str, str]:
    anyone = "*" in rule.origins
    headers = {
        "Access-Control-Allow-Origin": "*" if anyone else origin,
        "Access-Control-Allow-Methods": ", ".join(rule.methods),
        "Vary": _VARY,
    }
    if not anyone:
        headers["Access-Control-Allow-Credentials"] = "true"
    if rule.exposed_headers:
        headers["Access-Control-Expose-Headers"] = ", ".join(rule.exposed_headers)
    return headers
