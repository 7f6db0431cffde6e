"""Protected resources: kept, with all that belongs to them, when the stack is destroyed.

Data is kept: buckets, the keys that encrypt, the user pool, log groups. So is what configures it, or a kept bucket
would lose its policy and a kept pool its sign-in. Pulumi also keeps what a kept resource depends on; therefore nothing
kept depends on the edge, the API or the functions.

The engine refuses an update that drops a kept resource. What a setting turns off is therefore not kept itself, and
what it wrote is declared whether or not the setting is on.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi


def kept(parent: pulumi.Resource, protect: bool, depends_on: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
    """Options of a resource that holds data, or belongs to one that does, where the stage protects it."""
    return pulumi.ResourceOptions(
        parent=parent, protect=protect, retain_on_delete=protect, depends_on=list(depends_on) or None
    )
