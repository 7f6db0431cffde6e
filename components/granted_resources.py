"""The resources that the functions' policies name, collected from the tiers that own them."""

from components.compute.permissions import Resources
from components.encryption.keys import Keys
from components.messaging.messaging import Messaging
from components.naming import StageContext
from components.settings import Settings


def granted_resources(context: StageContext, settings: Settings, keys: Keys, messaging: Messaging) -> Resources:
    """Keys, topic and queues; the buckets follow from the stage's names."""
    return Resources(
        context,
        settings,
        data_key_arn=keys.data_key_arn,
        token_key_arns=list(keys.token_key_arns.values()),
        media_key_arn=keys.media_key_arn,
        completion_topic_arn=messaging.completion_topic_arn,
        dead_letter_queue_arn=messaging.dead_letter_queue_arn,
        delivery_queue_arns=list(messaging.delivery_queue_arns.values()),
    )
