"""AWS services that associate two parties, as one process on moto: in-process and over HTTP, with the same code.

Start here: ``association_emulator.server.EmulatorServer``, ``association_emulator.control.EmulatorControl`` and
``association_emulator.plugin.register``. Everything in this package is there once for all services; what belongs to one
service is in a package of its own beside this one, and ``association_emulator.catalogue`` lists them.
"""
