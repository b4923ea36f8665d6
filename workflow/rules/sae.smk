"""Activations of the transformer, and the autoencoders fitted on them."""

RECORDED = {"activations": ancient(of_hook(".zarr")), "manifest": of_hook(".manifest.json")}
DICTIONARY = {
    "weights": "<results>/sae/{model}/seed{seed}/{sae}/weights.safetensors",
    "sae": "<results>/sae/{model}/seed{seed}/{sae}/sae.json",
}


rule activations:
    input:
        **DECODER,
        code=code("stages.activations"),
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
        mem_mb=by_attempt(3000),
        runtime=by_attempt(240),
    params:
        windows=CONFIG.results / "windows",
        decoder=subpath(input.decoder, parent=True),
    message:
        "Recording {wildcards.hook} of {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("activations")


rule fit_sae:
    input:
        **(RECORDED | DECODER),
        code=code("stages.fit_sae"),
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
        mem_mb=by_attempt(3000),
        runtime=by_attempt(480),
    params:
        decoder=subpath(input.decoder, parent=True),
        windows=CONFIG.results / "windows",
        folder=subpath(output.weights, parent=True),
        config=lambda wildcards: CONFIG.sae[wildcards.sae].model_dump_json(),
    message:
        "Fitting {wildcards.sae} on {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("fit_sae")


rule responses:
    input:
        **DICTIONARY,
        **RECORDED,
        code=code("stages.responses"),
    output:
        responses=directory("<results>/sae/{model}/seed{seed}/{sae}/responses.zarr"),
        checksums="<results>/sae/{model}/seed{seed}/{sae}/responses.manifest.json",
    log:
        "<results>/logs/responses/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/responses/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(3000),
        runtime=by_attempt(240),
    params:
        folder=subpath(input.sae, parent=True),
    message:
        "Writing the responses of {wildcards.sae} in {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("responses")


rule splice:
    input:
        **DECODER,
        **DICTIONARY,
        sessions="<results>/sessions.csv",
        code=code("stages.splice"),
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
        mem_mb=by_attempt(4000),
        runtime=by_attempt(240),
    params:
        windows=CONFIG.results / "windows",
        decoder=subpath(input.decoder, parent=True),
        folder=subpath(input.sae, parent=True),
        config=CONFIG.splice.model_dump_json(),
    message:
        "Splicing {wildcards.sae} into {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("splice")
