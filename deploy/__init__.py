"""What a deploy does besides the Pulumi program."""
