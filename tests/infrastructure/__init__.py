"""The Pulumi program, run whole under a mocked engine."""
