"""finspacedata base URL and path."""

from .responses import FinSpaceDataResponse

url_bases = [
    r"https?://finspace-api\.(.+)\.amazonaws\.com",
]

# One rule for everything, even for a decoded line break: the operation is found in the raw path, by `wire`.
url_paths = {
    r"{0}/(?P<path>[\s\S]*)$": FinSpaceDataResponse.dispatch,
}
