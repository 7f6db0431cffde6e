"""The status view, in place of CloudWatch: collects, stores, evaluates and shows the processes' metrics."""
