"""Protected resources: Pulumi refuses to delete them, and they outlive the stack with all that belongs to them.

Data is protected: buckets, the keys that encrypt, the user pool, log groups. So is what configures it; otherwise a
protected bucket would lose its policy and a protected pool its sign-in. Pulumi also keeps what a protected resource
depends on; therefore no protected resource depends on the edge, the API or the functions.

The engine refuses an update that drops a protected resource. A resource that a setting turns off is therefore not
protected, and the logs that it wrote are declared whether or not the setting is on.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi


def protected(
    parent: pulumi.Resource, protect: bool, depends_on: Sequence[pulumi.Resource] = ()
) -> pulumi.ResourceOptions:
    """Options of a resource that holds data, or belongs to one that does, where the stage protects it."""
    return pulumi.ResourceOptions(
        parent=parent, protect=protect, retain_on_delete=protect, depends_on=list(depends_on) or None
    )
