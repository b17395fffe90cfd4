# What a study costs, and how far it is. Both tell how things are at this moment and make no file that
# Snakemake knows of, not even a benchmark: they are done whenever they are asked for, and wait for nothing.
rule plan:
    log:
        f"{LOGS}/plan.log",
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["report"]["threads"]
    resources:
        gpu=RESOURCES["report"]["gpu"],
        mem_mb=RESOURCES["report"]["mem_mb"],
        runtime=RESOURCES["report"]["runtime"],
    params:
        code=stage_code("plan"),
        settings=lambda wildcards: settings.as_json(seen_from_outside()),
        snakefile=lambda wildcards: os.path.relpath(workflow.main_snakefile),
        out=f"{RESULTS}/plan.csv",
    message:
        "costs of what is to be done"
    shell:
        command(
            "plan",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q}"
            " --snakefile {params.snakefile:q} --out {params.out:q}",
        )


rule progress:
    log:
        f"{LOGS}/progress.log",
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["report"]["threads"]
    resources:
        gpu=RESOURCES["report"]["gpu"],
        mem_mb=RESOURCES["report"]["mem_mb"],
        runtime=RESOURCES["report"]["runtime"],
    params:
        code=stage_code("progress"),
        settings=lambda wildcards: settings.as_json(seen_from_outside()),
        snakefile=lambda wildcards: os.path.relpath(workflow.main_snakefile),
    message:
        "what is done, running and to do"
    shell:
        command(
            "progress",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q}"
            " --snakefile {params.snakefile:q}",
        )
