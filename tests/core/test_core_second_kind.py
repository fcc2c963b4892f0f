"""A second kind is one declaration: two live services through the same lifecycle, on plain moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aws_associations.errors import AlreadyExists, InvalidRequest, NotFound, ResourceConflict, ServiceUnavailable
from aws_associations.identity import AssociationId, Identity, parse
from aws_associations.kind import Kind
from aws_associations.kinds.iot_billing_group_membership import KIND as BILLING_GROUP_MEMBERSHIP
from aws_associations.kinds.iot_thing_group_membership import KIND as THING_GROUP_MEMBERSHIP
from aws_associations.kinds.organizations_delegated_administrator import KIND as DELEGATED_ADMINISTRATOR
from aws_associations.lifecycle import Desired, Granted, How, OnExisting, Removal
from aws_associations.properties import violations
from tests.core.world import ACCOUNT, REGION, World


class Live:
    """One association of a kind, its parties made, and the calls that the lifecycle sends."""

    def __init__(self, world: World, kind: Kind, values: Mapping[str, str], by_others: Callable[[], object]) -> None:
        self.world = world
        self.kind = kind
        self.identity = Identity.of(kind, ACCOUNT, REGION, values)
        self.by_others = by_others

    def create(self, on_existing: OnExisting = OnExisting.FAIL) -> Granted:
        return self.world.lifecycle.create(Desired(self.identity, on_existing), self.world.request())

    def present(self) -> bool:
        return self.world.lifecycle.read(self.identity, self.world.request()) is not None

    def delete(self, granted: Granted) -> Removal:
        return self.world.lifecycle.delete(self.kind, granted.id.text, self.world.request())


def _things(world: World, client: Callable[[str], Any]) -> Live:
    iot = client("iot")
    iot.create_thing(thingName="meter")
    iot.create_thing_group(thingGroupName="meters")
    iot.create_thing_group(thingGroupName="Meters")
    iot.add_thing_to_thing_group(thingGroupName="Meters", thingName="meter")
    pair = {"thingGroupName": "meters", "thingName": "meter"}
    values = {"thing_group_name": "meters", "thing_name": "meter"}
    return Live(world, THING_GROUP_MEMBERSHIP, values, lambda: iot.add_thing_to_thing_group(**pair))


def _administrators(world: World, client: Callable[[str], Any]) -> Live:
    organizations = client("organizations")
    organizations.create_organization()
    status = organizations.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"]
    pair = {"AccountId": status["AccountId"], "ServicePrincipal": "guardduty.amazonaws.com"}
    values = {"service_principal": pair["ServicePrincipal"], "account_id": pair["AccountId"]}
    return Live(
        world,
        DELEGATED_ADMINISTRATOR,
        values,
        lambda: organizations.register_delegated_administrator(**pair),
    )


@pytest.fixture(params=[_things, _administrators], ids=["IoT", "Organizations"])
def live(request: pytest.FixtureRequest, world: World) -> Live:
    """Each kind, in this process and over HTTP, with its parties made."""

    def client(service: str) -> Any:
        return botocore.session.Session().create_client(service, region_name=REGION)

    made: Live = request.param(world, client)
    return made


def test_it_is_granted_read_and_revoked(live: Live) -> None:
    """Create, read, delete, read: as for the first kind, with the kind's own name in the id."""
    granted = live.create()

    assert granted.how is How.CREATED
    assert granted.id.text.startswith(f"{live.kind.name}/v1/{ACCOUNT}/{REGION}/")
    assert parse(live.kind, granted.id.text) == granted.id
    assert live.present()
    assert live.delete(granted) is Removal.REVOKED
    assert not live.present()
    assert live.create().how is How.CREATED


def test_it_is_refused_if_it_is_there_and_adopted_on_request(live: Live) -> None:
    """Whether duplicates succeed or are rejected, what others granted is AlreadyExists, or adopted."""
    live.by_others()

    with pytest.raises(AlreadyExists) as caught:
        live.create()
    assert not caught.value.outcome_unknown
    assert f"creating {live.kind.noun}" in str(caught.value)

    adopted = live.create(OnExisting.ADOPT)
    assert adopted.how is How.ADOPTED
    assert adopted.id.text.endswith("?adopted")
    assert live.delete(adopted) is Removal.RELEASED
    assert live.present()


def test_what_is_created_twice_is_refused_the_second_time(live: Live) -> None:
    """A second resource that declares the same finds it present, and not its own."""
    live.create()

    with pytest.raises(AlreadyExists):
        live.create()


def test_it_is_deleted_twice(live: Live) -> None:
    """The second delete finds nothing and succeeds."""
    granted = live.create()

    assert live.delete(granted) is Removal.REVOKED
    assert live.delete(granted) in {Removal.ABSENT, Removal.REVOKED}


def test_a_conflict_after_the_sdks_own_retry_is_ours(live: Live) -> None:
    """Cut after the effect, and the SDK's own retry meets a duplicate: created, whatever the service answers to it."""
    cut = False

    def lose(request: Any, **_: object) -> None:
        nonlocal cut
        if not cut:
            cut = True
            with suppress(ClientError):  # moto in this process has done it already
                live.by_others()
            raise ConnectionClosedError(endpoint_url=request.url)

    client = live.world.services._client_for(live.kind, live.identity)
    client.meta.events.register_last(
        "before-send",
        lambda request, event_name, **_: lose(request) if event_name.endswith(live.kind.associate) else None,
    )

    assert live.create().how is How.CREATED
    assert cut


def test_kinds_do_not_meet(live: Live) -> None:
    """The id of one kind is none of another's: deleting it there does nothing."""
    granted = live.create()
    other = THING_GROUP_MEMBERSHIP if live.kind is DELEGATED_ADMINISTRATOR else DELEGATED_ADMINISTRATOR

    assert live.world.lifecycle.delete(other, granted.id.text, live.world.request()) is Removal.NEVER_CREATED
    assert live.present()


def test_what_another_party_holds_is_never_moved(world: World) -> None:
    """A thing has at most one billing group, and adding it to another moves it: refused, and named where it is."""
    iot = botocore.session.Session().create_client("iot", region_name=REGION)
    iot.create_thing(thingName="meter")
    for group in ("cheap", "cheaper"):
        iot.create_billing_group(billingGroupName=group)
    values = [{"billing_group_name": group, "thing_name": "meter"} for group in ("cheap", "cheaper")]
    cheap, cheaper = (Identity.of(BILLING_GROUP_MEMBERSHIP, ACCOUNT, REGION, each) for each in values)

    assert world.lifecycle.create(Desired(cheap), world.request()).how is How.CREATED
    assert world.lifecycle.read(cheaper, world.request()) is None
    with pytest.raises(ResourceConflict, match="in one only, and is in 'cheap'") as caught:
        world.lifecycle.create(Desired(cheaper, OnExisting.ADOPT), world.request())
    assert not caught.value.outcome_unknown
    assert iot.describe_thing(thingName="meter")["billingGroupName"] == "cheap"
    text = AssociationId(cheap).text
    assert world.lifecycle.delete(BILLING_GROUP_MEMBERSHIP, text, world.request()) is Removal.REVOKED
    assert world.lifecycle.create(Desired(cheaper), world.request()).how is How.CREATED


def test_a_missing_thing_is_not_found(world: World) -> None:
    """Absent to a read, NotFound to a create, success to a delete."""
    values = {"thing_group_name": "none", "thing_name": "none"}
    identity = Identity.of(THING_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)

    assert world.lifecycle.read(identity, world.request()) is None
    with pytest.raises(NotFound):
        world.lifecycle.create(Desired(identity), world.request())
    text = AssociationId(identity).text
    assert world.lifecycle.delete(THING_GROUP_MEMBERSHIP, text, world.request()) is Removal.ABSENT


def test_a_live_services_endpoint_that_is_gone_is_an_error(outer: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a retired kind's delete succeeds without its service."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_IOT", "http://iot.invalid")
    values = {"thing_group_name": "g", "thing_name": "t"}
    text = AssociationId(Identity.of(THING_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)).text

    with pytest.raises(ServiceUnavailable, match=r"cannot reach iot\.invalid") as caught:
        outer.lifecycle.delete(THING_GROUP_MEMBERSHIP, text, outer.request())

    assert "ended" not in str(caught.value)


def test_its_properties_are_checked_by_its_own_model(inner: World) -> None:
    """The limits are those of the service that the kind names."""
    found = violations(inner.services, THING_GROUP_MEMBERSHIP, {"thing_group_name": "!", "thing_name": "x" * 129})

    assert found["thing_group_name"].startswith("must match the pattern")
    assert found["thing_name"].startswith("must have 1 to 128 characters")
    with pytest.raises(InvalidRequest):
        parse(THING_GROUP_MEMBERSHIP, inner.id())


def test_what_moves_while_it_is_asked_again_is_not_moved_back(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody moves the thing between the two looks: refused, and named where it is now."""
    iot = botocore.session.Session().create_client("iot", region_name=REGION)
    iot.create_thing(thingName="meter")
    for group in ("cheap", "cheaper"):
        iot.create_billing_group(billingGroupName=group)
    iot.add_thing_to_billing_group(billingGroupName="cheap", thingName="meter")
    values = {"billing_group_name": "cheap", "thing_name": "meter"}
    slept = inner.clock.sleep

    def move_meanwhile(seconds: float) -> None:
        slept(seconds)
        iot.remove_thing_from_billing_group(billingGroupName="cheap", thingName="meter")
        iot.add_thing_to_billing_group(billingGroupName="cheaper", thingName="meter")

    monkeypatch.setattr(inner.clock, "sleep", move_meanwhile)

    with pytest.raises(ResourceConflict, match="in one only, and is in 'cheaper'"):
        inner.lifecycle.create(Desired(Identity.of(BILLING_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)), inner.request())
