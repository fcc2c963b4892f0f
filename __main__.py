"""Declare the associations that the stack's configuration lists by their logical names, and export their ids.

pulumi config set --path 'associations.alice.type' directory.GroupMembership
pulumi config set --path 'associations.alice.directory_id' d-1234567890
pulumi config set --path 'associations.alice.group_name' App-Analysts
pulumi config set --path 'associations.alice.member_name' alice
"""

import importlib
import inspect

import pulumi

config = pulumi.Config()
declared = config.get_object("associations") or {}
if not isinstance(declared, dict):
    raise pulumi.RunError(
        "associations must have a logical name for each:"
        " `pulumi config set --path 'associations.alice.type' directory.GroupMembership`, and so on"
    )
# Pulumi tells only whether anything in it is secret.
secret = pulumi.runtime.is_config_secret(config.full_key("associations"))


def resource(name: str, association: object) -> pulumi.CustomResource:
    """Make the resource that the configuration describes; says what is wrong with it otherwise."""
    properties = dict(association) if isinstance(association, dict) else {}
    described = str(properties.pop("type", ""))
    module, _, class_name = described.partition(".")
    try:
        kind = getattr(importlib.import_module(f"pulumi_aws_associations.{module}"), class_name)
    except (ImportError, AttributeError, ValueError):
        raise pulumi.RunError(
            f"associations.{name}.type is {described!r}; it must be a class such as directory.GroupMembership"
        ) from None
    known = [parameter for parameter in inspect.signature(kind).parameters if parameter not in ("name", "opts")]
    for given, value in properties.items():
        if given not in known:
            raise pulumi.RunError(f"associations.{name}.{given} is not known; {described} has {', '.join(known)}")
        if value is None:
            raise pulumi.RunError(f"associations.{name}.{given} is empty; give it a value, or leave it out")
        # `pulumi config set --path` makes a number of what looks like one: an account id, say.
        if type(value) is int and given != "timeout_seconds":
            properties[given] = str(value)
    if secret:
        properties = {given: pulumi.Output.secret(value) for given, value in properties.items()}
    try:
        made: pulumi.CustomResource = kind(name, **properties)
    except TypeError as missing:  # a required property, named in the message
        raise pulumi.RunError(f"associations.{name}: {missing}") from None
    return made


pulumi.export("associationIds", {name: resource(name, association).id for name, association in declared.items()})
