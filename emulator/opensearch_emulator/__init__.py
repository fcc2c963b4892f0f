"""OpenSearch Service's packages, and their associations with the domains that moto serves."""
