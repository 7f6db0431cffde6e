"""Tests of the adapters to AWS, for paths that the end-to-end tests do not reach."""
