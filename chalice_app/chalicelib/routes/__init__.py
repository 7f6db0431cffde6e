"""The routes of the API: parse, call, shape."""
