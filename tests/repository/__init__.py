"""The repository itself: its licence, its templates and the tools that check it."""
