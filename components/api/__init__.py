"""API: the REST API and the OpenAPI document that defines it."""
