"""What speaks to AWS, where the journeys through the platform do not reach."""
