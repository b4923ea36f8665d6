"""Source dandi: from a version of a dandiset to stores, then the same without a network."""

import json

import pytest
import xarray as xr

from glasscortex.data.nwb import read_metadata
from tests.dandi.worlds import DANDISET, RECORDINGS, VERSION
from tests.downloading import Workflow, without_network

pytestmark = pytest.mark.xdist_group("dandi")


def test_from_a_dandiset_to_stores(server, dandiset, rows, tmp_path):
    workflow = Workflow(
        tmp_path,
        "source=dandi",
        f"dandi={{dandiset: '{DANDISET}', version: {VERSION}, glob: '{RECORDINGS}', "
        f"base_uri: '{server.api}', backoff_s: 0.1}}",
    )
    server.order(["503", None, "cut"])
    stores = [f"results/preprocessed/{row['session_id']}.manifest.json" for row in rows]
    ran = workflow.snakemake("--", *stores)
    assert (ran["list_dandiset.tsv"], ran["download_asset"], ran["preprocess"]) == (1, 2, 2)
    assert [row["source"] for row in workflow.sessions()] == [row["path"] for row in rows]
    size = sum(int(row["bytes"]) for row in rows) / 1e9
    log = (workflow.results / "logs/select.log").read_text()
    assert f"2 sessions of 2 mice are selected, {size:.3g} GB of downloads, 0.0 hours" in log
    for row in rows:
        store = xr.open_datatree(workflow.results / f"preprocessed/{row['session_id']}.zarr")
        genuine = dandiset / DANDISET / VERSION / row["path"]
        assert store.attrs["area"] == read_metadata(genuine).area
        assert store.attrs["source_sha256"] == row["sha256"]
        record = json.loads((workflow.results / f"raw/{row['session_id']}.json").read_text())
        assert record["source"] == f"{server.api}/assets/{row['asset_id']}/download/"

    server.stop()
    fewer = "select={cre_lines: [Vip-IRES-Cre]}"
    ran = workflow.snakemake(fewer, "--", stores[1], prefix=without_network())
    assert ran == {"select.tsv": 1}
