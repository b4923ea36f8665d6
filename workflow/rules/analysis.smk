"""What the units stand for, and whether the decoder needs them."""

RESPONSES = {
    "responses": ancient("<results>/sae/{model}/seed{seed}/{sae}/responses.zarr"),
    "manifest": "<results>/sae/{model}/seed{seed}/{sae}/responses.manifest.json",
    "trials": "<results>/trials.parquet",
    "sessions": "<results>/sessions.csv",
}


rule selectivity:
    input:
        **RESPONSES,
        code=code("stages.selectivity"),
    output:
        table="<results>/sae/{model}/seed{seed}/{sae}/selectivity.csv",
        tuning="<results>/sae/{model}/seed{seed}/{sae}/tuning.csv",
    log:
        "<results>/logs/selectivity/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/selectivity/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(480),
    params:
        config=CONFIG.selectivity.model_dump_json(),
    message:
        "Testing the units of {wildcards.sae} on {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("selectivity")


rule probe:
    input:
        **RESPONSES,
        code=code("stages.probe"),
    output:
        table="<results>/sae/{model}/seed{seed}/{sae}/probing.csv",
    log:
        "<results>/logs/probe/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/probe/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(240),
    message:
        "Probing the units of {wildcards.sae} on {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("probe")


rule probe_cells:
    input:
        **PRESENTED,
        code=code("stages.probe_cells"),
    output:
        table="<results>/cells/probing.csv",
    log:
        "<results>/logs/probe_cells.log",
    benchmark:
        "<results>/benchmarks/probe_cells.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(240),
    params:
        windows=CONFIG.results / "windows",
    message:
        "Probing the cells of each session"
    shell:
        stage("probe_cells")


rule recognise:
    input:
        **DICTIONARY,
        **RECORDED,
        decoder="<results>/decoder/{model}/seed{seed}/decoder.json",
        trials="<results>/trials.parquet",
        sessions="<results>/sessions.csv",
        code=code("stages.recognise"),
    output:
        table="<results>/sae/{model}/seed{seed}/{sae}/recognition.csv",
    log:
        "<results>/logs/recognise/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/recognise/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        folder=subpath(input.sae, parent=True),
        config=CONFIG.selectivity.model_dump_json(),
    message:
        "Recognising mice by the units of {wildcards.sae} on {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("recognise")


rule recognise_cells:
    input:
        **PRESENTED,
        sessions="<results>/sessions.csv",
        code=code("stages.recognise_cells"),
    output:
        table="<results>/cells/recognition.csv",
    log:
        "<results>/logs/recognise_cells.log",
    benchmark:
        "<results>/benchmarks/recognise_cells.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        windows=CONFIG.results / "windows",
        config=CONFIG.selectivity.model_dump_json(),
    message:
        "Recognising mice by their cells"
    shell:
        stage("recognise_cells")


if STABILITY_TABLES:

    rule stability:
        input:
            responses=ancient(
                expand("<results>/sae/{{model}}/seed{seed}/{{sae}}/responses.zarr", seed=SEEDS)
            ),
            manifests=expand(
                "<results>/sae/{{model}}/seed{seed}/{{sae}}/responses.manifest.json", seed=SEEDS
            ),
            trials="<results>/trials.parquet",
            sessions="<results>/sessions.csv",
            code=code("stages.stability"),
        output:
            table="<results>/sae/{model}/{sae}/stability.csv",
            consensus="<results>/sae/{model}/{sae}/consensus.csv",
        log:
            "<results>/logs/stability/{model}-{sae}.log",
        benchmark:
            "<results>/benchmarks/stability/{model}-{sae}.tsv"
        conda:
            "../../envs/glasscortex.yaml"
        threads: 1
        resources:
            mem_mb=by_attempt(2000),
            runtime=by_attempt(480),
        params:
            folder=lambda wildcards: CONFIG.results / "sae" / wildcards.model,
            seeds=json.dumps(SEEDS),
            config=CONFIG.selectivity.model_dump_json(),
        message:
            "Comparing {wildcards.sae} on {wildcards.model} between seeds"
        shell:
            stage("stability")


rule ablate:
    input:
        **(DECODER | DICTIONARY | RESPONSES),
        code=code("stages.ablate"),
    output:
        table="<results>/sae/{model}/seed{seed}/{sae}/ablation.csv",
        steering="<results>/sae/{model}/seed{seed}/{sae}/steering.csv",
        interactions="<results>/sae/{model}/seed{seed}/{sae}/interactions.csv",
    log:
        "<results>/logs/ablate/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/ablate/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: CONFIG.ablation.threads
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(480),
    params:
        decoder=subpath(input.decoder, parent=True),
        folder=subpath(input.sae, parent=True),
        windows=CONFIG.results / "windows",
        config=CONFIG.ablation.model_dump_json(),
    message:
        "Ablating units of {wildcards.sae} in {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("ablate")


rule attribute:
    input:
        **(DECODER | DICTIONARY),
        code=code("stages.attribute"),
    output:
        effects="<results>/sae/{model}/seed{seed}/{sae}/effects.csv",
        reuse="<results>/sae/{model}/seed{seed}/{sae}/reuse.csv",
        cells="<results>/sae/{model}/seed{seed}/{sae}/cells.parquet",
        times="<results>/sae/{model}/seed{seed}/{sae}/times.parquet",
    log:
        "<results>/logs/attribute/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/attribute/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: CONFIG.attribution.threads
    resources:
        mem_mb=by_attempt(3000),
        runtime=by_attempt(240),
    params:
        windows=CONFIG.results / "windows",
        decoder=subpath(input.decoder, parent=True),
        folder=subpath(input.sae, parent=True),
        config=CONFIG.attribution.model_dump_json(),
    message:
        "Attributing units of {wildcards.sae} in {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("attribute")


if SIMULATED:

    rule recovery:
        input:
            **RESPONSES,
            truth=of_sessions("<results>/truth/{session}.h5"),
            code=code("stages.recovery"),
        output:
            table="<results>/sae/{model}/seed{seed}/{sae}/recovery.csv",
        log:
            "<results>/logs/recovery/{model}-seed{seed}-{sae}.log",
        benchmark:
            "<results>/benchmarks/recovery/{model}-seed{seed}-{sae}.tsv"
        conda:
            "../../envs/glasscortex.yaml"
        threads: 1
        resources:
            mem_mb=by_attempt(4000),
            runtime=by_attempt(240),
        params:
            truth=CONFIG.results / "truth",
        message:
            "Looking for the simulation's factors in {wildcards.sae} on {wildcards.model}, seed {wildcards.seed}"
        shell:
            stage("recovery")


# Made on request: snakemake results/nwb/trained/seed0/<dictionary>/<session>.nwb
rule export_nwb:
    input:
        **DECODER,
        nwb=ancient(of_session("<results>/raw/{session}.nwb")),
        responses=RESPONSES["responses"],
        manifest=RESPONSES["manifest"],
        selectivity="<results>/sae/{model}/seed{seed}/{sae}/selectivity.csv",
        code=code("stages.export_nwb"),
    output:
        exported="<results>/nwb/{model}/seed{seed}/{sae}/{session}.nwb",
    log:
        "<results>/logs/export_nwb/{model}-seed{seed}-{sae}-{session}.log",
    benchmark:
        "<results>/benchmarks/export_nwb/{model}-seed{seed}-{sae}-{session}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        windows=CONFIG.results / "windows",
        decoder=subpath(input.decoder, parent=True),
    message:
        "Exporting session {wildcards.session}, read by {wildcards.sae} in {wildcards.model}"
    shell:
        stage("export_nwb")
