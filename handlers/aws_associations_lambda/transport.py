"""Delivering an answer: one PUT to the pre-signed URL, bounded in time, its status checked."""

from __future__ import annotations

import functools
import http.client
import os
import ssl
import time
from urllib.parse import urlsplit

_ATTEMPT_SECONDS = 4.0
_FINAL = frozenset({401, 403, 404, 405, 410, 411, 412, 413})
"""Statuses after which the URL is no longer good: expired, gone, or signed for something else. S3 answers 400 to a
request that arrived too slowly and 307 while a bucket moves, so those are not among them."""


class NotDeliveredError(Exception):
    """Nobody took the answer. The message names the last cause, never the URL."""

    def __init__(self, cause: str, *, refused: bool) -> None:
        """Args: refused: the URL is no longer good, so that another attempt cannot help."""
        super().__init__(cause)
        self.refused = refused


def put(url: str, body: bytes, seconds: float) -> int:
    """Put the body; return how many attempts it took.

    A connection that fails and any status that is not final are tried again while there is time.

    Args:
        url: https only.
        body: JSON in UTF-8.
        seconds: for all attempts together; one attempt is made even if there is hardly any time left.

    Raises:
        NotDeliveredError: no attempt was answered with 2xx.
    """
    split = urlsplit(url)
    target = f"{split.path or '/'}?{split.query}" if split.query else split.path or "/"
    # The URL was signed without a content type: any other than an empty one is SignatureDoesNotMatch (observed).
    headers = {"Content-Type": "", "Content-Length": str(len(body))}
    end, delay, attempt = time.monotonic() + seconds, 0.25, 0
    while True:
        attempt += 1
        timeout = max(0.5, min(_ATTEMPT_SECONDS, end - time.monotonic()))
        try:
            status = _attempt(split.hostname or "", split.port or 443, target, body, headers, timeout)
        except (OSError, http.client.HTTPException) as error:
            cause = type(error).__name__
        else:
            if 200 <= status < 300:
                return attempt
            cause = f"HTTP status {status}"
            if status in _FINAL:
                raise NotDeliveredError(cause, refused=True)
        if time.monotonic() + delay >= end:
            raise NotDeliveredError(f"{cause} after {attempt} attempts", refused=False)
        time.sleep(delay)
        delay = min(delay * 2, 4.0)


def _trusting() -> ssl.SSLContext:
    """The usual checks by the usual authorities, which take some 35 ms to read: once in a process, unless they move."""
    return _read(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _read(*_: str | None) -> ssl.SSLContext:
    return ssl.create_default_context()


_trusting()  # now: see the package


def _attempt(host: str, port: int, target: str, body: bytes, headers: dict[str, str], timeout: float) -> int:
    connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=_trusting())
    try:
        connection.request("PUT", target, body, headers)
        response = connection.getresponse()
        response.read(1024)
        return response.status
    finally:
        connection.close()
