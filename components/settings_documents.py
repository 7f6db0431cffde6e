"""Documents that list the settings: the block in Pulumi.yaml and the table in docs/deploying.md.

`make settings` generates both from components/settings.py; a test compares them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping

import yaml

from components.declared_stage import PROJECT, stage_file
from components.setting_fields import Setting, settings_in
from components.settings import GROUPS

PULUMI, GUIDE = "Pulumi.yaml", "docs/deploying.md"
STAGES = ("dev", "staging", "prod")
BLOCK_STARTS = "  aws:region:\n    value: eu-central-1\n"
TABLE_STARTS = (
    "| Setting | Meaning | Default | " + " | ".join(STAGES) + " |\n|---|---|---|" + "---|" * len(STAGES) + "\n"
)


def all_settings() -> Iterator[Setting]:
    """Every setting, in the order of the documents."""
    for group in GROUPS.values():
        for _, setting in settings_in(group):
            yield setting


def project_file(text: str) -> str:
    """Pulumi.yaml with the block of declared settings."""
    head, found, _ = text.partition(BLOCK_STARTS)
    return head + found + "".join(_group_block(group) for group in GROUPS.values())


def _group_block(group: type) -> str:
    title = (group.__doc__ or "").rstrip(".")
    return f"\n  # {title}\n" + "".join(
        f"  {setting.key}: {{type: {_type_of(setting)}, default: {_flow(setting.default)}}}\n"
        for _, setting in settings_in(group)
    )


def _type_of(setting: Setting) -> str:
    return "array, items: {type: string}" if setting.type == "array" else setting.type


def _flow(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1_000).partition("\n")[0]


def guide(text: str, stages: Mapping[str, Mapping[str, object]]) -> str:
    """docs/deploying.md with the table of settings. stages: overrides in each stage's file, by setting."""
    head, found, rest = text.partition(TABLE_STARTS)
    after = re.sub(r"\A(\|[^\n]*\n)*", "", rest)
    rows = [
        f"| `{setting.key}` | {setting.meaning} | {_cell(setting.default)} |"
        + "".join(_stage_cell(stages[stage], setting) for stage in STAGES)
        for setting in all_settings()
    ]
    return head + found + "\n".join(rows) + "\n" + after


def _stage_cell(changed: Mapping[str, object], setting: Setting) -> str:
    return f" {_cell(changed[setting.key])} |" if setting.key in changed else " |"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "none"


def written() -> dict[str, str]:
    """Up-to-date text of both documents, by path in the project."""
    stages = {stage: {key.partition(":")[2]: value for key, value in stage_file(stage).items()} for stage in STAGES}
    return {
        PULUMI: project_file((PROJECT / PULUMI).read_text()),
        GUIDE: guide((PROJECT / GUIDE).read_text(), stages),
    }


def main() -> None:
    """Rewrite outdated documents."""
    for path, text in written().items():
        if text != (PROJECT / path).read_text():
            (PROJECT / path).write_text(text)
            sys.stdout.write(f"{path} written\n")


if __name__ == "__main__":
    main()
