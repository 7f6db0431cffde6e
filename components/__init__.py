"""The tiers of the platform: one file, one tier."""
