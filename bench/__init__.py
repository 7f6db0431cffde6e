"""Measurements of the whole platform that take too long to be tests."""
