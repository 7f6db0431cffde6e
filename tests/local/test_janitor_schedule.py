"""Schedule of the janitor on one machine."""

import threading
import time
from typing import Any, cast

import boto3
import pytest
from chalice.local import LambdaContext

from local.janitor_schedule import MAX_PAUSE_SECONDS, MIN_PAUSE_SECONDS, JanitorSchedule, pause_seconds, scheduled_event
from local.stand_in import names


@pytest.mark.parametrize("sweep_seconds", [0.0, 0.01, 0.15, 1.0, 7.0])
def test_sweeps_take_a_twentieth_of_the_time_at_most(sweep_seconds: float) -> None:
    pause = pause_seconds(sweep_seconds)
    assert sweep_seconds / (sweep_seconds + pause) <= 0.05 + 1e-9
    assert MIN_PAUSE_SECONDS <= pause <= MAX_PAUSE_SECONDS


def test_it_comes_no_more_seldom_than_on_aws() -> None:
    assert pause_seconds(3600.0) == MAX_PAUSE_SECONDS == 300


def test_one_sweep_waits_for_the_other() -> None:
    running: list[int] = []
    most_at_once: list[int] = []

    def janitor(event: dict[str, Any], context: LambdaContext) -> None:
        running.append(1)
        most_at_once.append(len(running))
        time.sleep(0.02)
        running.pop()

    sqs = boto3.client(
        "sqs",
        endpoint_url="http://127.0.0.1:9",
        region_name=names.REGION,
        aws_access_key_id=names.ACCESS_KEY,
        aws_secret_access_key=names.SECRET_KEY,
    )
    schedule = JanitorSchedule(janitor, sqs)
    context = cast("LambdaContext", object())
    threads = [threading.Thread(target=schedule.sweep, args=(scheduled_event(), context)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most_at_once == [1] * 5
