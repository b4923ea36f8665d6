"""glasscortex: from two-photon recordings to what the units of a neural decoder stand for."""

from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


configfile: f"{workflow.basedir}/config.yaml"


include: "workflow/rules/common.smk"


pathvars:
    results=str(CONFIG.results),


wildcard_constraints:
    session=r"[^/]+",
    model="|".join(MODELS),
    seed=r"\d+",
    hook=HOOK,
    sae=r"[^/]+",


localrules:
    all,
    combine,
    concatenate,
    concatenate_sessions,


rule all:
    input:
        expand("<results>/tables/{table}.csv", table=TABLES),
        expand("<results>/figures/{figure}.{suffix}", figure=FIGURES, suffix=["svg", "png"]),
        "<results>/browser/index.html",
        "<results>/report.html",


include: "workflow/rules/data.smk"
include: "workflow/rules/decoder.smk"
include: "workflow/rules/sae.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/report.smk"


onsuccess:
    shell(
        "python -m glasscortex summary --results {RESULTS:q} --since {STARTED}",
        RESULTS=CONFIG.results,
        STARTED=STARTED,
    )
