"""From recordings to presentations."""

NWB_FILES = sorted(map(str, CONFIG.nwb.glob("*.nwb"))) if CONFIG.source == "local" else []
CATALOGUE = {
    table: f"<results>/allen/{file}.json"
    for table, file in (
        ("experiments", "ophys_experiments"),
        ("containers", "experiment_containers"),
    )
    if ALLEN
}


checkpoint select:
    input:
        NWB_FILES,
        **CATALOGUE,
        code=code("data.select"),
    output:
        sessions="<results>/sessions.csv",
    log:
        "<results>/logs/select.log",
    benchmark:
        "<results>/benchmarks/select.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=600,
        runtime=30,
    params:
        tables=lambda wildcards, input: [
            word for table in CATALOGUE for word in (f"--{table}", input[table])
        ],
        settings=json.dumps(
            CONFIG.model_dump(mode="json", include={"source", "nwb", "select", "simulate"})
        ),
    message:
        "Selecting sessions"
    shell:
        "python -m glasscortex select {params.tables:q} --settings {params.settings:q} "
        "--out {output.sessions:q} 2>&1 | tee {log:q}"


if SIMULATED:

    rule simulate:
        input:
            code=code("data.synthetic"),
        output:
            nwb="<results>/raw/{session}.nwb",
            record="<results>/raw/{session}.json",
            truth="<results>/truth/{session}.h5",
        log:
            "<results>/logs/simulate/{session}.log",
        benchmark:
            "<results>/benchmarks/simulate/{session}.tsv"
        group:
            "session"
        conda:
            "../../envs/glasscortex.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            settings=CONFIG.simulate.model_dump_json(),
        message:
            "Simulating session {wildcards.session}"
        shell:
            "python -m glasscortex simulate --session {wildcards.session:q} "
            "--settings {params.settings:q} --nwb {output.nwb:q} --record {output.record:q} "
            "--truth {output.truth:q} 2>&1 | tee {log:q}"

elif ALLEN:

    include: "allen.smk"

else:

    rule link:
        input:
            nwb=lambda wildcards: next(
                row["source"] for row in sessions() if row["session_id"] == wildcards.session
            ),
            code=code("data.nwb"),
        output:
            nwb="<results>/raw/{session}.nwb",
            record="<results>/raw/{session}.json",
        log:
            "<results>/logs/link/{session}.log",
        benchmark:
            "<results>/benchmarks/link/{session}.tsv"
        localrule: True
        conda:
            "../../envs/glasscortex.yaml"
        threads: 1
        resources:
            mem_mb=600,
            runtime=10,
        message:
            "Checking and linking session {wildcards.session}"
        shell:
            "python -m glasscortex link --source {input.nwb:q} --target {output.nwb:q} "
            "--record {output.record:q} 2>&1 | tee {log:q}"


rule preprocess:
    input:
        nwb=ancient("<results>/raw/{session}.nwb"),
        record="<results>/raw/{session}.json",
        sessions=ancient("<results>/sessions.csv"),  # the row that counts is a parameter
        code=code("data.preprocess"),
    output:
        store=directory("<results>/preprocessed/{session}.zarr"),
        quality="<results>/quality/{session}.csv",
        manifest="<results>/preprocessed/{session}.manifest.json",
    log:
        "<results>/logs/preprocess/{session}.log",
    benchmark:
        "<results>/benchmarks/preprocess/{session}.tsv"
    group:
        "session"
    conda:
        "../../envs/glasscortex.yaml"
    threads: CONFIG.preprocess.threads
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        session=lambda wildcards: described(wildcards.session),
        settings=CONFIG.preprocess.model_dump_json(),
    message:
        "Computing ΔF/F of session {wildcards.session}"
    shell:
        "python -m glasscortex preprocess --nwb {input.nwb:q} --record {input.record:q} "
        "--session {params.session:q} --settings {params.settings:q} "
        "--store {output.store:q} --quality {output.quality:q} --manifest {output.manifest:q} "
        "2>&1 | tee {log:q}"


rule trials:
    input:
        store=ancient("<results>/preprocessed/{session}.zarr"),
        manifest="<results>/preprocessed/{session}.manifest.json",
        code=code("data.trials"),
    output:
        trials="<results>/trials/{session}.parquet",
        windows="<results>/windows/{session}.h5",
    log:
        "<results>/logs/trials/{session}.log",
    benchmark:
        "<results>/benchmarks/trials/{session}.tsv"
    group:
        "session"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=CONFIG.trials.model_dump_json(),
    message:
        "Labelling and splitting the presentations of session {wildcards.session}"
    shell:
        "python -m glasscortex trials --store {input.store:q} --manifest {input.manifest:q} "
        "--settings {params.settings:q} --trials {output.trials:q} --windows {output.windows:q} "
        "2>&1 | tee {log:q}"


rule combine:
    input:
        parts=of_sessions("<results>/trials/{session}.parquet"),
        code=code("data.trials"),
    output:
        trials="<results>/trials.parquet",
    log:
        "<results>/logs/combine.log",
    benchmark:
        "<results>/benchmarks/combine.tsv"
    localrule: True
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        tasks=json.dumps(CONFIG.tasks),
    message:
        "Joining the presentations of all sessions"
    shell:
        "python -m glasscortex combine {input.parts:q} --tasks {params.tasks:q} "
        "--out {output.trials:q} 2>&1 | tee {log:q}"
