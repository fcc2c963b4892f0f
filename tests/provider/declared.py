"""What the tests of the provider declare, and as whom."""

from __future__ import annotations

from typing import Any

GROUPS = ("analysts", "traders")
USERS = ("alice", "bob", "carol")

ALICE_ID = "finspace-permission-group-membership/v1/123456789012/us-east-1/env1/analysts/alice"


def declared(**changes: Any) -> dict[str, Any]:
    """The inputs of alice's membership of analysts as the resource class sends them, changed as named."""
    inputs: dict[str, Any] = {
        "environment_id": "env1",
        "permission_group_id": "analysts",
        "user_id": "alice",
        "on_existing": "fail",
        "timeout_seconds": 60,
        "declared_by": ["organization", "project", "dev", "", "alice"],
        **changes,
    }
    return {name: value for name, value in inputs.items() if value is not None}


def aws_environment(url: str) -> dict[str, str]:
    """A caller whose services are all at ``url``."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing-secret",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }
