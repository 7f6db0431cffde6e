"""What CloudWatch is on AWS: the metrics that the platform's processes print, kept, reckoned with and shown."""
