"""Encryption: the KMS keys and their policies."""
