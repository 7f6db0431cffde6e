"""What must outlive a mistake: resources that refuse to be deleted and stay when the stack goes."""

from __future__ import annotations

import pulumi


def kept(parent: pulumi.Resource, protect: bool) -> pulumi.ResourceOptions:
    """Options of a resource whose loss would lose data, where the stage protects it."""
    return pulumi.ResourceOptions(parent=parent, protect=protect, retain_on_delete=protect)
