"""Where calls go, with which model, and that nothing of the user's own is changed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.loaders
import botocore.session
import pytest

from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.lifecycle import How
from aws_associations.service import Services, new_session
from finspace_emulator.server import EmulatorServer
from tests.core.world import ASSOCIATE, DISASSOCIATE, ENVIRONMENT, EXCHANGE, GROUP, LOOK, USER, World

ROOT = Path(__file__).parents[2]
# botocore 1.43.106 still has finspace-data; the newest has not.
HAS_NOT, HAS = ROOT / ".venv/bin/python", ROOT / ".venv-ministack/bin/python"

SCRIPT = """
import json, sys
import botocore, botocore.session
from aws_associations.host import Request
from aws_associations.identity import Identity
from aws_associations.kinds.finspace_permission_group_membership import KIND as kind
from aws_associations.ledger import ProcessMemory
from aws_associations.lifecycle import Desired, Lifecycle
from aws_associations.records import Owner
from aws_associations.service import Services
from aws_associations.vocabulary import Vocabulary
from aws_associations.waiting import Deadline, SystemClock

services = Services()
lifecycle = Lifecycle(services, ProcessMemory())
values = {"environment_id": "env1", "permission_group_id": "analysts", "user_id": "alice"}
account = services.account("us-east-1", Deadline(SystemClock(), 60))
identity = Identity.of(kind, account, services.default_region(), values)

class Host:
    words = Vocabulary(lambda member: member.name, "", "", "", "")

    def note(self, event, fields, warning=False):
        pass

    def waiting(self, seconds, fields):
        pass

def request(name, physical_id=""):
    return Request(Owner("script", (), ("o",)), name, account, Deadline(SystemClock(), 60), Host(), 0, physical_id)

granted = lifecycle.create(Desired(identity), request("create"))
seen = lifecycle.read(identity, request("read"))
removal = lifecycle.delete(kind, request("delete", granted.id.text))
print(json.dumps({
    "botocore": botocore.__version__,
    "theirs": "finspace-data" in botocore.session.get_session().get_available_services(),
    "ours": sorted(services.model(kind).operation_names),
    "signing name": services.model(kind).signing_name,
    "told": [granted.id.text, granted.how.value, granted.status, granted.status_code, seen.status, removal.value],
}))
"""


def _client(services: Services, region: str) -> Any:
    """The client that signs with the caller's own credentials; made without a call."""
    return services._client((PERMISSION_GROUP_MEMBERSHIP.service, region), "2020-07-13", services._before_exchange)


@pytest.mark.parametrize("region", ["ca-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"])
def test_the_regional_endpoint(inner: World, region: str) -> None:
    """Without an override calls go where FinSpace was: finspace-api.{region}.amazonaws.com."""
    meta = _client(inner.services, region).meta

    assert meta.endpoint_url == f"https://finspace-api.{region}.amazonaws.com"
    assert meta.region_name == region
    assert meta.service_model.signing_name == "finspace-api"


def test_the_services_own_override_wins(outer: World, monkeypatch: pytest.MonkeyPatch, server: EmulatorServer) -> None:
    """AWS_ENDPOINT_URL_FINSPACE_DATA beats AWS_ENDPOINT_URL; everything else keeps the general one."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere.invalid")
    monkeypatch.setenv("AWS_ENDPOINT_URL_FINSPACE_DATA", server.url)

    assert outer.create().how is How.CREATED
    assert outer.members() == {(GROUP, USER)}


def test_our_model_holds_only_what_is_called(inner: World) -> None:
    """Four operations, ours: a call that could create or delete users is not in reach."""
    assert sorted(inner.services.model(PERMISSION_GROUP_MEMBERSHIP).operation_names) == sorted(
        [ASSOCIATE, DISASSOCIATE, EXCHANGE, LOOK]
    )


def test_the_users_own_sessions_are_not_changed(world: World) -> None:
    """Neither the environment nor botocore's default session learns of our model."""
    before = dict(os.environ)
    world.delete(world.create().id.text)

    assert dict(os.environ) == before
    assert "AWS_DATA_PATH" not in os.environ
    for session in (botocore.session.get_session(), botocore.session.Session()):
        assert "finspace-data" not in session.get_available_services()
        assert not any("aws_associations" in path for path in session.get_component("data_loader").search_paths)


def test_a_client_looks_into_the_folder_of_its_own_service_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """botocore's list of all services opens some 400 folders: none is made, but to say which services there are."""
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))  # of which no loader has been made yet
    listed: list[str] = []

    def list_all(_: object, type_name: str) -> list[str]:
        listed.append(type_name)
        return ["one", "another"]

    monkeypatch.setattr(botocore.loaders.Loader, "list_available_services", list_all)
    session = new_session()

    session.create_client("iot", region_name="us-east-1")
    assert listed == []

    with pytest.raises(botocore.exceptions.UnknownServiceError, match="one, another"):
        session.create_client("nothing-like-it", region_name="us-east-1")


def _run(python: Path, server: EmulatorServer) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    server.control.reset()
    server.control.add_permission_group(ENVIRONMENT, GROUP)
    server.control.add_user(ENVIRONMENT, USER)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
    environment = {
        **kept,
        "PYTHONPATH": str(ROOT / "core"),
        "AWS_ENDPOINT_URL": server.url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    run = subprocess.run([python, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    journal = [
        (entry.operation, entry.parameters, entry.client_token, entry.caller, entry.region, entry.status)
        for entry in server.control.journal()
    ]
    return json.loads(run.stdout), journal


@pytest.mark.skipif(not HAS.exists(), reason="the older botocore is in .venv-ministack: run `make setup`")
def test_one_behaviour_whether_botocore_still_has_the_service_or_not(server: EmulatorServer) -> None:
    """The same script on both: the same answers, the same calls with the same tokens, by our model in both."""
    new, calls_by_new = _run(HAS_NOT, server)
    old, calls_by_old = _run(HAS, server)

    assert (new["theirs"], old["theirs"]) == (False, True)
    assert new["botocore"] != old["botocore"]
    assert new["ours"] == old["ours"]
    assert "CreateUser" not in old["ours"]
    assert new["told"] == old["told"]
    assert new["told"][-1] == "revoked"
    assert [call[0] for call in calls_by_new] == [EXCHANGE, LOOK, ASSOCIATE, LOOK, LOOK, DISASSOCIATE, LOOK]
    assert calls_by_new == calls_by_old
