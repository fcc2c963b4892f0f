"""A member account as delegated administrator of an AWS service in an organization."""

import pulumi

from pulumi_aws_associations.organizations import DelegatedAdministrator

config = pulumi.Config()

administrator = DelegatedAdministrator(
    "example",
    service_principal=config.require("servicePrincipal"),
    account_id=config.require("accountId"),
)

pulumi.export("administratorId", administrator.id)
