"""Rights of the functions' roles, written by hand: the program is compared with this table."""

VIDEO_BUCKET = "arn:aws:s3:::video-upload-dev-videos-eu-central-1-123456789012"
METADATA_BUCKET = "arn:aws:s3:::video-upload-dev-metadata-eu-central-1-123456789012"
VIDEOS, RENDITIONS = f"{VIDEO_BUCKET}/videos/*", f"{VIDEO_BUCKET}/renditions/*"
COUNTED = f"{VIDEO_BUCKET} if s3:prefix is videos/*"
RECORDS, OPEN, STARTS, POSTERS, FIGURES, USAGE, OUTBOX, CHANGES, PACKS = (
    f"{METADATA_BUCKET}/{folder}/*"
    for folder in ("records", "open", "starts", "posters", "figures", "usage", "outbox", "index/new", "index/packs")
)
LINKS, LINK_USES = (f"{METADATA_BUCKET}/{folder}/*" for folder in ("links", "link-uses"))
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:video-upload-dev"

Granted = dict[str, set[str]]
"""Actions by resource and the condition on it."""

ON_RECORDS: Granted = {
    "data-key if kms:ViaService is s3.eu-central-1.amazonaws.com": {"kms:GenerateDataKey", "kms:Decrypt"},
    METADATA_BUCKET: {"s3:ListBucket"},
    RECORDS: {"s3:GetObject", "s3:PutObject"},
    CHANGES: {"s3:PutObject"},
}
WITH_TOMBSTONES: Granted = {**ON_RECORDS, RECORDS: {*ON_RECORDS[RECORDS], "s3:PutObjectTagging"}}
PARTS = {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}
ANNOUNCE: Granted = {
    "topic": {"sns:Publish"},
    "data-key if kms:ViaService is sns.eu-central-1.amazonaws.com": {"kms:GenerateDataKey", "kms:Decrypt"},
}
RIGHTS: dict[str, Granted] = {
    "video_upload": {
        **WITH_TOMBSTONES,
        OPEN: {"s3:PutObject", "s3:DeleteObject"},
        LINK_USES: {"s3:PutObject", "s3:DeleteObject"},
        VIDEOS: {"s3:PutObject", "s3:DeleteObject", *PARTS},
        RENDITIONS: {"s3:DeleteObject"},
        POSTERS: {"s3:DeleteObject"},
        **ANNOUNCE,
        COUNTED: {"s3:ListBucket"},
        PACKS: {"s3:GetObject"},
        USAGE: {"s3:GetObject"},
        "media-key if kms:SigningAlgorithm is ECDSA_SHA_256": {"kms:Sign"},
    },
    "multipart_init": {
        **ON_RECORDS,
        OPEN: {"s3:PutObject", "s3:DeleteObject"},
        LINK_USES: {"s3:PutObject", "s3:DeleteObject"},
        STARTS: {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        LINKS: {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        VIDEOS: {"s3:PutObject", "s3:ListMultipartUploadParts"},
        "token-key": {"kms:GenerateMac"},
    },
    "multipart_complete": {
        **WITH_TOMBSTONES,
        OPEN: {"s3:PutObject", "s3:DeleteObject"},
        LINK_USES: {"s3:PutObject", "s3:DeleteObject"},
        LINKS: {"s3:GetObject"},
        VIDEO_BUCKET: {"s3:ListBucket"},
        VIDEOS: {"s3:GetObject", "s3:PutObject", *PARTS},
    },
    "video_processing": {
        **ON_RECORDS,
        OPEN: {"s3:PutObject", "s3:DeleteObject"},
        LINK_USES: {"s3:PutObject", "s3:DeleteObject"},
        RENDITIONS: {"s3:GetObject", "s3:DeleteObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
        POSTERS: {"s3:PutObject", "s3:DeleteObject"},
        VIDEO_BUCKET: {"s3:ListBucket"},
        VIDEOS: {
            *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
            *("s3:DeleteObject", "s3:DeleteObjectVersion"),
        },
        **ANNOUNCE,
        "queue": {"sqs:SendMessage"},
    },
    "upload_token_authorizer": {"token-key": {"kms:VerifyMac"}, "last-token-key": {"kms:VerifyMac"}},
    "janitor": {
        **WITH_TOMBSTONES,
        OPEN: {"s3:PutObject", "s3:DeleteObject"},
        LINK_USES: {"s3:PutObject", "s3:DeleteObject"},
        RENDITIONS: {"s3:DeleteObject"},
        POSTERS: {"s3:DeleteObject"},
        VIDEO_BUCKET: {"s3:ListBucket", "s3:ListBucketMultipartUploads"},
        USAGE: {"s3:GetObject", "s3:PutObject"},
        CHANGES: {"s3:PutObject", "s3:DeleteObject"},
        PACKS: {"s3:GetObject", "s3:PutObject"},
        VIDEOS: {
            *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
            *PARTS,
        },
        **ANNOUNCE,
        f"{FUNCTION}-video-processing:live": {"lambda:InvokeFunction"},
        "queue": {"sqs:SendMessage"},
    },
    "scan_verdict": {"queue": {"sqs:SendMessage"}},
    "notification_delivery": {},
    "message_sender": {"queue": {"sqs:SendMessage"}},
}
"""Rights of each function in dev, besides writing its log and trace."""

OUTSIDE_NETWORK = {"janitor", "scan_verdict", "notification_delivery", "message_sender"}
"""Functions that call services for which no endpoint is paid, or receivers on the internet."""
