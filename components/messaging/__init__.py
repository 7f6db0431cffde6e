"""Messaging: the notification topic and the dead-letter queue."""
