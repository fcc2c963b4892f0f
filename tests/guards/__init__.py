"""Every guard of the code, and proof that a named test notices when it is gone: ``python -m tests.guards --help``."""
