"""``python -m tests.model --lifecycles 10000``: plays many lifecycles, and tells what they covered."""

from __future__ import annotations

import sys

from tests.model.soak import main

if __name__ == "__main__":
    sys.exit(main())
