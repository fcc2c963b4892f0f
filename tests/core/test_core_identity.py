"""Identities and their texts: every legal one round-trips, and nothing else parses."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aws_associations.errors import InvalidRequest
from aws_associations.identity import MAX_BYTES, AssociationId, Identity, is_marker, marker, parse
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.lifecycle import How, Removal
from tests.core.world import ACCOUNT, ENVIRONMENT, REGION, World

REGIONS = ["ca-central-1", "eu-west-1", "us-east-1", "us-gov-west-1", "ap-southeast-7", "cn-northwest-1"]
ODD = [
    "a/b",
    "a|b",
    "100%",
    "%2F",
    " a b ",
    "a?b",
    "a#b",
    "a\nb",
    "\x00\x01\x7f-",
    "käthe",
    "名前",
    "🙂" * 26,
    "adopted",
    "?adopted",
    "x?adopted",
    "...",
    "../..",
    "./x",
    "not-created/x",
    "+",
    "a&b=c",
    "a;b",
    "~",
    "'\"\\",
    "{userId}",
    "users",
]

parts = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=26),
    st.text("/%?.|adopte\n ", min_size=1, max_size=26),
).filter(lambda text: text not in {".", ".."})
identities = st.builds(
    lambda account, region, environment, group, user: Identity.of(
        PERMISSION_GROUP_MEMBERSHIP,
        account,
        region,
        {"environment_id": environment, "permission_group_id": group, "user_id": user},
    ),
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.sampled_from(REGIONS),
    parts,
    parts,
    parts,
)
ids = st.builds(AssociationId, identities, st.booleans())
texts = ids.map(lambda made: made.text)
SHAPE = "<account>/<region>/<environment_id>/<permission_group_id>/<user_id>"


@given(id=ids)
def test_every_legal_identity_round_trips(id: AssociationId) -> None:  # noqa: A002 - the domain's word
    """Text and back: the same identity in the same spelling, and the same flag; ASCII, at most 1024 bytes."""
    text = id.text

    found = parse(PERMISSION_GROUP_MEMBERSHIP, text)

    assert found == id
    assert found.identity.values == id.identity.values
    assert found.text == text
    assert 0 < len(text.encode("ascii")) <= MAX_BYTES
    assert re.fullmatch(r"[A-Za-z0-9._~%/-]+(\?adopted)?", text)
    assert not is_marker(text)


@given(first=ids, second=ids)
def test_distinct_identities_have_distinct_texts(first: AssociationId, second: AssociationId) -> None:
    """Two ids have the same text exactly if they mean the same."""
    assert (first == second) is (first.text == second.text)


@given(text=st.one_of(st.text(max_size=100), texts.flatmap(lambda text: mutations(text))))
@example(text="finspace-permission-group-membership/v1/123456789012/us-east-1/e/g/u?adopted?adopted")
@example(text="finspace-permission-group-membership/v1/123456789012/us-east-1/e/g/%ff")
@example(text="finspace-permission-group-membership/v1/123456789012/us-east-1/e/g/%2f")
@example(text="finspace-permission-group-membership/v1/123456789012/us-east-1/e/g/.")
@example(text="finspace-permission-group-membership/v1/123456789012/us-east-1/e/g/")
@example(text="finspace-permission-group-membership/v1/12345678901/us-east-1/e/g/u")
@example(text="finspace-permission-group-membership/v1/١٢٣٤٥٦٧٨٩٠١٢/us-east-1/e/g/u")
@example(text="finspace-permission-group-membership/v1/123456789012/us-east-1/e/g/u\n")
def test_nothing_but_an_id_text_parses(text: str) -> None:
    """Arbitrary text is the very text of what it parses to, or is refused with the expected shape."""
    try:
        found = parse(PERMISSION_GROUP_MEMBERSHIP, text)
    except InvalidRequest as error:
        assert SHAPE in str(error)  # noqa: PT017 - either way is right, as long as it keeps its promise
    else:
        assert found.text == text


def mutations(text: str) -> st.SearchStrategy[str]:
    """An id text with one character taken out, put in, or in the other case."""
    places = st.integers(0, len(text) - 1)
    return st.one_of(
        places.map(lambda at: text[:at] + text[at + 1 :]),
        st.tuples(places, st.sampled_from("/%?.aA2\n é")).map(lambda cut: text[: cut[0]] + cut[1] + text[cut[0] :]),
        places.map(lambda at: text[:at] + text[at].swapcase() + text[at + 1 :]),
    )


@given(logical_id=st.text(max_size=300))
def test_a_marker_is_no_id(logical_id: str) -> None:
    """The id of what was never created: known as such, never parsed, within the limit, the same each time."""
    text = marker(logical_id)

    assert is_marker(text)
    assert text == marker(logical_id)
    assert len(text.encode("ascii")) <= MAX_BYTES
    with pytest.raises(InvalidRequest):
        parse(PERMISSION_GROUP_MEMBERSHIP, text)


@pytest.mark.parametrize("value", [".", ".."])
@pytest.mark.parametrize("part", ["environment_id", "permission_group_id", "user_id"])
def test_a_dot_is_refused_before_any_call(value: str, part: str) -> None:
    """As a segment of a URL path it would address another resource: the whole group instead of one membership."""
    values = {"environment_id": "e", "permission_group_id": "g", "user_id": "u", part: value}

    with pytest.raises(InvalidRequest, match=r"URL path cannot carry"):
        Identity.of(PERMISSION_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)


@pytest.mark.parametrize(
    ("account", "region", "user", "cause"),
    [
        ("1234", REGION, "u", "not 12 digits"),
        ("", REGION, "u", "not 12 digits"),
        (ACCOUNT, "", "u", "region"),
        (ACCOUNT, "us-east-1/x", "u", "region"),
        (ACCOUNT, REGION, "", "the user id must not be empty"),
        (ACCOUNT, REGION, "\ud800", "lone surrogate"),
        (ACCOUNT, REGION, "x" * 1000, "more than 1024"),
    ],
)
def test_what_can_never_be_named_is_refused(account: str, region: str, user: str, cause: str) -> None:
    """Malformed account, region or value: refused before any call, with the reason."""
    values = {"environment_id": "e", "permission_group_id": "g", "user_id": user}

    with pytest.raises(InvalidRequest, match=cause):
        Identity.of(PERMISSION_GROUP_MEMBERSHIP, account, region, values)


def test_the_grammar_is_final() -> None:
    """The text of a given identity must never change: users' stacks hold it."""
    values = {"environment_id": "e/1", "permission_group_id": "Ä b", "user_id": "u?adopted"}
    identity = Identity.of(PERMISSION_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)

    assert AssociationId(identity, adopted=True).text == (
        "finspace-permission-group-membership/v1/123456789012/us-east-1/e%2F1/%C3%84%20b/u%3Fadopted?adopted"
    )


def test_odd_ids_grant_and_revoke_the_right_pairs(world: World) -> None:
    """Whatever ids hold, each grant and each revocation hits exactly the pair that was meant."""
    environment = "e/ %?ü"
    pairs = [("analysts", odd) if number % 2 else (odd, "alice") for number, odd in enumerate(ODD)]
    for group, user in pairs:
        world.add(group, user, environment)
        granted = world.create(identity=world.identity(group, user, environment))
        assert granted.how is How.CREATED
    assert world.members() == set(pairs)

    for group, user in pairs[::3]:
        identity = world.identity(group, user, environment)
        assert world.delete(AssociationId(identity).text) is Removal.REVOKED
        assert world.lifecycle.read(identity, world.request()) is None

    assert world.members() == {pair for number, pair in enumerate(pairs) if number % 3}
    assert world.control.memberships(ENVIRONMENT) == []
