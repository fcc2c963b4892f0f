"""The work itself: boto3's clients, the calls that are needed, a plain PUT."""

from __future__ import annotations

import functools
import http.client
import json
import ssl
import urllib.parse
from typing import Any

import boto3


@functools.cache
def finspace(environment_id: str) -> Any:
    """The client with the environment's own credentials."""
    caller = boto3.client("finspace-data")
    given = caller.get_programmatic_access_credentials(environmentId=environment_id, durationInMinutes=60)
    return boto3.client(
        "finspace-data",
        aws_access_key_id=given["credentials"]["accessKeyId"],
        aws_secret_access_key=given["credentials"]["secretAccessKey"],
        aws_session_token=given["credentials"]["sessionToken"],
    )


@functools.cache
def cloudformation() -> Any:
    """The client that asks the stack."""
    return boto3.client("cloudformation")


def create(event: dict[str, Any]) -> str:
    """Look, associate, look."""
    declared = event["ResourceProperties"]
    client, group, user = finspace(declared["EnvironmentId"]), declared["PermissionGroupId"], declared["UserId"]
    client.list_permission_groups_by_user(userId=user, maxResults=100)
    client.associate_user_to_permission_group(permissionGroupId=group, userId=user, clientToken=event["RequestId"])
    client.list_permission_groups_by_user(userId=user, maxResults=100)
    return f"{group}/{user}"


def delete(event: dict[str, Any]) -> str:
    """Ask the stack, disassociate, look."""
    declared = event["ResourceProperties"]
    client, group, user = finspace(declared["EnvironmentId"]), declared["PermissionGroupId"], declared["UserId"]
    cloudformation().describe_stack_events(StackName=event["StackId"])
    cloudformation().list_stack_resources(StackName=event["StackId"])
    client.disassociate_user_from_permission_group(permissionGroupId=group, userId=user, clientToken=event["RequestId"])
    client.list_permission_groups_by_user(userId=user, maxResults=100)
    return str(event["PhysicalResourceId"])


@functools.cache
def authorities() -> ssl.SSLContext:
    """The usual checks."""
    return ssl.create_default_context()


def put(event: dict[str, Any], physical_id: str) -> None:
    """Answer with success."""
    url = urllib.parse.urlsplit(event["ResponseURL"])
    echoed = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body = json.dumps({"Status": "SUCCESS", "PhysicalResourceId": physical_id, **echoed})
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, context=authorities())
    connection.request("PUT", f"{url.path}?{url.query}", body, {"Content-Type": "", "Content-Length": str(len(body))})
    connection.getresponse().read()
    connection.close()
