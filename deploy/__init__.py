"""Commands for operators, besides the Pulumi program."""
