"""Sessions that no decoder was trained on."""

if CONFIG.select.held_out:

    rule adapt:
        input:
            weights="<results>/decoder/trained/seed{seed}/weights.safetensors",
            decoder="<results>/decoder/trained/seed{seed}/decoder.json",
            trials=of_sessions("<results>/trials/{session}.parquet", held_out=True),
            windows=of_sessions("<results>/windows/{session}.h5", held_out=True),
            code=code("decoder.adapt"),
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
            mem_mb=lambda wildcards, threads: 4000 * threads,
            runtime=1440,
        params:
            windows=CONFIG.results / "windows",
            decoder=subpath(input.weights, parent=True),
            settings=CONFIG.adapt.model_dump_json(),
            scratch=CONFIG.single.model_dump_json(),
            linear=CONFIG.baseline.model_dump_json(exclude={"models", "single"}),
        message:
            "Adapting to sessions never seen: seed {wildcards.seed}"
        shell:
            "python -m glasscortex adapt {input.trials:q} --decoder {params.decoder:q} "
            "--windows {params.windows:q} --settings {params.settings:q} "
            "--scratch {params.scratch:q} --linear {params.linear:q} "
            "--model trained --seed {wildcards.seed} --processes {threads} "
            "--out {output.scores:q} 2>&1 | tee {log:q}"

    rule figure_adaptation:
        input:
            adaptation="<results>/tables/adaptation.csv",
            code=code("figures.adaptation"),
        output:
            svg=report(
                "<results>/figures/adaptation.svg",
                caption="../report/adaptation.rst",
                category="Figures",
            ),
            png="<results>/figures/adaptation.png",
        log:
            "<results>/logs/figure/adaptation.log",
        benchmark:
            "<results>/benchmarks/figure/adaptation.tsv"
        conda:
            "../../envs/glasscortex.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        message:
            "Drawing what is read from sessions never seen"
        shell:
            "python -m glasscortex figure adaptation --adaptation {input.adaptation:q} "
            "--svg {output.svg:q} --png {output.png:q} 2>&1 | tee {log:q}"
