"""Tables and figures."""

# Figures of single units show the first autoencoder of the first trained decoder.
SHOWN = next(iter(CONFIG.sae))
SHOWN_SAE = f"<results>/sae/trained/seed{SEEDS[0]}/{SHOWN}"
SHOWN_ACTIVATIONS = f"<results>/activations/trained/seed{SEEDS[0]}/{CONFIG.sae[SHOWN].hook}"


rule concatenate:
    input:
        parts=lambda wildcards: parts_of(wildcards.table),
        code=code("stages.concatenate"),
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
    resources:
        mem_mb=500,
        runtime=10,
    message:
        "Joining the parts of the table {wildcards.table}"
    shell:
        stage("concatenate")


rule claims:
    input:
        **{
            table: f"<results>/tables/{table}.csv"
            for table in ("decoding", "comparison", "sae", "splice", "selectivity", "ablation")
        },
        recovery="<results>/tables/recovery.csv" if SIMULATED else [],
        sessions="<results>/sessions.csv",
        code=code("stages.claims"),
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
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        config=CONFIG.selectivity.model_dump_json(),
    message:
        "Holding the claims against the tables"
    shell:
        stage("claims")


rule figure:
    input:
        tables=lambda wildcards: tables_of(wildcards.figure),
        code=lambda wildcards: code("stages.figure", f"figures.{wildcards.figure}"),
    output:
        svg=report(
            "<results>/figures/{figure}.svg", caption="../report/figure.rst", category="Figures"
        ),
        png="<results>/figures/{figure}.png",
    log:
        "<results>/logs/figure/{figure}.log",
    benchmark:
        "<results>/benchmarks/figure/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(name for name in FIGURES if name != "selectivity"),
    conda:
        "../../envs/glasscortex.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Drawing the figure {wildcards.figure}"
    shell:
        stage("figure")


# Made on request: snakemake results/figures/quality/<session>.png
rule figure_session:
    input:
        nwb=ancient(of_session("<results>/raw/{session}.nwb")),
        store=ancient(of_session("<results>/preprocessed/{session}.zarr")),
        manifest=of_session("<results>/preprocessed/{session}.manifest.json"),
        quality=of_session("<results>/quality/{session}.csv"),
        code=code("stages.figure_session"),
    output:
        png="<results>/figures/quality/{session}.png",
    log:
        "<results>/logs/figure/quality-{session}.log",
    benchmark:
        "<results>/benchmarks/figure/quality-{session}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Drawing session {wildcards.session}"
    shell:
        stage("figure_session")


rule figure_selectivity:
    input:
        selectivity="<results>/tables/selectivity.csv",
        weights=f"{SHOWN_SAE}/weights.safetensors",
        sae=f"{SHOWN_SAE}/sae.json",
        activations=ancient(f"{SHOWN_ACTIVATIONS}.zarr"),
        manifest=f"{SHOWN_ACTIVATIONS}.manifest.json",
        trials="<results>/trials.parquet",
        sessions="<results>/sessions.csv",
        code=code("stages.figure_selectivity"),
    output:
        svg=report(
            "<results>/figures/selectivity.svg",
            caption="../report/figure.rst",
            category="Figures",
        ),
        png="<results>/figures/selectivity.png",
    log:
        "<results>/logs/figure/selectivity.log",
    benchmark:
        "<results>/benchmarks/figure/selectivity.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        folder=subpath(input.sae, parent=True),
    message:
        "Drawing what the units stand for"
    shell:
        stage("figure_selectivity")
