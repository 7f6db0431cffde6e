"""The stand-in needs nothing of the repository it lies in."""

import ast
import os
import shutil
import sys
from pathlib import Path

from tests.stand_in.server_process import ROOT, serve

TYPES_ONLY = {"types_boto3_kms", "types_boto3_s3", "types_boto3_sqs"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_its_folder_alone_serves_uploads(tmp_path: Path) -> None:
    source = ROOT / "local" / "stand_in"
    shutil.copytree(source, tmp_path / "local" / "stand_in", ignore=shutil.ignore_patterns("__pycache__"))
    with serve("--in-memory", repository=tmp_path, environment=ENVIRONMENT) as server:
        upload_id = server.upload("videos/a", [b"a part"])
        server.complete("videos/a", upload_id)
        assert server.s3.get_object(Bucket=server.bucket, Key="videos/a")["Body"].read() == b"a part"


def test_its_readme_names_every_package_that_it_imports() -> None:
    folder = ROOT / "local" / "stand_in"
    readme = (folder / "README.md").read_text()
    trees = [ast.parse(file.read_text()) for file in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    packages = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - {"local"} - TYPES_ONLY
    # botocore comes with boto3.
    assert {name for name in packages if f"`{name}" not in readme} == {"botocore"}
