"""The seam to moto: makes FinSpace Data one of its services.

moto 5.2 has no plug-in hook. Two of its internals are used, and only here: services are imported as
``moto.<name>`` with an attribute ``<name>_backends``, and requests are matched against
``moto.backend_index.backend_url_patterns``. ``tests/emulator/test_emulator_contract.py`` tells when they move.
"""

import re
import sys

from moto import backend_index

from . import models, urls

SERVICE = "finspacedata"
"""moto's name of the service: the service id without the hyphen."""


def register() -> None:
    """Make moto serve FinSpace Data, in mocks and servers alike.

    Call it before ``mock_aws()`` or a moto server starts. Calling it again does nothing.
    """
    sys.modules[f"moto.{SERVICE}"] = models
    patterns = backend_index.backend_url_patterns
    if all(name != SERVICE for name, _ in patterns):
        # In place: moto's modules hold references to this very list.
        patterns.insert(0, (SERVICE, re.compile(urls.url_bases[0])))
