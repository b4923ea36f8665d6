"""Sessions that no decoder was trained on."""

if CONFIG.select.held_out:

    rule adapt:
        input:
            weights="<results>/decoder/trained/seed{seed}/weights.safetensors",
            decoder="<results>/decoder/trained/seed{seed}/decoder.json",
            trials=of_sessions("<results>/trials/{session}.parquet", held_out=True),
            windows=of_sessions("<results>/windows/{session}.h5", held_out=True),
            code=code("stages.adapt"),
        output:
            scores="<results>/decoder/trained/seed{seed}/adaptation.csv",
        log:
            "<results>/logs/adapt/seed{seed}.log",
        benchmark:
            "<results>/benchmarks/adapt/seed{seed}.tsv"
        conda:
            "../../envs/glasscortex.yaml"
        resources:
            mem_mb=lambda wildcards, threads: 4000 * threads,
            runtime=1440,
        params:
            windows=CONFIG.results / "windows",
            decoder=subpath(input.weights, parent=True),
            config=CONFIG.adapt.model_dump_json(),
            scratch=CONFIG.single.model_dump_json(),
            linear=CONFIG.baseline.model_dump_json(exclude={"models", "single"}),
        message:
            "Adapting to sessions never seen: seed {wildcards.seed}"
        shell:
            stage("adapt")
