"""Stable client tokens, derived from the logical id.

Two tokens belong to one call (docs/decisions/0003-tokens.md)::

    owner token   = H(owner, operation, identity, parameters as sent)
    request token = H(owner token, request)

Both are 64 hexadecimal characters: printable, and within the 1..128 of every service served here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from aws_associations.identity import Identity
from aws_associations.kind import Scope
from aws_associations.records import Owner


def client_token(
    scope: Scope,
    owner: Owner,
    request_id: str,
    operation: str,
    identity: Identity,
    parameters: Mapping[str, object],
) -> str:
    """The token of one write.

    Args:
        scope: which of the two.
        owner: who declares the association.
        request_id: the host's name of this request, the same on every retry of it.
        operation: API operation; the same pair is associated and disassociated under different tokens.
        identity: so that a changed pair, account, region or environment under one logical id changes the token.
        parameters: as sent, without the token: services reject a token that comes back with other parameters.
    """
    owner_token = _digest(
        "owner", [*owner.declaration], operation, [*identity.canonical], dict(sorted(parameters.items()))
    )
    if scope is Scope.OWNER:
        return owner_token
    return _digest("request", owner_token, request_id)


def _digest(*fields: object) -> str:
    # JSON keeps the borders between fields: ("ab", "c") and ("a", "bc") must not collide.
    text = json.dumps(["aws-associations/1", *fields], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
