"""The demonstration that ``make demo`` tells, in two acts: each declares members in CloudFormation, then in Pulumi."""
