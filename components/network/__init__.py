"""Network: private subnets and endpoints."""
