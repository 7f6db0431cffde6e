"""Long random runs that look for broken promises."""
