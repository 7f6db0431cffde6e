"""The program under the real Pulumi engine, with a provider that grants every wish."""
