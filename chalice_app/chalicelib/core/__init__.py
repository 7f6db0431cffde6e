"""The domain: arithmetic and decisions of an upload, without Chalice and AWS.

init         multipart_upload, simple_upload, caps, idempotency_keys, upload_requests, upload_token, part_plan
links        upload_links
parts        multipart_upload, part_urls
completion   completion, upload_metrics
processing   processing, media, malware_scan, renditions, rendition, conversions, conversion_budget
library      library, stage_library, index, labels, deletion, viewing_urls, download_name
notification video_events, announcements, outbox, notification_delivery, webhook_signatures, public_addresses
upkeep       janitor, open_videos, pending_renditions, retention, retention_policy, stage_figures, stage_usage
telemetry    progress, metric_catalogue, log_context
everywhere   records, video_record, video_id, video_types, ports, errors, sigv4, json_values, texts
"""
