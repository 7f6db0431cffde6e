"""The owner of every bucket and object, by the canonical user id in moto's responses about buckets."""

from moto.s3.models import OWNER as MOTO_OWNER

OWNER = {"ID": MOTO_OWNER}
