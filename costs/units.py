"""Units of bills and files."""

GB = 10**9
"""Unit of the specification, the dashboard and workload files."""
GIB = 2**30
"""Unit that AWS bills and calls GB (S3 pricing page: "1 GB = 1,073,741,824 bytes")."""
MB = 10**6

HOURS_A_MONTH = 730  # AWS Pricing Calculator: 365 days of 24 hours over 12 months
DAYS_A_MONTH = HOURS_A_MONTH / 24
SECONDS_A_MONTH = HOURS_A_MONTH * 3_600
