"""End to end under faults: the real command and the real page on the real platform."""
