"""Activations of the transformer, and the autoencoders fitted on them."""


rule activations:
    input:
        weights="<results>/decoder/{model}/seed{seed}/weights.safetensors",
        decoder="<results>/decoder/{model}/seed{seed}/decoder.json",
        trials="<results>/trials.parquet",
        windows=of_sessions("<results>/windows/{session}.h5"),
        code=code("sae.activations"),
    output:
        activations=directory("<results>/activations/{model}/seed{seed}/{hook}.zarr"),
        manifest="<results>/activations/{model}/seed{seed}/{hook}.manifest.json",
    log:
        "<results>/logs/activations/{model}-seed{seed}-{hook}.log",
    benchmark:
        "<results>/benchmarks/activations/{model}-seed{seed}-{hook}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        windows=CONFIG.results / "windows",
        decoder=subpath(input.weights, parent=True),
    message:
        "Recording {wildcards.hook} of {wildcards.model}, seed {wildcards.seed}"
    shell:
        "python -m glasscortex activations --decoder {params.decoder:q} "
        "--trials {input.trials:q} --windows {params.windows:q} --hook {wildcards.hook} "
        "--out {output.activations:q} --manifest {output.manifest:q} 2>&1 | tee {log:q}"


rule fit_sae:
    input:
        activations=ancient(of_hook(".zarr")),
        manifest=of_hook(".manifest.json"),
        code=code("sae.train"),
    output:
        weights="<results>/sae/{model}/seed{seed}/{sae}/weights.safetensors",
        sae="<results>/sae/{model}/seed{seed}/{sae}/sae.json",
        history="<results>/sae/{model}/seed{seed}/{sae}/history.csv",
        metrics="<results>/sae/{model}/seed{seed}/{sae}/metrics.csv",
    log:
        "<results>/logs/fit_sae/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/fit_sae/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: max(sae.threads for sae in CONFIG.sae.values())
    resources:
        mem_mb=3000,
        runtime=480,
    params:
        folder=subpath(output.weights, parent=True),
        settings=lambda wildcards: CONFIG.sae[wildcards.sae].model_dump_json(),
    message:
        "Fitting {wildcards.sae} on {wildcards.model}, seed {wildcards.seed}"
    shell:
        "python -m glasscortex fit-sae --activations {input.activations:q} "
        "--manifest {input.manifest:q} "
        "--model {wildcards.model} --seed {wildcards.seed} --name {wildcards.sae:q} "
        "--settings {params.settings:q} --folder {params.folder:q} 2>&1 | tee {log:q}"


rule splice:
    input:
        decoder_weights="<results>/decoder/{model}/seed{seed}/weights.safetensors",
        decoder="<results>/decoder/{model}/seed{seed}/decoder.json",
        weights="<results>/sae/{model}/seed{seed}/{sae}/weights.safetensors",
        sae="<results>/sae/{model}/seed{seed}/{sae}/sae.json",
        trials="<results>/trials.parquet",
        windows=of_sessions("<results>/windows/{session}.h5"),
        code=code("sae.splice"),
    output:
        table="<results>/sae/{model}/seed{seed}/{sae}/splice.csv",
    log:
        "<results>/logs/splice/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/splice/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: CONFIG.splice.threads
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        windows=CONFIG.results / "windows",
        decoder=subpath(input.decoder, parent=True),
        sae=subpath(input.sae, parent=True),
        settings=CONFIG.splice.model_dump_json(),
    message:
        "Splicing {wildcards.sae} into {wildcards.model}, seed {wildcards.seed}"
    shell:
        "python -m glasscortex splice --decoder {params.decoder:q} "
        "--sae-folder {params.sae:q} --trials {input.trials:q} --windows {params.windows:q} "
        "--model {wildcards.model} --seed {wildcards.seed} --name {wildcards.sae:q} "
        "--settings {params.settings:q} --out {output.table:q} 2>&1 | tee {log:q}"
