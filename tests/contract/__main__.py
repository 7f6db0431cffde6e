"""Documents and types made from the contract: `make contract`; with ARGS=--record, examples from a run of the platform.

Writes docs/openapi.json, docs/message.schema.json, clients/uploader/src/contract.ts and
clients/cli/src/video_upload/file_types.py.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from chalicelib.contract.openapi import document, examples_in, message_schema
from tests.contract.made import MESSAGE_SCHEMA, OPENAPI, PYTHON, TYPESCRIPT, as_text, python, typescript
from tests.contract.recording import recorded


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__)
    parser.add_argument("--record", action="store_true", help="record new examples")
    options = parser.parse_args(arguments)
    examples = recorded() if options.record else examples_in(json.loads(OPENAPI.read_text()))
    made = document(examples)
    OPENAPI.write_text(as_text(made))
    MESSAGE_SCHEMA.write_text(as_text(message_schema(examples)))
    TYPESCRIPT.write_text(typescript(made))
    PYTHON.write_text(python(made))
    print(f"{OPENAPI}: {len(made['paths'])} paths, {len(made['components']['schemas'])} schemas")
    return 0


if __name__ == "__main__":
    sys.exit(main())
