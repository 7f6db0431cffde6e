"""The status view, in place of CloudWatch: collects, stores, computes and shows metrics that the processes print."""
