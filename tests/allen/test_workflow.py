"""Source allen: AllenSDK itself from selection to store, then all the rest without a network."""

import json

import xarray as xr

from tests.downloading import Workflow, without_network

A, OTHER_A, B = "501704220", "506540916", "501559087"
CLAIMS = "results/tables/claims.csv"


def test_from_selection_to_tables(server, world, tmp_path):
    workflow = Workflow(
        tmp_path,
        *("source=allen", "models=[trained]", "decoder={train: {epochs: 1}}"),
        f"allen={{base_uri: '{server.address}', backoff_s: 0.1}}",
    )
    ids = f"select={{session_ids: ['{A}', '{OTHER_A}', '{B}']}}"
    ran = workflow.snakemake(ids, "--", "results/trials.parquet")
    assert ran["catalogue.tsv"] == 1
    assert ran["download"] == ran["preprocess"] == 3
    assert [row["session_id"] for row in workflow.sessions()] == sorted([A, OTHER_A, B])
    (row,) = (row for row in workflow.sessions() if row["session_id"] == OTHER_A)
    expected = {
        "container_id": "511511001",
        "mouse": "228786",
        "cre_line": "Rorb-IRES2-Cre",
        "area": "VISpm",
        "depth_um": "275.0",
        "session_type": "three_session_A",
        "sex": "male",
        "age_days": "103.0",
        "source": "allen",
    }
    assert {key: row[key] for key in expected} == expected
    store = xr.open_datatree(workflow.results / f"preprocessed/{OTHER_A}.zarr")
    assert store.attrs["mouse"] == "228786"
    assert store["traces/dff"].shape[0] == 6
    record = json.loads((workflow.results / f"raw/{OTHER_A}.json").read_text())
    assert store.attrs["source_sha256"] == record["sha256"]

    # From here on there is no server, and no network where it can be taken away.
    server.stop()
    prefix = without_network()
    fewer = "select={session_types: [three_session_A]}"
    ran = workflow.snakemake(fewer, "--", CLAIMS, prefix=prefix)
    assert {row["session_id"] for row in workflow.sessions()} == {A, OTHER_A}
    assert not {"catalogue.tsv", "download", "preprocess"} & set(ran)
    assert {"select.tsv", "train", "fit_sae", "selectivity", "ablate", "claims.tsv"} <= set(ran)

    # To check every download again asks no server, and nothing that follows has to run.
    check = ("--forcerun", "download", "--until", "download", "--", CLAIMS)
    assert workflow.snakemake(fewer, *check, prefix=prefix) == {"download": 2}
    assert workflow.snakemake(fewer, "--", CLAIMS, prefix=prefix) == {}
