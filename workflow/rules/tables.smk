# Tables: seconds each, so they run where Snakemake runs.
rule table1:
    input:
        metrics=[f"{run.path(RESULTS)}/metrics.json" for run in STUDY.runs_of_table1()],
    output:
        csv=report(TABLE1, caption="../report/table1.rst", category="Tables"),
        markdown=f"{RESULTS}/table1.md",
        latex=f"{RESULTS}/table1.tex",
    log:
        f"{LOGS}/table1.log",
    benchmark:
        f"{BENCHMARKS}/table1.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: RESOURCES["table1"]["threads"]
    resources:
        gpu=RESOURCES["table1"]["gpu"],
        mem_mb=RESOURCES["table1"]["mem_mb"],
        runtime=RESOURCES["table1"]["runtime"],
    params:
        code=stage_code("table1"),
        settings=settings.as_json(settings.table1_settings(STUDY)),
    message:
        "Table 1"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu} python -m internal_kd.stages.table1"
        " --log {log} --code {params.code} --settings {params.settings:q}"
        " --metrics {input.metrics} --out {output.csv}"
