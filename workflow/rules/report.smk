"""Tables and figures."""


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
        table="|".join(
            ["decoding", "confusion", "history", "adaptation", *SAE_TABLES, *STABILITY_TABLES]
        ),
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(10),
    message:
        "Joining the parts of the table {wildcards.table}"
    shell:
        stage("concatenate")


# By a folder and a table: no command line holds the names of a thousand files.
rule concatenate_sessions:
    input:
        parts=lambda wildcards: of_sessions(
            f"<results>/{wildcards.table}/{{session}}.csv",
            (False, True) if OF_SESSIONS[wildcards.table] == "all" else (False,),
        )(wildcards),
        sessions="<results>/sessions.csv",
        code=code("stages.concatenate_sessions"),
    output:
        table=report(
            "<results>/tables/{table}.csv", caption="../report/tables.rst", category="Tables"
        ),
    log:
        "<results>/logs/concatenate/{table}.log",
    benchmark:
        "<results>/benchmarks/concatenate/{table}.tsv"
    wildcard_constraints:
        table="|".join(OF_SESSIONS),
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(10),
    params:
        parts=lambda wildcards: CONFIG.results / wildcards.table,
        which=lambda wildcards: json.dumps(OF_SESSIONS[wildcards.table]),
    message:
        "Joining the sessions' parts of the table {wildcards.table}"
    shell:
        stage("concatenate_sessions")


rule dictionaries:
    input:
        **{
            table: f"<results>/tables/{table}.csv"
            for table in ("sae", "splice", "decoding", "probing")
        },
        recovery="<results>/tables/recovery.csv" if SIMULATED else [],
        code=code("stages.dictionaries"),
    output:
        table=report(
            "<results>/tables/dictionaries.csv", caption="../report/tables.rst", category="Tables"
        ),
        rivals=report(
            "<results>/tables/rivals.csv", caption="../report/tables.rst", category="Tables"
        ),
    log:
        "<results>/logs/dictionaries.log",
    benchmark:
        "<results>/benchmarks/dictionaries.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        bases=json.dumps(CONFIG.bases),
    message:
        "Holding dictionaries against bases"
    shell:
        stage("dictionaries")


rule claims:
    input:
        **{
            table: f"<results>/tables/{table}.csv"
            for table in (
                "decoding",
                "comparison",
                "sae",
                "splice",
                "selectivity",
                "recognition",
                "ablation",
            )
        },
        recovery="<results>/tables/recovery.csv" if SIMULATED else [],
        consensus="<results>/tables/consensus.csv" if STABILITY_TABLES else [],
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
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(30),
    params:
        config=CONFIG.selectivity.model_dump_json(),
    message:
        "Holding the claims against the tables"
    shell:
        stage("claims")


rule figure:
    input:
        tables=lambda wildcards: tables_of(wildcards.figure),
        code=code("stages.figure"),
        own_code=lambda wildcards: code(f"figures.{wildcards.figure}"),
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
        figure="|".join(FIGURES),
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(30),
    params:
        caption=lambda wildcards: CAPTIONS[wildcards.figure],
    message:
        "Drawing the figure {wildcards.figure}"
    shell:
        stage("figure")


rule units:
    input:
        **(DECODER | DICTIONARY | RESPONSES),
        activations=ancient(of_hook(".zarr")),
        recorded=of_hook(".manifest.json"),
        selectivity=rules.selectivity.output.table,
        ablation=of_trained("ablation.csv"),
        effects=of_trained("effects.csv"),
        reuse=of_trained("reuse.csv"),
        cells=of_trained("cells.parquet"),
        times=of_trained("times.parquet"),
        consensus="<results>/sae/{model}/{sae}/consensus.csv" if STABILITY_TABLES else [],
        code=code("stages.units"),
    output:
        data=directory("<results>/browser/data/{model}/seed{seed}/{sae}"),
    log:
        "<results>/logs/units/{model}-seed{seed}-{sae}.log",
    benchmark:
        "<results>/benchmarks/units/{model}-seed{seed}-{sae}.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(240),
    params:
        windows=CONFIG.results / "windows",
        folder=subpath(input.sae, parent=True),
        config=CONFIG.selectivity.model_dump_json(),
    message:
        "Describing the units of {wildcards.sae} in {wildcards.model}, seed {wildcards.seed}"
    shell:
        stage("units")


rule session_pages:
    input:
        **{table: f"<results>/tables/{table}.csv" for table in ("quality", "decoding", "confusion")},
        sessions="<results>/sessions.csv",
        recordings=ancient(of_sessions("<results>/raw/{session}.nwb")),
        code=code("stages.session_pages"),
    output:
        table="<results>/browser/data/sessions.js",
        data=directory("<results>/browser/data/sessions"),
    log:
        "<results>/logs/session_pages.log",
    benchmark:
        "<results>/benchmarks/session_pages.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        recordings=CONFIG.results / "raw",
    message:
        "Describing the sessions"
    shell:
        stage("session_pages")


rule browser:
    input:
        units=expand(
            "<results>/browser/data/{model}/seed{seed}/{sae}",
            model=CONFIG.models,
            seed=SEEDS,
            sae=OPENED,
        ),
        session_pages=rules.session_pages.output.data,
        sae="<results>/tables/sae.csv",
        sessions="<results>/sessions.csv",
        trials="<results>/trials.parquet",
        recordings=ancient(of_sessions("<results>/raw/{session}.nwb")),
        code=code("stages.browser") + static_files("browser"),
    output:
        page="<results>/browser/index.html",
        static=directory("<results>/browser/static"),
        catalogue="<results>/browser/data/catalogue.js",
        pictures=directory("<results>/browser/data/pictures"),
    log:
        "<results>/logs/browser.log",
    benchmark:
        "<results>/benchmarks/browser.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(120),
    params:
        recordings=CONFIG.results / "raw",
        opened=json.dumps(OPENED),
        movie_bin_s=CONFIG.trials.movie_bin_s,
    message:
        "Laying out the browser of units"
    shell:
        stage("browser")


rule report:
    input:
        **{
            table: f"<results>/tables/{table}.csv"
            for table in ("claims", "quality", "sae", "selectivity", "variables")
        },
        sessions="<results>/sessions.csv",
        figures=expand("<results>/figures/{figure}.svg", figure=FIGURES),
        browser="<results>/browser/index.html",
        code=code("stages.report"),
    output:
        page="<results>/report.html",
    log:
        "<results>/logs/report.log",
    benchmark:
        "<results>/benchmarks/report.tsv"
    conda:
        "../../envs/glasscortex.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        benchmarks=CONFIG.results / "benchmarks",
        folder=CONFIG.results / "figures",
        names=json.dumps(FIGURES),
        config=CONFIG.model_dump_json(),
    message:
        "Writing the report"
    shell:
        stage("report")


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
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(30),
    message:
        "Drawing session {wildcards.session}"
    shell:
        stage("figure_session")
