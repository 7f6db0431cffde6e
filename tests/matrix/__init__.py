"""The access matrix: every route, every identity, every target, against the running platform."""
