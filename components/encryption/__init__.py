"""Encryption: the KMS keys and who may use which."""
