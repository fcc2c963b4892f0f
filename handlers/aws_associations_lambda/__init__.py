"""The CloudFormation side: one Lambda function behind every ``Custom::`` type of aws-associations."""

import gc
import sys
import types


def _load_libraries() -> None:
    """Load what nearly every request uses, now: until the handler is there Lambda lends more processor than after it.

    crhelper imports boto3 for three clients, which the Responder never lets it build: it gets an empty module. Garbage
    is not looked for meanwhile, nor ever among what is loaded here: a library leaves none. What either saves is in
    docs/performance.md.
    """
    collecting = gc.isenabled()
    gc.disable()
    unloaded = "boto3" not in sys.modules
    if unloaded:
        sys.modules["boto3"] = types.ModuleType("boto3")
    try:
        import botocore.session  # noqa: F401
        import crhelper  # noqa: F401
    finally:
        if unloaded:
            del sys.modules["boto3"]
        gc.freeze()
        if collecting:
            gc.enable()


_load_libraries()
