"""FinSpace Data as a running service, on moto: in-process under ``mock_aws()`` and over HTTP, with the same code.

Start here: ``finspace_emulator.server.EmulatorServer``, ``finspace_emulator.control.EmulatorControl`` and
``finspace_emulator.plugin.register``. This module imports none of them, so that a process which only wants to talk to
a running emulator does not load moto.
"""

from pathlib import Path

DATA_PATH = str(Path(__file__).parent / "data")
"""A botocore data folder: the part of the FinSpace Data service model (2020-07-13) that the emulator serves.

Current botocore no longer has the service. Append this to ``session.get_component("data_loader").search_paths``.
"""
