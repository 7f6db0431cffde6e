"""Observability: metrics, figures, alarms, dashboard, logs and the audit trail."""
