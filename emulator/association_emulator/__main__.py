"""``python -m association_emulator``: prints its URL on the first line, serves until interrupted or terminated."""

import argparse
import signal
import sys
from threading import Event
from typing import Any

from .server import EmulatorServer


def main(program: str = "association_emulator") -> int:
    """Run the server."""
    parser = argparse.ArgumentParser(
        prog=program, description="AWS services that associate two parties, on moto, for tests."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    arguments = parser.parse_args()

    stopped = Event()

    def stop(*_: Any) -> None:
        stopped.set()

    # Before the URL is printed: who has read it may stop the server at once.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with EmulatorServer(arguments.host, arguments.port) as server:
        print(server.url, flush=True)
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
