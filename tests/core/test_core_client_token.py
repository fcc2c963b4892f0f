"""Client tokens: the same for the same wish, another one for any other, and never a silent replay."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_associations.client_token import client_token
from aws_associations.errors import AssociationError
from aws_associations.identity import Identity
from aws_associations.kind import Scope
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.lifecycle import How
from aws_associations.records import Owner
from tests.core.world import ACCOUNT, ASSOCIATE, DISASSOCIATE, GROUP, REGION, USER, World

texts = st.text(min_size=1, max_size=26).filter(lambda text: text not in {".", ".."} and _encodes(text))
scopes = st.sampled_from(Scope)


def _encodes(text: str) -> bool:
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in text)


def _identity(environment: str = "e", group: str = "g", user: str = "u", region: str = REGION) -> Identity:
    values = {"environment_id": environment, "permission_group_id": group, "user_id": user}
    return Identity.of(PERMISSION_GROUP_MEMBERSHIP, ACCOUNT, region, values)


def test_deploying_again_repeats_the_token(world: World) -> None:
    """The same logical id, another request: the same associate token."""
    world.control.add_fault("answer", operation=ASSOCIATE, status=400, error_code="ValidationException", body="{}")
    with pytest.raises(Exception, match="ValidationException"):
        world.create(world.request("r1"))

    world.create(world.request("r2"))

    first, second = world.tokens(ASSOCIATE)
    assert first == second


def test_anything_else_changes_the_token(inner: World) -> None:
    """Another logical id, user, group or environment: another associate token each."""
    inner.add(GROUP, "bob")
    inner.add("traders", USER)
    inner.add(GROUP, USER, "env2")
    inner.create()
    inner.revoke_as_others_do()
    inner.create(inner.request(owner="Renamed"))
    inner.create(identity=inner.identity(user="bob"))
    inner.create(identity=inner.identity(group="traders"))
    inner.create(identity=inner.identity(environment="env2"))

    tokens = inner.tokens(ASSOCIATE)
    assert len(tokens) == len(set(tokens)) == 5


def test_a_removal_has_the_token_of_the_delete_that_first_asked_for_it(inner: World) -> None:
    """It is repeated until it is done, so that a service that remembers it revokes nothing that came since."""
    text = inner.create().id.text
    inner.control.add_fault("error", operation=DISASSOCIATE, error_code="AccessDeniedException")
    with pytest.raises(AssociationError):
        inner.delete(text, inner.request("d1"))
    inner.delete(text, inner.request("d2"))
    inner.create()
    inner.delete(text, inner.request("d3"))

    first, again, next_ = inner.tokens(DISASSOCIATE)
    assert first == again
    assert len({first, next_, *inner.tokens(ASSOCIATE)}) == 4


@pytest.mark.parametrize("duplicate", ["conflict", "succeed"])
@pytest.mark.parametrize("lag", [0.0, 3.0])
def test_add_remove_add_within_the_window_ends_granted(world: World, duplicate: Any, lag: float) -> None:
    """The owner token is replayed without effect; that is seen, and the request's own token grants it."""
    world.control.configure(duplicate_associate=duplicate, list_lag_seconds=lag)
    world.delete(world.create().id.text)
    world.control.advance(lag)
    world.control.clear_journal()

    assert world.create().how is How.CREATED
    assert world.members() == {(GROUP, USER)}
    replay, grant = world.control.journal(ASSOCIATE)
    assert (replay.replayed, replay.changed) == (True, False)
    assert (grant.replayed, grant.changed) == (False, True)
    assert replay.client_token != grant.client_token


def test_every_deployment_within_the_window_ends_granted(inner: World) -> None:
    """Added and removed again and again within ten minutes, under one logical id: granted each time."""
    for _ in range(5):
        assert inner.create().how is How.CREATED
        assert inner.members() == {(GROUP, USER)}
        inner.delete()
        assert inner.members() == set()
    assert inner.clock.now() - inner.control.journal()[0].time < 600


def test_after_the_window_the_owner_token_works_again(inner: World) -> None:
    """Ten minutes later the service has forgotten the token: one associate is enough."""
    inner.delete(inner.create().id.text)
    inner.control.advance(600)
    inner.control.clear_journal()

    inner.create()

    assert inner.calls().count(ASSOCIATE) == 1


@given(owner=st.lists(st.text(), max_size=5), request=st.text(), scope=scopes, group=texts, user=texts)
def test_a_token_is_what_every_service_takes(
    owner: list[str], request: str, scope: Scope, group: str, user: str
) -> None:
    """Whatever the names: 1 to 128 printable ASCII characters, the same each time."""
    arguments = (
        scope,
        Owner("host", (), tuple(owner)),
        request,
        "Associate",
        _identity("e", group, user),
        {"userId": user},
    )

    token = client_token(*arguments)

    assert 1 <= len(token) <= 128
    assert set(token) <= set(string.ascii_letters + string.digits)
    assert token == client_token(*arguments)


@given(
    first=st.tuples(st.lists(st.text(max_size=3), min_size=1, max_size=3), st.text(max_size=3), texts, texts, scopes),
    second=st.tuples(st.lists(st.text(max_size=3), min_size=1, max_size=3), st.text(max_size=3), texts, texts, scopes),
)
def test_different_wishes_have_different_tokens(
    first: tuple[list[str], str, str, str, Scope], second: tuple[list[str], str, str, str, Scope]
) -> None:
    """Tokens are equal exactly if owner, pair, scope and (for a request token) the request are."""

    def wish(of: tuple[list[str], str, str, str, Scope]) -> tuple[object, ...]:
        owner, request, group, user, scope = of
        return (*owner, None, group, user, scope, request if scope is Scope.REQUEST else None)

    def token(of: tuple[list[str], str, str, str, Scope]) -> str:
        owner, request, group, user, scope = of
        return client_token(
            scope, Owner("host", (), tuple(owner)), request, "Associate", _identity("e", group, user), {}
        )

    assert (wish(first) == wish(second)) is (token(first) == token(second))


def test_the_borders_between_names_count() -> None:
    """("ab", "c") and ("a", "bc") are two owners, as are one name and two."""
    owners = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ('a","b', "c")]

    assert (
        len({client_token(Scope.OWNER, Owner("host", (), parts), "r", "A", _identity(), {}) for parts in owners}) == 5
    )


def test_everything_that_is_sent_is_covered() -> None:
    """Operation, parameters, region and account change the token; the order of the parameters does not."""
    owner, identity = Owner("host", (), ("o",)), _identity()

    def token(operation: str = "A", identity: Identity = identity, **parameters: object) -> str:
        return client_token(Scope.OWNER, owner, "r", operation, identity, parameters)

    assert token(a=1, b=2) == token(b=2, a=1)
    other_account = replace(identity, account="999999999999")
    tokens = [
        token(),
        token("B"),
        token(identity=_identity(region="eu-west-1")),
        token(identity=other_account),
        token(a=1),
        token(a=2),
        token(b=1),
    ]
    assert len(set(tokens)) == len(tokens)


def test_the_create_that_made_a_pulumi_resource_is_no_part_of_its_token() -> None:
    """A name that is deployed again repeats its token; the same name in another stack does not."""
    owners = [Owner("pulumi", ("org", "project", "dev"), ("parent", "name"), created_by=each) for each in ("c1", "c2")]
    other = Owner("pulumi", ("org", "project", "prod"), ("parent", "name"), created_by="c1")

    first, second, third = (client_token(Scope.OWNER, each, "r", "A", _identity(), {}) for each in (*owners, other))
    assert first == second
    assert third != first
