"""What anybody who may invoke the function may send: events as CloudFormation sends them, spoilt in every way.

``python -m tests.handlers.fuzz --examples N`` plays N random ones of each kind and promise; ``make test`` some, the
same on every run.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from aws_associations.kind import Kind
from aws_associations.kinds import KINDS

EXAMPLES = "AWS_ASSOCIATIONS_FUZZ_EXAMPLES"
"""The environment variable that asks for another number of examples than the given one, and for random ones."""

GONE = object()
"""The value of a member that is left out."""

Path = tuple[str, ...]


def examples(count: int) -> settings:
    """So many examples, the same on every run; as many as told, and others every time, if the environment says so."""
    told = os.environ.get(EXAMPLES)
    return settings(
        max_examples=int(told) if told else count,
        derandomize=not told,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@dataclass(frozen=True)
class Change:
    """One member of an event that is not what CloudFormation sends."""

    path: Path
    value: object

    def __repr__(self) -> str:
        return f"{'.'.join(self.path)} {'left out' if self.value is GONE else f'= {self.value!r:.200}'}"


def spoilt(event: dict[str, Any], changes: Sequence[Change]) -> Any:
    """Return the event with the changes made, as Lambda's runtime hands it over: out of JSON."""
    changed = copy.deepcopy(event)
    for change in changes:
        inner: Any = changed
        for name in change.path[:-1]:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            if change.value is GONE:
                inner.pop(change.path[-1], None)
            else:
                # A copy: what is drawn twice is the same object, and one change may be made within another.
                inner[change.path[-1]] = copy.deepcopy(change.value)
    return json.loads(json.dumps(changed))


# -- values ------------------------------------------------------------------------------------------------------------

_ODD_TEXTS = [
    *("", " ", "\x00", "\ud800", "\udfff\ud800", "\r\nX-Evil: 1", "*", "true", "null", "{}"),
    *("%00%2F..%2F", "../../etc/passwd", "${AWS::Region}", "{{resolve:secretsmanager:a}}"),
    *("x" * size for size in (255, 1025, 10_000)),
    *("é" * 600, "\x01" * 5_000, "\U0001f600" * 30, "\U0001f600" * 3_000),
]
_texts = (
    st.sampled_from(_ODD_TEXTS) | st.text(max_size=40) | st.text(st.characters(categories=["Cs", "Cc"]), max_size=9)
)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308, -0.0, 1e-320])
    | st.floats(allow_nan=False, allow_infinity=False)
)
_huge: list[object] = [
    {f"Property{number}": str(number) for number in range(2_000)},
    ["x"] * 5_000,
    {"x" * 20_000: "x" * 20_000},
]


def _nest(depth: int, leaf: object) -> object:
    nest = leaf
    for number in range(depth):
        nest = [nest] if number % 2 else {"a": nest}
    return nest


values: st.SearchStrategy[object] = st.one_of(
    _texts,
    _scalars,
    st.recursive(
        _scalars | _texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
        max_leaves=10,
    ),
    st.sampled_from(_huge),
    st.builds(_nest, st.integers(1, 300), _scalars),
)
"""Anything that JSON can say."""

not_texts = st.one_of(
    _scalars, st.lists(values, max_size=2), st.dictionaries(_texts, values, max_size=2), st.sampled_from(_huge)
)
"""Anything but a string."""

_ODD_URLS = r"""
    http://localhost/x https://localhost https://example.com/x https://localhost:99999/x https://localhost:0/x
    https://user:word@localhost/x https://localhost@example.com/x https://localhost\@example.com/x https://[::1]/x
    https://localhost/é https://localhost/#fragment https://localhost//example.com/x https://localhost/%
    HTTPS://LOCALHOST/x https://LOCALHOST/x file:///etc/passwd https:///x
    https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com:444/x
    https://cloudformation-custom-resource-response-evil1.s3.amazonaws.com/x
"""
_URLS = [
    *_ODD_URLS.split(),
    *("https://localhost/" + rest for rest in ("x" * 10_000, "\ud800", "a b", "\r\nHost: example.com")),
    "https://" + "a." * 3_000 + "com/x",
]
_STACKS = [
    "arn:aws:cloudformation:eu-west-1:123456789012:stack/team/1",
    "arn:aws-cn:cloudformation:us-east-1:123456789012:stack/team/1",
    *(f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}" for name in ("s" * 970, "s" * 2_000, "é", '"', "")),
]
# What an answer would have to repeat: too long for it, or blown up by JSON, or no text of CloudFormation's at all.
_ECHOES = [*("x" * size for size in (129, 256, 4_000, 10_000)), "\\" * 128, '"' * 255, "\x00" * 128, *"é\ud800\n", ""]
_REQUEST_TYPES = ["Create", "Update", "Delete", "create", "Read", "Delete ", "__class__", "poll_create"]
_CRHELPERS_OWN = ["CrHelperPoll", "CrHelperData", "CrHelperRule", "CrHelperPermission"]

DOOR = ("ResponseURL", "StackId", "RequestId", "LogicalResourceId")
"""The members without which nobody can be answered."""


def physical_ids(kind: Kind) -> list[object]:
    """Ids of this kind and others, and what resembles them."""
    place = "123456789012/us-east-1"
    parts = [part.name for part in kind.parts]
    prefixes = [other.name for other in KINDS]
    return [
        *(f"{prefix}/v1/{place}/" + "/".join(parts) for prefix in prefixes),
        f"{kind.name}/v1/{place}/" + "/".join(parts) + "?adopted",
        f"{kind.name}/v1/{place}/" + "/".join(parts) + "?adopted?adopted",
        f"{kind.name}/v1/{place}/" + "/".join(parts) + "/more",
        f"{kind.name}/v1/{place}/" + "/".join("%ff" for _ in parts),
        f"{kind.name}/v1/{place}/" + "/".join("%zz" for _ in parts),
        f"{kind.name}/v1/{place}/" + "/".join("" for _ in parts),
        f"{kind.name}/v2/{place}/" + "/".join(parts),
        f"{kind.name}/v1/999999999999/eu-west-1/" + "/".join(parts),
        f"{kind.name}/v1/{place}",
        "not-created/",
        "not-created/Membership",
        "not-created/" + "x" * 2_000,
        "stack-Membership-1ABCDEF",
    ]


# -- changes -----------------------------------------------------------------------------------------------------------


def changes(kind: Kind) -> st.SearchStrategy[list[Change]]:
    """Up to four changes anywhere in an event of this kind."""
    members = [*(part.property_name for part in kind.parts), *(option.property_name for option in kind.options)]
    names = st.sampled_from([*members, "OnExisting", "Revision", "ServiceToken", "ServiceTimeout"]) | _texts
    maps = st.sampled_from(["ResourceProperties", "OldResourceProperties"])
    anything = values | st.just(GONE)
    types = st.sampled_from([other.cloudformation_type for other in KINDS]) | anything

    def member(name: str, value: st.SearchStrategy[object]) -> st.SearchStrategy[Change]:
        return st.builds(Change, st.just((name,)), value)

    change = st.one_of(
        st.builds(Change, st.tuples(maps, names), anything),
        st.builds(Change, maps.map(lambda name: (name,)), anything),
        member("PhysicalResourceId", st.sampled_from(physical_ids(kind)) | anything),
        member("RequestType", st.sampled_from(_REQUEST_TYPES) | anything),
        member("ResourceType", types),
        member("ResponseURL", st.sampled_from(_URLS) | anything),
        member("StackId", st.sampled_from(_STACKS) | anything),
        member("RequestId", st.sampled_from(_ECHOES) | anything),
        member("LogicalResourceId", st.sampled_from(_ECHOES) | anything),
        st.builds(Change, st.sampled_from(_CRHELPERS_OWN).map(lambda name: (name,)), values),
        st.builds(Change, _texts.map(lambda name: (name,)), values),
    )
    return st.lists(change, max_size=4)


def invalid(kind: Kind) -> st.SearchStrategy[Change]:
    """One change that makes a Create or Update of this kind a request that no service must hear of."""
    parts = [part.property_name for part in kind.parts]
    needed = [part.property_name for part in kind.parts if part.default is None]
    known = {*parts, *(option.property_name for option in kind.options), "OnExisting", "Revision"}
    known |= {"ServiceToken", "ServiceTimeout"}

    def named(name: str) -> Path:
        return ("ResourceProperties", name)

    too_long = st.sampled_from(["x" * 10_000, "\U0001f600" * 3_000])
    return st.one_of(
        st.sampled_from([Change(named(name), GONE) for name in needed]),
        st.builds(Change, st.sampled_from([named(name) for name in parts]), not_texts | too_long | st.just("")),
        st.builds(Change, _texts.filter(lambda name: name not in known).map(named), values),
        st.builds(Change, st.just(named("OnExisting")), values.filter(lambda value: value not in ("Fail", "Adopt"))),
        st.builds(Change, st.just(named("Revision")), not_texts),
        st.builds(Change, st.just(("ResourceProperties",)), not_texts | _texts | st.just(GONE)),
        st.builds(Change, st.just(("ResourceType",)), values | st.just(GONE)),
        st.builds(Change, st.just(("RequestType",)), values | st.just(GONE)),
    )


def main() -> int:
    """Play as many examples as told."""
    import pytest

    parser = argparse.ArgumentParser(prog="python -m tests.handlers.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=2_000, help="of each kind and promise (default: 2000)")
    os.environ[EXAMPLES] = str(parser.parse_args().examples)
    return pytest.main(["-q", "-p", "no:cacheprovider", "tests/handlers/test_handlers_fuzz.py"])


if __name__ == "__main__":
    sys.exit(main())
