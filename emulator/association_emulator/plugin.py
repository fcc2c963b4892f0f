"""The seam to moto: adds the services that it lacks, and takes over the paths of those that it has.

moto 5.2 has no plug-in hook. Three of its internals are used, and only here: services are imported as ``moto.<name>``
with an attribute ``<name>_backends``, requests are matched against ``moto.backend_index.backend_url_patterns``, and
within a service against the ``url_paths`` of its urls module. ``tests/emulator/test_emulator_contract.py`` and
``test_emulator_seam.py`` tell when they move.
"""

import importlib
import re
import sys
from threading import Lock

from moto import backend_index

from .catalogue import CATALOGUE, Addition, Offer
from .observed import observed

EVERYTHING = r"{0}/(?P<path>[\s\S]*)$"
"""One rule for all paths of a service, even for a decoded line break."""

_taken_over: set[str] = set()
_registering = Lock()


def register() -> None:
    """Make moto serve the whole catalogue, in mocks and servers alike.

    Call it before ``mock_aws()`` or a moto server starts. Calling it again does nothing.
    """
    with _registering:
        for offer in CATALOGUE:
            if offer.addition is not None:
                _add(offer.addition)
            if offer.moto_urls is not None and offer.moto_urls not in _taken_over:
                _take_over(offer, offer.moto_urls)


def _add(addition: Addition) -> None:
    sys.modules[f"moto.{addition.moto_name}"] = addition.models
    patterns = backend_index.backend_url_patterns
    if all(name != addition.moto_name for name, _ in patterns):
        # In place: moto's modules hold references to this very list.
        patterns[:0] = [(addition.moto_name, re.compile(base)) for base in addition.urls.url_bases]


def _take_over(offer: Offer, moto_urls: str) -> None:
    module = importlib.import_module(moto_urls)
    handler = observed(offer.service, dict(module.url_paths), offer.own)
    # In place: moto's backends read this very dictionary.
    module.url_paths.clear()
    module.url_paths[EVERYTHING] = handler
    _taken_over.add(moto_urls)
