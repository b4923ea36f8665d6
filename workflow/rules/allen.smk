"""From the Allen Brain Observatory's servers. Nothing else needs the network.

What was fetched does not depend on the code that fetched it, so that code is no input here.
"""

from snakemake.settings.types import DeploymentMethod

CLIENT_SCRIPT = os.path.relpath(Path(workflow.basedir, "workflow/scripts/allensdk_client.py"))
if CONFIG.allen.route == "s3":
    CLIENT, CLIENT_ENVIRONMENT = "python -m glasscortex", "../../envs/glasscortex.yaml"
else:
    CLIENT_ENVIRONMENT = "../../envs/allensdk.yaml"
    if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
        CLIENT = f"python {shlex.quote(CLIENT_SCRIPT)}"
    else:
        CLIENT = f"uv run --quiet --script {shlex.quote(CLIENT_SCRIPT)}"


rule catalogue:
    output:
        experiments="<results>/allen/ophys_experiments.json",
        containers="<results>/allen/experiment_containers.json",
    log:
        "<results>/logs/catalogue.log",
    benchmark:
        "<results>/benchmarks/catalogue.tsv"
    localrule: True
    conda:
        CLIENT_ENVIRONMENT
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        config=CONFIG.allen.model_dump_json(),
    message:
        "Fetching the tables of sessions"
    shell:
        stage("catalogue", program=CLIENT)


rule download:
    output:
        nwb="<results>/raw/{session}.nwb",
        record="<results>/raw/{session}.json",
    log:
        "<results>/logs/download/{session}.log",
    benchmark:
        "<results>/benchmarks/download/{session}.tsv"
    localrule: True
    conda:
        CLIENT_ENVIRONMENT
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(240),
        downloads=1,
    params:
        cache=CONFIG.allen.cache or CONFIG.results / "downloads",
        config=CONFIG.allen.model_dump_json(),
    message:
        "Downloading session {wildcards.session}"
    shell:
        stage("download", program=CLIENT)
