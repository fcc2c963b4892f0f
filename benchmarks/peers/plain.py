"""The work itself: boto3's clients, the calls that are needed, a plain PUT."""

from __future__ import annotations

import functools
import http.client
import json
import os
import ssl
import urllib.parse
import uuid
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
def dynamodb() -> Any:
    """The client of the ledger's table."""
    return boto3.client("dynamodb")


def create(event: dict[str, Any]) -> str:
    """Look, associate, look; and write down what is about to be done, and what was."""
    declared = event["ResourceProperties"]
    client, group, user = finspace(declared["EnvironmentId"]), declared["PermissionGroupId"], declared["UserId"]
    records = Records(event, "resource", "association")
    records.write("open")
    client.list_permission_groups_by_user(userId=user, maxResults=100)
    records.write("pending")
    client.associate_user_to_permission_group(permissionGroupId=group, userId=user, clientToken=event["RequestId"])
    client.list_permission_groups_by_user(userId=user, maxResults=100)
    records.write("held")
    return f"{group}/{user}"


def delete(event: dict[str, Any]) -> str:
    """Disassociate, look; and write down what is about to be done, and what was."""
    declared = event["ResourceProperties"]
    client, group, user = finspace(declared["EnvironmentId"]), declared["PermissionGroupId"], declared["UserId"]
    records = Records(event, "resource", "association")
    records.write("dropping")
    client.disassociate_user_from_permission_group(permissionGroupId=group, userId=user, clientToken=event["RequestId"])
    client.list_permission_groups_by_user(userId=user, maxResults=100)
    records.write("dropped")
    return str(event["PhysicalResourceId"])


class Records:
    """Records of one request: read once, then written in one transaction each time if nobody else has written them."""

    def __init__(self, event: dict[str, Any], *names: str) -> None:
        self._table = os.environ["LEDGER_TABLE"]
        self._told = {name: event[name] for name in ("StackId", "LogicalResourceId", "RequestId")}
        keys = [f"{name} of {event['StackId']} {event['LogicalResourceId']}" for name in names]
        asked = {"Keys": [{"key": {"S": key}} for key in keys], "ConsistentRead": True}
        found = dynamodb().batch_get_item(RequestItems={self._table: asked})["Responses"][self._table]
        self._versions = dict.fromkeys(keys, "") | {item["key"]["S"]: item["version"]["S"] for item in found}

    def write(self, state: str) -> None:
        """Write them all."""
        version = uuid.uuid4().hex
        dynamodb().transact_write_items(
            TransactItems=[self._put(key, old, version, state) for key, old in self._versions.items()]
        )
        self._versions = dict.fromkeys(self._versions, version)

    def _put(self, key: str, old: str, version: str, state: str) -> dict[str, Any]:
        record = json.dumps({"state": state, **self._told})
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": {"key": {"S": key}, "version": {"S": version}, "record": {"S": record}},
            "ConditionExpression": "#version = :version" if old else "attribute_not_exists(#version)",
            "ExpressionAttributeNames": {"#version": "version"},
        }
        if old:
            put["ExpressionAttributeValues"] = {":version": {"S": old}}
        return {"Put": put}


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
