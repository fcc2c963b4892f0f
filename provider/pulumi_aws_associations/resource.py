"""What every association resource of a Pulumi program has in common."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import pulumi
from pulumi.dynamic import Resource

from pulumi_aws_associations.provider import AssociationProvider

_AWS_PACKAGES = ("aws", "aws-native")


class AssociationResource(Resource):
    """A dynamic resource that knows who declares it."""

    def __init__(
        self,
        provider: AssociationProvider,
        name: str,
        inputs: Mapping[str, pulumi.Input[Any]],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Declare; ``inputs`` are those of the kind and the options of every kind.

        Raises:
            RunError: options that no dynamic resource is told of.
        """
        problems = " ".join(_not_honoured(opts or pulumi.ResourceOptions(), inputs))
        if problems:
            raise pulumi.RunError(f"{provider.kind.noun} {name!r}: {problems}")
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
        told = {part.name: inputs.get(part.name) for part in kind.parts}
        self._warned = asyncio.ensure_future(_warn_of_secrets(f"{kind.noun} {name!r}", told))
        super().__init__(provider, name, {**outputs, **inputs, "declared_by": declared_by}, opts)


async def _warn_of_secrets(which: str, parts: Mapping[str, pulumi.Input[Any] | None]) -> None:
    """An id cannot be a secret, and it holds every part."""
    with suppress(Exception):  # a value that cannot be had fails the resource itself
        secret = [name for name, value in parts.items() if isinstance(value, pulumi.Output) and await value.is_secret()]
        if secret:
            names = ", ".join(secret)
            pulumi.log.warn(f"{which}: {names} is secret, but the id, the ledger and messages show it in clear.")


def _not_honoured(opts: pulumi.ResourceOptions, inputs: Mapping[str, pulumi.Input[Any]]) -> Iterator[str]:
    """What is wrong with the options, one sentence or two each."""
    if opts.custom_timeouts is not None:
        yield "Pulumi does not tell it of custom_timeouts. Pass timeout_seconds, which holds for each operation."
    if opts.import_ is not None:
        yield "Pulumi cannot import a dynamic resource. Leave out import_ and pass on_existing='adopt'."
    if opts.provider is not None:
        yield f"It cannot use the provider of {opts.provider.package}. {_INSTEAD}"
    config = pulumi.Config("aws-associations")
    told = inputs.get("region") is not None or config.get("region") or config.get("profile")
    for package in () if told else _AWS_PACKAGES:
        if package in _packages(opts.providers):
            yield f"It cannot use the provider of {package} in providers. {_INSTEAD}"
        if opts.parent is not None and opts.parent.get_provider(f"{package}:index:Any") is not None:
            yield f"It cannot use the provider of {package} that its parent passes on. {_INSTEAD}"


_INSTEAD = (
    "Tell it the region with region=... and the credentials with `pulumi config set aws-associations:profile <name>`."
)


def _packages(providers: Any) -> set[str]:
    """Of ``opts.providers``, which may be a mapping, a sequence or nothing."""
    listed = providers.values() if isinstance(providers, Mapping) else providers or ()
    return {provider.package for provider in listed}
