"""What an operator is told when no answer came."""

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from scrapy.spidermiddlewares.httperror import HttpError

from claimwatch.settings import Crawl


def why_no_answer(error: BaseException, limits: Crawl) -> tuple[str, bool]:
    """The reason as one line, and whether only an operator can mend it."""
    if isinstance(error, DownloadCancelledError) or "DOWNLOAD_MAXSIZE" in str(error):
        return f"the answer is larger than {limits.max_body_mb} MB: raise crawl.max_body_mb or choose another", True
    if isinstance(error, HttpError):
        return "the server redirects to nothing that can be asked: give the address that it should lead to", True
    if isinstance(error, IgnoreRequest):
        return _ignored(str(error)), True
    if isinstance(error, DownloadTimeoutError):
        return f"no answer within {limits.timeout:g} seconds", False
    if isinstance(error, CannotResolveHostError):
        return "no answer: there is no host of this name, or the name service is down", False
    if "certificate verify" in str(error):
        return "the server's certificate is not valid: no credential is sent to it", True
    return f"no answer: {type(error).__name__}", False


def _ignored(said: str) -> str:
    if "max redirections" in said:
        return "the server redirects on and on: give the address that it should lead to"
    return said or "robots.txt does not allow this"
