"""The app around the domain: environment, errors, wiring, functions."""
