# A task's examples, checked and tokenised once for all runs, and first of all: what is wrong with the
# data of any task is reported before anything is trained.
rule task_data:
    input:
        base=PATHS.base,
        files=lambda wildcards: as_inputs(
            files.task_files(
                STUDY.config.data, STUDY.definition(wildcards.task), wildcards.task
            )
        ),
    output:
        tokens=PATHS.tokens,
        examples=PATHS.examples,
        manifest=f"{PATHS.data}/{manifests.NAME}",
    log:
        f"{PATHS.logs}/task_data/{{task}}.log",
    benchmark:
        f"{PATHS.benchmarks}/task_data/{{task}}.tsv"
    priority: 1
    # On a cluster, only the login node may reach the hub.
    localrule: STUDY.config.data.source == "hub"
    conda:
        TRAIN
    threads: RESOURCES["task_data"].threads
    resources:
        **needs(RESOURCES["task_data"]),
    params:
        code=CODE.job("data"),
        settings=lambda wildcards: as_json(
            settings.task_data_settings(STUDY, wildcards.task)
        ),
    message:
        "data of {wildcards.task}"
    shell:
        command(
            "data",
            "--base {input.base:q} --tokens {output.tokens:q} --examples {output.examples:q}"
            " --manifest {output.manifest:q}",
        )
