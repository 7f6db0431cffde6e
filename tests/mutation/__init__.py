"""Mutants: the code changed in one small place each, and whether a test notices."""
