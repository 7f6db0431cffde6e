"""Protected resources: Pulumi refuses to delete them, and they outlive the stack.

Resources that hold data are protected: buckets, encryption keys, the user pool, log groups. So are the resources that
configure them; otherwise a protected bucket would lose its policy and a protected pool its sign-in. Pulumi also keeps
the dependencies of a protected resource; therefore no protected resource depends on the edge, the API or the functions.

The engine refuses an update that drops a protected resource. A resource that a setting can turn off is therefore not
protected, and its log group is declared whether or not the setting is on.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi


def protected(
    parent: pulumi.Resource, protect: bool, depends_on: Sequence[pulumi.Resource] = ()
) -> pulumi.ResourceOptions:
    """Options of a resource that holds data or configures one that does: protected if the stage protects its data."""
    return pulumi.ResourceOptions(
        parent=parent, protect=protect, retain_on_delete=protect, depends_on=list(depends_on) or None
    )
