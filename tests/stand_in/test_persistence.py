"""Persistence: a folder keeps everything that was answered, however the process ended."""

import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from local.stand_in import moto_state, names
from tests.stand_in.server_process import MIB, ROOT, Server, send, serve

SECRET = "/video-upload/local/webhooks/mine"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "clean stop"])
def test_everything_answered_survives(number: signal.Signals, tmp_path: Path) -> None:
    part = os.urandom(5 * MIB)
    with serve("--data", str(tmp_path)) as server:
        version = server.s3.put_object(Bucket=server.bucket, Key="videos/a", Body=b"a", Tagging="verdict=accepted")
        server.s3.put_object(Bucket=server.bucket, Key="videos/a", Body=b"b")
        upload_id = server.upload("videos/big", [part], ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
        listed = server.listed("videos/big", upload_id)
        mac = server.client("kms").generate_mac(
            KeyId=names.UPLOAD_TOKEN_KEY_ALIAS, Message=b"m", MacAlgorithm="HMAC_SHA_256"
        )["Mac"]
        server.client("lambda").invoke(FunctionName="f", InvocationType="Event", Payload='{"invoked": 1}')
        server.client("ssm").put_parameter(Name=SECRET, Value="whsec_1", Type="SecureString")
        server.client("ssm").put_parameter(Name=SECRET, Value="whsec_2 whsec_1", Type="SecureString", Overwrite=True)
        server.client("events").create_event_bus(Name="videos")
        server.process.send_signal(number)
        server.process.wait(5)
    with serve("--data", str(tmp_path)) as server:
        assert server.s3.get_object(Bucket=server.bucket, Key="videos/a")["Body"].read() == b"b"
        old = {"Bucket": server.bucket, "Key": "videos/a", "VersionId": version["VersionId"]}
        assert server.s3.get_object(**old)["Body"].read() == b"a"
        assert server.s3.get_object_tagging(**old)["TagSet"] == [{"Key": "verdict", "Value": "accepted"}]
        assert server.listed("videos/big", upload_id) == listed
        server.s3.upload_part(Bucket=server.bucket, Key="videos/big", UploadId=upload_id, PartNumber=2, Body=b"tail")
        server.complete("videos/big", upload_id)
        assert server.s3.get_object(Bucket=server.bucket, Key="videos/big")["Body"].read() == part + b"tail"
        assert server.client("kms").verify_mac(
            KeyId=names.UPLOAD_TOKEN_KEY_ALIAS, Message=b"m", MacAlgorithm="HMAC_SHA_256", Mac=mac
        )["MacValid"]
        events = server.events()
        assert {"invoked": 1} in events
        server.client("sns").publish(TopicArn=names.COMPLETIONS_TOPIC_ARN, Message="ready")
        assert len(server.events(names.COMPLETIONS_QUEUE)) == 1
        keys = [event["Records"][0]["s3"]["object"]["key"] for event in events if "Records" in event]
        assert keys == ["videos/a", "videos/a", "videos/big"]
        kept = server.client("ssm").get_parameter(Name=SECRET, WithDecryption=True)["Parameter"]
        assert (kept["Value"], kept["Type"]) == ("whsec_2 whsec_1", "SecureString")
        buses = server.client("events").list_event_buses()["EventBuses"]
        assert {bus["Name"] for bus in buses} == {"default", "videos"}


def test_bodies_a_killed_process_left_half_written_are_removed(tmp_path: Path) -> None:
    stray = tmp_path / "bodies" / "ab" / ("ab" + "0" * 30)
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"half")
    with serve("--data", str(tmp_path)) as server:
        server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"kept")
    assert not stray.exists()
    assert [path.read_bytes() for path in (tmp_path / "bodies").glob("*/*")] == [b"kept"]


def test_a_deleted_version_and_a_replaced_part_give_their_bytes_back(tmp_path: Path) -> None:
    with serve("--data", str(tmp_path)) as server:
        put = server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"gone")
        server.s3.delete_object(Bucket=server.bucket, Key="k", VersionId=put["VersionId"])
        upload_id = server.upload("m", [b"first"])
        server.s3.upload_part(Bucket=server.bucket, Key="m", UploadId=upload_id, PartNumber=1, Body=b"second")
        assert [path.read_bytes() for path in (tmp_path / "bodies").glob("*/*")] == [b"second"]
        server.s3.abort_multipart_upload(Bucket=server.bucket, Key="m", UploadId=upload_id)
        assert list((tmp_path / "bodies").glob("*/*")) == []


def test_a_folder_is_served_once_and_nothing_is_written_outside_it(tmp_path: Path) -> None:
    folder, home = tmp_path / "data", tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    with serve("--data", str(folder), environment=environment) as server:
        server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"x" * MIB)
        second = subprocess.run(
            [sys.executable, "-m", "local.stand_in", "--port", "0", "--data", str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert second.returncode == 1
        assert "served by another stand-in" in second.stderr
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "end of input"])
def test_it_does_not_wait_for_answers_that_it_owes(how: str) -> None:
    with serve("--in-memory") as server, ThreadPoolExecutor(1) as pool:
        server.control("POST", "faults", {"operation": "PutObject", "delaySeconds": 60})
        owed = pool.submit(send, "PUT", server.presign("put_object", Key="k"), b"x")
        time.sleep(0.2)
        if how == "end of input":
            assert server.process.stdin is not None
            server.process.stdin.close()
        else:
            server.process.send_signal(getattr(signal, how))
        assert server.process.wait(20) == 0
        assert owed.exception() is not None


def test_a_large_upload_needs_neither_memory_nor_file_descriptors(tmp_path: Path) -> None:
    """256 MiB in 5 MiB parts at 128 descriptors; memory must not grow with the size."""
    with serve("--data", str(tmp_path), prefix=("/bin/sh", "-c", 'ulimit -n 128; exec "$@"', "sh")) as server:
        process = psutil.Process(server.process.pid)
        server.complete("videos/warm", server.upload("videos/warm", [b"w" * 5 * MIB]))
        before = process.memory_info().rss
        part = os.urandom(5 * MIB)
        upload_id = server.upload("videos/big", [])
        peak = before
        for number in range(1, 53):
            server.s3.upload_part(
                Bucket=server.bucket, Key="videos/big", UploadId=upload_id, PartNumber=number, Body=part
            )
            peak = max(peak, process.memory_info().rss)
        server.complete("videos/big", upload_id)
        body = server.s3.get_object(Bucket=server.bucket, Key="videos/big")["Body"]
        received = 0
        for chunk in body.iter_chunks(MIB):
            received += len(chunk)
        peak = max(peak, process.memory_info().rss)
        assert received == 52 * 5 * MIB
        assert peak - before < 40 * MIB
        assert process.num_fds() < 64


@pytest.mark.parametrize("clients", [400, pytest.param(1247, marks=pytest.mark.slow)])
def test_all_of_the_clients_that_come_at_once_are_served(server: Server, clients: int) -> None:
    """Up to the concurrency the platform is built for, each on its own connection, all opened before the first byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("this machine allows fewer than 2048 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    program = ROOT / "tests" / "stand_in" / "many_clients.py"
    done = subprocess.run(
        [sys.executable, str(program), server.presign("put_object", Key="videos/k"), str(clients)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == [str(clients)], done.stderr


def test_a_service_that_nobody_calls_is_not_even_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "moto.ssm", raising=False)
    moto_state.capture("ssm")
    assert "moto.ssm" not in sys.modules
