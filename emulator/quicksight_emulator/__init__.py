"""QuickSight's group memberships, strict, on the groups and users that moto serves."""
