"""Tables and figures."""

# Figures of single units show the first autoencoder of the first trained decoder.
SHOWN = next(iter(CONFIG.sae))
SHOWN_SAE = f"<results>/sae/trained/seed{SEEDS[0]}/{SHOWN}"
SHOWN_ACTIVATIONS = f"<results>/activations/trained/seed{SEEDS[0]}/{CONFIG.sae[SHOWN].hook}"


rule concatenate:
    input:
        parts=lambda wildcards: parts_of(wildcards.table),
        code=code("tables"),
    output:
        table=report(
            "<results>/tables/{table}.csv", caption="../report/tables.rst", category="Tables"
        ),
    log:
        "<results>/logs/concatenate/{table}.log",
    benchmark:
        "<results>/benchmarks/concatenate/{table}.tsv"
    wildcard_constraints:
        table="|".join(["quality", "decoding", "history", "adaptation", "sae", *SAE_TABLES]),
    localrule: True
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    message:
        "Joining the parts of the table {wildcards.table}"
    shell:
        "python -m glasscortex concatenate {input.parts:q} --out {output.table:q} 2>&1 | tee {log:q}"


rule claims:
    input:
        **{
            table: f"<results>/tables/{table}.csv"
            for table in ("decoding", "comparison", "sae", *SAE_TABLES)
        },
        sessions="<results>/sessions.csv",
        code=code("analysis.claims"),
    output:
        table=report(
            "<results>/tables/claims.csv", caption="../report/tables.rst", category="Tables"
        ),
    log:
        "<results>/logs/claims.log",
    benchmark:
        "<results>/benchmarks/claims.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        recovery=lambda wildcards, input: ["--recovery", input.recovery] if SIMULATED else [],
        settings=CONFIG.selectivity.model_dump_json(),
    message:
        "Holding the claims against the tables"
    shell:
        "python -m glasscortex claims --decoding {input.decoding:q} --comparison {input.comparison:q} "
        "--sae {input.sae:q} --splice {input.splice:q} --selectivity {input.selectivity:q} "
        "--ablation {input.ablation:q} {params.recovery:q} --sessions {input.sessions:q} "
        "--settings {params.settings:q} --out {output.table:q} 2>&1 | tee {log:q}"


rule figure_quality:
    input:
        quality="<results>/tables/quality.csv",
        code=code("figures.quality"),
    output:
        svg=report(
            "<results>/figures/quality.svg", caption="../report/quality.rst", category="Figures"
        ),
        png="<results>/figures/quality.png",
    log:
        "<results>/logs/figure/quality.log",
    benchmark:
        "<results>/benchmarks/figure/quality.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Drawing the quality of all sessions"
    shell:
        "python -m glasscortex figure quality --quality {input.quality:q} "
        "--svg {output.svg:q} --png {output.png:q} 2>&1 | tee {log:q}"


# Made on request: snakemake results/figures/quality/<session>.png
rule figure_session:
    input:
        nwb=ancient(of_session("<results>/raw/{session}.nwb")),
        store=ancient(of_session("<results>/preprocessed/{session}.zarr")),
        manifest=of_session("<results>/preprocessed/{session}.manifest.json"),
        quality=of_session("<results>/quality/{session}.csv"),
        code=code("figures.session"),
    output:
        png="<results>/figures/quality/{session}.png",
    log:
        "<results>/logs/figure/quality-{session}.log",
    benchmark:
        "<results>/benchmarks/figure/quality-{session}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Drawing session {wildcards.session}"
    shell:
        "python -m glasscortex figure session --nwb {input.nwb:q} --store {input.store:q} "
        "--manifest {input.manifest:q} --quality {input.quality:q} --png {output.png:q} "
        "2>&1 | tee {log:q}"


rule figure_decoding:
    input:
        decoding="<results>/tables/decoding.csv",
        splice="<results>/tables/splice.csv",
        code=code("figures.decoding"),
    output:
        svg=report(
            "<results>/figures/decoding.svg", caption="../report/decoding.rst", category="Figures"
        ),
        png="<results>/figures/decoding.png",
    log:
        "<results>/logs/figure/decoding.log",
    benchmark:
        "<results>/benchmarks/figure/decoding.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Drawing what each decoder reads"
    shell:
        "python -m glasscortex figure decoding --decoding {input.decoding:q} "
        "--splice {input.splice:q} --svg {output.svg:q} --png {output.png:q} "
        "2>&1 | tee {log:q}"


rule figure_selectivity:
    input:
        selectivity="<results>/tables/selectivity.csv",
        weights=f"{SHOWN_SAE}/weights.safetensors",
        sae=f"{SHOWN_SAE}/sae.json",
        activations=ancient(f"{SHOWN_ACTIVATIONS}.zarr"),
        manifest=f"{SHOWN_ACTIVATIONS}.manifest.json",
        trials="<results>/trials.parquet",
        sessions="<results>/sessions.csv",
        code=code("figures.selectivity"),
    output:
        svg=report(
            "<results>/figures/selectivity.svg",
            caption="../report/selectivity.rst",
            category="Figures",
        ),
        png="<results>/figures/selectivity.png",
    log:
        "<results>/logs/figure/selectivity.log",
    benchmark:
        "<results>/benchmarks/figure/selectivity.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        sae=subpath(input.sae, parent=True),
    message:
        "Drawing what the units stand for"
    shell:
        "python -m glasscortex figure selectivity --selectivity {input.selectivity:q} "
        "--sae-folder {params.sae:q} --activations {input.activations:q} "
        "--manifest {input.manifest:q} --trials {input.trials:q} "
        "--sessions {input.sessions:q} --svg {output.svg:q} --png {output.png:q} "
        "2>&1 | tee {log:q}"


rule figure_ablation:
    input:
        ablation="<results>/tables/ablation.csv",
        code=code("figures.ablation"),
    output:
        svg=report(
            "<results>/figures/ablation.svg", caption="../report/ablation.rst", category="Figures"
        ),
        png="<results>/figures/ablation.png",
    log:
        "<results>/logs/figure/ablation.log",
    benchmark:
        "<results>/benchmarks/figure/ablation.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Drawing what is lost with the units"
    shell:
        "python -m glasscortex figure ablation --ablation {input.ablation:q} "
        "--svg {output.svg:q} --png {output.png:q} 2>&1 | tee {log:q}"


rule figure_controls:
    input:
        selectivity="<results>/tables/selectivity.csv",
        code=code("figures.controls"),
    output:
        svg=report(
            "<results>/figures/controls.svg", caption="../report/controls.rst", category="Figures"
        ),
        png="<results>/figures/controls.png",
    log:
        "<results>/logs/figure/controls.log",
    benchmark:
        "<results>/benchmarks/figure/controls.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Drawing the selectivity of trained and control decoders"
    shell:
        "python -m glasscortex figure controls --selectivity {input.selectivity:q} "
        "--svg {output.svg:q} --png {output.png:q} 2>&1 | tee {log:q}"


rule figure_training:
    input:
        history="<results>/tables/history.csv",
        code=code("figures.training"),
    output:
        svg=report(
            "<results>/figures/training.svg", caption="../report/training.rst", category="Figures"
        ),
        png="<results>/figures/training.png",
    log:
        "<results>/logs/figure/training.log",
    benchmark:
        "<results>/benchmarks/figure/training.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Drawing the loss of each decoder"
    shell:
        "python -m glasscortex figure training --history {input.history:q} "
        "--svg {output.svg:q} --png {output.png:q} 2>&1 | tee {log:q}"
