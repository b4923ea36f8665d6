"""The transformer, its controls, its baselines, and what can be read at most."""

PRESENTED = {
    "trials": "<results>/trials.parquet",
    "windows": of_sessions("<results>/windows/{session}.h5"),
}
DECODER = {
    "decoder_weights": "<results>/decoder/{model}/seed{seed}/weights.safetensors",
    "decoder": "<results>/decoder/{model}/seed{seed}/decoder.json",
    **PRESENTED,
}


rule train:
    input:
        **PRESENTED,
        code=code("stages.train"),
    output:
        weights="<results>/decoder/{model}/seed{seed}/weights.safetensors",
        decoder="<results>/decoder/{model}/seed{seed}/decoder.json",
        history="<results>/decoder/{model}/seed{seed}/history.csv",
    log:
        "<results>/logs/train/{model}-seed{seed}.log",
    benchmark:
        "<results>/benchmarks/train/{model}-seed{seed}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: CONFIG.decoder.train.threads * CONFIG.decoder.train.devices
    resources:
        mem_mb=by_attempt(4000 * CONFIG.decoder.train.devices),
        runtime=by_attempt(1440),
        gpu=CONFIG.decoder.train.devices if CONFIG.decoder.train.accelerator == "gpu" else 0,
    params:
        windows=CONFIG.results / "windows",
        folder=subpath(output.weights, parent=True),
        checkpoint=lambda wildcards: CONFIG.results
        / "checkpoints"
        / wildcards.model
        / f"seed{wildcards.seed}",
        tasks=json.dumps(CONFIG.tasks),
        config=CONFIG.decoder.model_dump_json(),
    message:
        "Training: {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("train")


rule evaluate:
    input:
        **DECODER,
        code=code("stages.evaluate"),
    output:
        scores="<results>/decoder/{model}/seed{seed}/decoding.csv",
        confusion="<results>/decoder/{model}/seed{seed}/confusion.csv",
    log:
        "<results>/logs/evaluate/{model}-seed{seed}.log",
    benchmark:
        "<results>/benchmarks/evaluate/{model}-seed{seed}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: CONFIG.decoder.train.threads
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(120),
    params:
        windows=CONFIG.results / "windows",
        decoder=subpath(input.decoder, parent=True),
    message:
        "Scoring: {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("evaluate")


rule baselines:
    input:
        **PRESENTED,
        code=code("stages.baselines"),
        own_code=lambda wildcards: code(f"decoder.baselines.{wildcards.baseline}"),
    output:
        scores="<results>/decoder/{baseline}/decoding.csv",
    log:
        "<results>/logs/baselines/{baseline}.log",
    benchmark:
        "<results>/benchmarks/baselines/{baseline}.tsv"
    wildcard_constraints:
        baseline="|".join(BASELINES),
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, threads, attempt: 4000 * threads * attempt,
        runtime=by_attempt(1440),
    params:
        windows=CONFIG.results / "windows",
        tasks=json.dumps(CONFIG.tasks),
        config=lambda wildcards: (
            CONFIG.single if wildcards.baseline == "single" else CONFIG.baseline
        ).model_dump_json(exclude={"models", "single"}),
    message:
        "Decoding each session alone: {wildcards.baseline}"
    shell:
        stage("baselines")


rule compare:
    input:
        decoding="<results>/tables/decoding.csv",
        sessions="<results>/sessions.csv",
        code=code("stages.compare"),
    output:
        table=report(
            "<results>/tables/comparison.csv", caption="../report/tables.rst", category="Tables"
        ),
    log:
        "<results>/logs/compare.log",
    benchmark:
        "<results>/benchmarks/compare.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(10),
    message:
        "Comparing the transformer with every baseline"
    shell:
        stage("compare")


if SIMULATED:

    rule observe:
        input:
            truth="<results>/truth/{session}.h5",
            code=code("stages.observe"),
        output:
            table="<results>/observer/{session}.csv",
        log:
            "<results>/logs/observe/{session}.log",
        benchmark:
            "<results>/benchmarks/observe/{session}.tsv"
        group:
            "observer"
        conda:
            "../../envs/glasscortex.yaml"
        threads: 1
        resources:
            mem_mb=by_attempt(2000),
            runtime=by_attempt(30),
        params:
            window_s=json.dumps(CONFIG.trials.window_s),
            config=CONFIG.simulate.model_dump_json(),
        message:
            "Asking what can be read of session {wildcards.session} at most"
        shell:
            stage("observe")

    rule share:
        input:
            decoding="<results>/tables/decoding.csv",
            observer="<results>/tables/observer.csv",
            code=code("stages.share"),
        output:
            table=report(
                "<results>/tables/share.csv", caption="../report/tables.rst", category="Tables"
            ),
        log:
            "<results>/logs/share.log",
        benchmark:
            "<results>/benchmarks/share.tsv"
        conda:
            "../../envs/glasscortex.yaml"
        threads: 1
        resources:
            mem_mb=by_attempt(1000),
            runtime=by_attempt(10),
        message:
            "Holding every decoder against what can be read at most"
        shell:
            stage("share")


# Sessions that no decoder was trained on.
rule adapt:
    input:
        weights="<results>/decoder/trained/seed{seed}/weights.safetensors",
        decoder="<results>/decoder/trained/seed{seed}/decoder.json",
        trials=of_sessions("<results>/trials/{session}.parquet", held_out=[True]),
        windows=of_sessions("<results>/windows/{session}.h5", held_out=[True]),
        sessions="<results>/sessions.csv",
        code=code("stages.adapt"),
    output:
        scores="<results>/decoder/trained/seed{seed}/adaptation.csv",
    log:
        "<results>/logs/adapt/seed{seed}.log",
    benchmark:
        "<results>/benchmarks/adapt/seed{seed}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, threads, attempt: 4000 * threads * attempt,
        runtime=by_attempt(1440),
    params:
        trials=CONFIG.results / "trials",
        windows=CONFIG.results / "windows",
        decoder=subpath(input.decoder, parent=True),
        config=CONFIG.adapt.model_dump_json(),
        scratch=CONFIG.single.model_dump_json(),
        linear=CONFIG.baseline.model_dump_json(exclude={"models", "single"}),
    message:
        "Adapting to sessions never seen: seed {wildcards.seed}"
    shell:
        stage("adapt")
