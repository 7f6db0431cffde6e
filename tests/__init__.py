"""Tests, one package per part of the repository."""
