"""Programs that run in processes of their own, some under the peers' interpreter."""
