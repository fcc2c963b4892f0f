"""dsdata base URL and path."""

from .responses import DirectoryDataResponse

url_bases = [
    r"https?://ds-data\.(.+)\.amazonaws\.com",
]

url_paths = {
    r"{0}/(?P<path>[\s\S]*)$": DirectoryDataResponse.dispatch,
}
