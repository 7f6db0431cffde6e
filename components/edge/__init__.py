"""Edge: CloudFront, its web ACL and what the page is told."""
