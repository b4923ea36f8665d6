"""What the units stand for, and whether the decoder needs them."""


rule selectivity:
    input:
        weights="<results>/sae/{model}/seed{seed}/{sae}/weights.safetensors",
        sae="<results>/sae/{model}/seed{seed}/{sae}/sae.json",
        activations=ancient(of_hook(".zarr")),
        manifest=of_hook(".manifest.json"),
        trials="<results>/trials.parquet",
        sessions="<results>/sessions.csv",
        code=code("analysis.selectivity"),
    output:
        table="<results>/sae/{model}/seed{seed}/{sae}/selectivity.csv",
    log:
        "<results>/logs/selectivity/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/selectivity/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=480,
    params:
        sae=subpath(input.sae, parent=True),
        settings=CONFIG.selectivity.model_dump_json(),
    message:
        "Testing the units of {wildcards.sae} on {wildcards.model}, seed {wildcards.seed}"
    shell:
        "python -m glasscortex selectivity --sae-folder {params.sae:q} "
        "--activations {input.activations:q} --manifest {input.manifest:q} "
        "--trials {input.trials:q} --sessions {input.sessions:q} "
        "--model {wildcards.model} --seed {wildcards.seed} --name {wildcards.sae:q} "
        "--settings {params.settings:q} --out {output.table:q} 2>&1 | tee {log:q}"


rule ablate:
    input:
        decoder_weights="<results>/decoder/{model}/seed{seed}/weights.safetensors",
        decoder="<results>/decoder/{model}/seed{seed}/decoder.json",
        weights="<results>/sae/{model}/seed{seed}/{sae}/weights.safetensors",
        sae="<results>/sae/{model}/seed{seed}/{sae}/sae.json",
        selectivity="<results>/sae/{model}/seed{seed}/{sae}/selectivity.csv",
        activations=ancient(of_hook(".zarr")),
        manifest=of_hook(".manifest.json"),
        trials="<results>/trials.parquet",
        sessions="<results>/sessions.csv",
        windows=of_sessions("<results>/windows/{session}.h5"),
        code=code("analysis.ablation"),
    output:
        table="<results>/sae/{model}/seed{seed}/{sae}/ablation.csv",
    log:
        "<results>/logs/ablate/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/ablate/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: CONFIG.ablation.threads
    resources:
        mem_mb=4000,
        runtime=480,
    params:
        decoder=subpath(input.decoder, parent=True),
        sae=subpath(input.sae, parent=True),
        windows=CONFIG.results / "windows",
        settings=CONFIG.ablation.model_dump_json(),
    message:
        "Ablating units of {wildcards.sae} in {wildcards.model}, seed {wildcards.seed}"
    shell:
        "python -m glasscortex ablate --decoder {params.decoder:q} "
        "--sae-folder {params.sae:q} --selectivity {input.selectivity:q} "
        "--activations {input.activations:q} --manifest {input.manifest:q} "
        "--trials {input.trials:q} --sessions {input.sessions:q} --windows {params.windows:q} "
        "--model {wildcards.model} --seed {wildcards.seed} --name {wildcards.sae:q} "
        "--settings {params.settings:q} --out {output.table:q} 2>&1 | tee {log:q}"


if SIMULATED:

    rule recovery:
        input:
            weights="<results>/sae/{model}/seed{seed}/{sae}/weights.safetensors",
            sae="<results>/sae/{model}/seed{seed}/{sae}/sae.json",
            activations=ancient(of_hook(".zarr")),
            manifest=of_hook(".manifest.json"),
            trials="<results>/trials.parquet",
            sessions="<results>/sessions.csv",
            truth=of_sessions("<results>/truth/{session}.h5"),
            code=code("analysis.recovery"),
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
            mem_mb=4000,
            runtime=240,
        params:
            sae=subpath(input.sae, parent=True),
            truth=CONFIG.results / "truth",
        message:
            "Looking for the simulation's factors in {wildcards.sae} on {wildcards.model}, seed {wildcards.seed}"
        shell:
            "python -m glasscortex recovery --sae-folder {params.sae:q} "
            "--activations {input.activations:q} --manifest {input.manifest:q} "
            "--trials {input.trials:q} --sessions {input.sessions:q} --truth {params.truth:q} "
            "--model {wildcards.model} --seed {wildcards.seed} --name {wildcards.sae:q} "
            "--out {output.table:q} 2>&1 | tee {log:q}"
