"""``python -m finspace_emulator``: the same program as ``python -m association_emulator``."""

import sys

from association_emulator.__main__ import main

if __name__ == "__main__":
    sys.exit(main("finspace_emulator"))
