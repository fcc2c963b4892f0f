"""Every kind of association that is served: one module a service, one declaration a kind."""

from __future__ import annotations

from aws_associations.kind import Kind
from aws_associations.kinds import finspace

KINDS: tuple[Kind, ...] = (finspace.PERMISSION_GROUP_MEMBERSHIP,)
"""In the order of the documentation."""
