"""CORS: only the site's scripts may call the clients' endpoints."""

from flask import Blueprint, Response, request

from local.sign_in.clients import Clients


def allow_the_site(blueprint: Blueprint, clients: Clients) -> None:
    """Let scripts of the web client's origins read the responses of these routes."""

    def allow(response: Response) -> Response:
        response.headers["Vary"] = "Origin"
        if not request.path.startswith("/.well-known/"):
            response.headers["Cache-Control"] = "no-store"
        origin = request.headers.get("Origin")
        if origin in clients.web_origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-Amz-Target"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Max-Age"] = "600"
        return response

    blueprint.after_request(allow)
