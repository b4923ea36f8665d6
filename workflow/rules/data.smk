"""From recordings to presentations."""

NWB_FILES = recordings_in(CONFIG.nwb) if CONFIG.source == "local" else []
OF_SELECT = {
    **dict.fromkeys(["source", "nwb", "select", "simulate"], True),
    "dandi": {"dandiset", "version"},
}


checkpoint select:
    input:
        [str(entrance(path)) for path in NWB_FILES],
        experiments="<results>/allen/ophys_experiments.json" if ALLEN else [],
        containers="<results>/allen/experiment_containers.json" if ALLEN else [],
        recordings="<results>/dandi/recordings.csv" if DANDI else [],
        code=code("stages.select"),
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
        mem_mb=by_attempt(600),
        runtime=by_attempt(30),
    params:
        config=json.dumps(CONFIG.model_dump(mode="json", include=OF_SELECT)),
        versions=versions(NWB_FILES),
    message:
        "Selecting sessions"
    shell:
        stage("select")


if SIMULATED:

    rule simulate:
        input:
            code=code("stages.simulate"),
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
            mem_mb=by_attempt(2000),
            runtime=by_attempt(30),
        params:
            config=CONFIG.simulate.model_dump_json(),
        message:
            "Simulating session {wildcards.session}"
        shell:
            stage("simulate")

elif ALLEN:

    include: "allen.smk"

elif DANDI:

    include: "dandi.smk"

else:

    rule link:
        input:
            source=lambda wildcards: source_of(wildcards.session),
            code=code("stages.link"),
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
            mem_mb=by_attempt(600),
            runtime=by_attempt(10),
        params:
            version=lambda wildcards: versions([source_of(wildcards.session)]),
        message:
            "Checking and linking session {wildcards.session}"
        shell:
            stage("link")


rule preprocess:
    input:
        nwb=ancient("<results>/raw/{session}.nwb"),
        record="<results>/raw/{session}.json",
        sessions=ancient("<results>/sessions.csv"),  # the row that counts is a parameter
        code=code("stages.preprocess"),
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
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        session=lambda wildcards: described(wildcards.session),
        config=CONFIG.preprocess.model_dump_json(),
    message:
        "Computing ΔF/F of session {wildcards.session}"
    shell:
        stage("preprocess")


rule trials:
    input:
        store=ancient("<results>/preprocessed/{session}.zarr"),
        manifest="<results>/preprocessed/{session}.manifest.json",
        code=code("stages.trials"),
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
        mem_mb=by_attempt(2000),
        runtime=by_attempt(30),
    params:
        config=CONFIG.trials.model_dump_json(),
    message:
        "Labelling and splitting the presentations of session {wildcards.session}"
    shell:
        stage("trials")


rule combine:
    input:
        parts=of_sessions("<results>/trials/{session}.parquet"),
        sessions="<results>/sessions.csv",
        code=code("stages.combine"),
    output:
        trials="<results>/trials.parquet",
        variables=report(
            "<results>/tables/variables.csv", caption="../report/tables.rst", category="Tables"
        ),
    log:
        "<results>/logs/combine.log",
    benchmark:
        "<results>/benchmarks/combine.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(10),
    params:
        parts=CONFIG.results / "trials",
        tasks=json.dumps(CONFIG.tasks),
    message:
        "Joining the presentations of all sessions"
    shell:
        stage("combine")
