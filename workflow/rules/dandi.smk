"""From the DANDI archive. Nothing else needs the network.

What was fetched does not depend on the code that fetched it, so that code is no input here.
"""

RECORDINGS = CONFIG.results / "dandi/recordings.csv"


def recording(session):
    """What the archive and the head of its file say of a session, as JSON: its row of the list."""
    sessions()  # once these are there, so is the list
    return json.dumps(listed(RECORDINGS, RECORDINGS.stat().st_mtime_ns)[session])


rule list_dandiset:
    output:
        recordings="<results>/dandi/recordings.csv",
    log:
        "<results>/logs/list_dandiset.log",
    benchmark:
        "<results>/benchmarks/list_dandiset.tsv"
    localrule: True
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(240),
    params:
        config=CONFIG.dandi.model_dump_json(),
    message:
        "Listing the recordings of the dandiset"
    shell:
        stage("list_dandiset")


rule download_asset:
    input:
        sessions=ancient("<results>/sessions.csv"),  # the row of the list is a parameter
    output:
        nwb="<results>/raw/{session}.nwb",
        record="<results>/raw/{session}.json",
    log:
        "<results>/logs/download_asset/{session}.log",
    benchmark:
        "<results>/benchmarks/download_asset/{session}.tsv"
    localrule: True
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(240),
        downloads=1,
    params:
        cache=CONFIG.dandi.cache or CONFIG.results / "downloads",
        listed=lambda wildcards: recording(wildcards.session),
        config=CONFIG.dandi.model_dump_json(),
    message:
        "Downloading session {wildcards.session}"
    shell:
        stage("download_asset")
