"""The functions of the platform: what is known of each. Knows no Pulumi."""

from __future__ import annotations

API_FUNCTIONS = ("video_upload", "multipart_init", "multipart_complete")
"""Functions that serve routes of the API."""
