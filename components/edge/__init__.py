"""Edge: CloudFront, its web ACL and the page's configuration."""
