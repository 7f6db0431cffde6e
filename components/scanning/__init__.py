"""Mcanning: the completion topic and the dead-letter queue."""
