"""Settings as the workflow reads them."""

from pathlib import Path

import yaml
from snakemake.utils import update_config

ROOT = Path(__file__).parents[1]


def settings(*files: Path) -> dict:
    """Those of `config.yaml`, of which each file changes single keys."""
    config: dict = {}
    for file in (ROOT / "config.yaml", *files):
        update_config(config, yaml.safe_load(file.read_text()))
    return config


def decoder_settings(*files: Path) -> dict:
    """Those of the decoder."""
    return settings(*files)["decoder"]
