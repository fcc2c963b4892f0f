"""OpenSearch: an association that takes longer than anybody wants to wait, and one that fails."""

from __future__ import annotations

import pytest

from aws_associations.kinds.opensearch_package_association import KIND
from engines.pulumi_host import HostError
from tests.provider.kinds import Declared

pytestmark = pytest.mark.parametrize("kind", [KIND], ids=[""])


def test_create_waits_for_a_slow_association(declared_kind: Declared) -> None:
    """It returns when the package is active, and the state says so."""
    it = declared_kind
    it.scenery.slow(adding=1)

    created = it.create()

    assert created.outputs["status"] == "ACTIVE"
    assert it.read(created).outputs == created.outputs


def test_an_association_that_cannot_be_undone_says_how_to_go_on(declared_kind: Declared) -> None:
    """While the service refuses to dissociate, the message tells that it may be there and how to take it in."""
    it = declared_kind
    it.scenery.slow(adding=600)

    with pytest.raises(HostError, match=r"NotStabilized.*ASSOCIATING.*not known.*in no state.*on_existing='adopt'"):
        it.create(timeout_seconds=3)


def test_an_association_that_fails_says_why_and_is_cleaned_up(declared_kind: Declared) -> None:
    """The service's own words reach the user without waiting for the time-out, and the failed one is removed."""
    it = declared_kind
    it.scenery.fail("The plugin needs another engine version.", adding=True)

    with pytest.raises(HostError, match="The plugin needs another engine version"):
        it.create()

    assert it.granted() == set()
