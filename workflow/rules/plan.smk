# What a study costs. It makes no file that Snakemake knows of, because it tells how things are at
# this moment: it is done whenever it is asked for, and waits for nothing.
rule plan:
    log:
        f"{LOGS}/plan.log",
    benchmark:
        f"{BENCHMARKS}/plan.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: RESOURCES["report"]["threads"]
    resources:
        gpu=RESOURCES["report"]["gpu"],
        mem_mb=RESOURCES["report"]["mem_mb"],
        runtime=RESOURCES["report"]["runtime"],
    params:
        code=stage_code("plan"),
        settings=lambda wildcards: settings.as_json(seen_from_outside()),
        snakefile=os.path.relpath(workflow.main_snakefile),
        out=f"{RESULTS}/plan.csv",
    message:
        "costs of what is to be done"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu} python -m internal_kd.stages.plan"
        " --log {log} --code {params.code} --settings {params.settings:q}"
        " --snakefile {params.snakefile:q} --out {params.out}"
