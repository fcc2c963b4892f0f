"""Directory Service Data: groups, users and memberships of AWS Managed Microsoft AD directories."""
