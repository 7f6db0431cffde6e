"""The tiers of the platform, a folder each, and what they share."""
