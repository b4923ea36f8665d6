"""The route s3: the public bucket of the Allen Brain Observatory, read without signing."""

import re
from datetime import timedelta
from pathlib import Path

from glasscortex.data.patience import Refused
from glasscortex.data.transfer import Announce

REGION = "us-west-2"
AMAZON = f"https://s3.{REGION}.amazonaws.com"
BUCKET = "allen-brain-observatory"
FOLDER = "visual-coding-2p"
PART_BYTES = 64 * 1024
"""Written at once: the watch over a download sees no less."""
FINAL = re.compile(r"status code: 4(?!08|29)\d\d")
"""Answers that another try does not change."""
CONNECT = timedelta(seconds=10)
NO_LIMIT = timedelta(days=7)
"""Of a whole request: a stalled one is ended by the watch over the download."""


class Object:
    """Fetches one object of the bucket's folder.

    Parameters
    ----------
    name : str
        Below the folder.
    base_uri : str, optional
        Another server of the same bucket; None: Amazon's.
    """

    def __init__(self, name: str, base_uri: str | None):
        self.name, self.endpoint = name, (base_uri or AMAZON).rstrip("/")

    def __call__(self, path: Path, announce: Announce) -> None:
        # Imported in the child: threads that the library starts do not survive a fork.
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        refusals = (FileNotFoundError, PermissionDeniedError, UnauthenticatedError)

        url = f"{self.endpoint}/{BUCKET}/{FOLDER}/{self.name}"
        announce(url, None)
        try:
            self._transfer(path, url, announce)
        except (BaseError, FileNotFoundError) as error:
            reason = str(error).partition("\n")[0]
            if isinstance(error, refusals) or FINAL.search(reason):
                raise Refused(reason) from None
            raise ConnectionError(reason) from None

    def _transfer(self, path: Path, url: str, announce: Announce) -> None:
        import obstore
        from obstore.store import S3Store

        store = S3Store(
            BUCKET,
            prefix=FOLDER,
            endpoint=self.endpoint,
            region=REGION,
            skip_signature=True,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True, "connect_timeout": CONNECT, "timeout": NO_LIMIT},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(0)},
        )
        answer = obstore.get(store, self.name)
        announce(url, answer.meta["size"])
        with open(path, "wb", buffering=0) as file:
            for part in answer.stream(min_chunk_size=PART_BYTES):
                file.write(part)
