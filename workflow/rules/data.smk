# A task's examples, checked and tokenised once for all runs, and first of all: what is wrong with the
# data of any task is reported before anything is trained.
rule task_data:
    input:
        base=BASE_MODEL,
        files=task_files,
    output:
        tokens=TOKENS,
        examples=EXAMPLES,
        manifest=DATA_MANIFEST,
    log:
        f"{LOGS}/task_data/{{task}}.log",
    benchmark:
        f"{BENCHMARKS}/task_data/{{task}}.tsv"
    priority: 1
    # On a cluster, only the login node may reach the hub.
    localrule: STUDY.config.data.source == "hub"
    conda:
        environment("../../envs/train.yaml")
    threads: RESOURCES["task_data"].threads
    resources:
        **needs(RESOURCES["task_data"]),
    params:
        code=stage_code("data", without=UNUSED_BY_DATA),
        settings=task_data_settings,
    message:
        "data of {wildcards.task}"
    shell:
        command(
            "data",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q}"
            " --base {input.base:q} --tokens {output.tokens:q} --examples {output.examples:q}"
            " --manifest {output.manifest:q}",
        )
