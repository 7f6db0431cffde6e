"""The client's version, which is the platform's."""

VERSION = "0.2.0"
