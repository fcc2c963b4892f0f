"""What every association resource of a Pulumi program has in common."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, cast

import pulumi
from pulumi.dynamic import Resource

from pulumi_aws_associations.provider import AssociationProvider


class AssociationResource(Resource):
    """A dynamic resource that knows who declares it.

    Replacement deletes first, unless ``opts`` say otherwise: of a create and then a delete of the same pair, which is
    what ``--replace`` would do, nothing is left.
    """

    def __init__(
        self,
        provider: AssociationProvider,
        name: str,
        inputs: Mapping[str, pulumi.Input[Any]],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Declare; ``inputs`` are those of the kind and the options of every kind."""
        parent: pulumi.Input[str] = ""
        if opts is not None and opts.parent is not None:
            # The text without the dependency: a child that depends on its own parent is a cycle to Pulumi (measured).
            parent = pulumi.Output.from_input(cast(Awaitable[str], opts.parent.urn.future()))
        # The host process knows neither name nor stack, so they travel as an input, for the client token.
        declared_by = [pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack(), parent, name]
        kind = provider.kind
        parts = (part.name for part in kind.parts if part.default is not None)
        status = (kind.status_name,) if kind.look.status else ()
        outputs = dict.fromkeys((*parts, "region", "account", "adopted", *status, "status_code"))
        super().__init__(
            provider,
            name,
            {**outputs, **inputs, "declared_by": declared_by},
            pulumi.ResourceOptions.merge(pulumi.ResourceOptions(delete_before_replace=True), opts),
        )
