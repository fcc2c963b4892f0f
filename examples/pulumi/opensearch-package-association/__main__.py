"""A package (dictionary, plugin) associated with an OpenSearch Service domain."""

import pulumi

from pulumi_aws_associations.opensearch import PackageAssociation

config = pulumi.Config()

association = PackageAssociation(
    "example",
    domain_name=config.require("domainName"),
    package_id=config.require("packageId"),
)

pulumi.export("associationId", association.id)
