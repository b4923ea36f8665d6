# /// script
# requires-python = ">=3.11,<3.12"
# dependencies = ["allensdk==2.16.2", "setuptools<81", "statsmodels<0.15"]
# ///
"""The route api: AllenSDK's client of the Allen Brain Observatory, in an environment of its own.

    uv run --script workflow/scripts/allensdk_client.py catalogue|download …

The same two commands, with the same options, as `glasscortex` has for the route s3. AllenSDK does
the queries and the transfers; tries, checks and final names are `glasscortex.data.transfer`'s.
The folder src has to be in PYTHONPATH.
"""

import argparse
import dataclasses
import json
import logging
import sys
import warnings
from pathlib import Path

from glasscortex.data.allen.catalogue import rows
from glasscortex.data.download import Noted, download
from glasscortex.data.patience import Tries
from glasscortex.data.transfer import Announce, obtain
from glasscortex.errors import InputError

SERVICE = "https://api.brain-map.org"
"""Where AllenSDK itself would ask by plain http."""
HEAD_S = 10.0
QUERY_PATIENCE = 10
"""Times stall_s: the service gathers all rows of a table before it sends the first byte."""


class Query:
    """Fetches through AllenSDK; runs in the child of a download.

    Parameters
    ----------
    save : callable
        What to do with AllenSDK's cache and the path to write.
    base_uri : str, optional
        Another server of the web service; None: the Allen Institute's.
    """

    def __init__(self, save, base_uri: str | None):
        self.save, self.base_uri = save, base_uri or SERVICE

    def prepare(self) -> None:
        """Import AllenSDK, which takes seconds, once for all tries."""
        warnings.filterwarnings("ignore")
        import allensdk.core.brain_observatory_cache  # noqa: F401

        logging.getLogger("allensdk.api.api.retrieve_file_over_http").setLevel(logging.CRITICAL)

    def __call__(self, path: Path, announce: Announce) -> None:
        from allensdk.api.queries.brain_observatory_api import BrainObservatoryApi
        from allensdk.core.brain_observatory_cache import BrainObservatoryCache

        class Api(BrainObservatoryApi):
            """Says which URL it turns to."""

            def retrieve_parsed_json_over_http(self, url, post=False):
                announce(url, None)
                return super().retrieve_parsed_json_over_http(url, post)

            def retrieve_file_over_http(self, url, file_path, zipped=False):
                announce(url, None)
                announce(url, promised_bytes(url))
                super().retrieve_file_over_http(url, file_path, zipped)

        # AllenSDK's own cache lies in the private folder, where nothing was ever written before.
        cache = BrainObservatoryCache(
            manifest_file=str(path.parent / "allensdk/manifest.json"),
            api=Api(base_uri=self.base_uri),
        )
        self.save(cache, path)


def promised_bytes(url: str) -> int | None:
    """The length of a file as the server gives it; None where it does not."""
    import requests

    try:
        answer = requests.head(url, allow_redirects=True, timeout=HEAD_S)
    except requests.RequestException:
        return None
    length = answer.headers.get("Content-Length", "")
    encoded = "Content-Encoding" in answer.headers
    return int(length) if answer.status_code == 200 and length.isdigit() and not encoded else None


def save_experiments(cache, path: Path) -> None:
    """All experiments, with what AllenSDK says of their eye tracking."""
    path.write_text(json.dumps(cache.get_ophys_experiments(include_failed=True, simple=False)))


def save_containers(cache, path: Path) -> None:
    """All containers."""
    path.write_text(json.dumps(cache.get_experiment_containers(include_failed=True, simple=False)))


def main() -> None:
    """Parse and do as told; bad input ends in one line and exit status 1."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("allensdk").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, options in {
        "catalogue": ("experiments", "containers"),
        "download": ("cache", "nwb", "record"),
    }.items():
        command = commands.add_parser(name)
        for option in options:
            command.add_argument(f"--{option}", type=Path, required=True)
        command.add_argument("--config", type=json.loads, required=True)
    commands.choices["download"].add_argument("--session", required=True)
    arguments = parser.parse_args()
    base_uri = arguments.config["base_uri"]
    tries = Tries.of("allen", arguments.config)
    if arguments.command == "catalogue":
        patient = dataclasses.replace(tries, stall_s=QUERY_PATIENCE * tries.stall_s)
        for save, path in (
            (save_experiments, arguments.experiments),
            (save_containers, arguments.containers),
        ):
            obtain(
                path,
                Query(save, base_uri),
                lambda temporary, url: rows(temporary),
                what=f"the table {path.stem}",
                tries=patient,
            )
    else:
        experiment = int(arguments.session)
        kept = arguments.cache / f"{arguments.session}.nwb"
        download(
            session_id=arguments.session,
            fetch=Query(
                lambda cache, path: cache.get_ophys_experiment_data(experiment, str(path)), base_uri
            ),
            whole=Noted(arguments.session, kept),
            kept=kept,
            nwb=arguments.nwb,
            record=arguments.record,
            tries=tries,
        )


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
