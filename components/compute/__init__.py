"""Compute: the functions, their permissions, environment and bundles."""
