"""Commands for operators, in addition to the Pulumi program."""
