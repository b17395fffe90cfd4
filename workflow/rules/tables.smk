# Tables: seconds each, so they run where Snakemake runs.
rule table1:
    input:
        runs=files_of(STUDY.runs_of_table1(), "metrics.json", "predictions.parquet"),
        expected=expected_of("table1", settings.table1_settings, STUDY.runs_of_table1()),
    output:
        csv=report(
            TABLE1,
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "Table 1, data (CSV)"},
        ),
        markdown=f"{RESULTS}/table1.md",
        latex=f"{RESULTS}/table1.tex",
    log:
        f"{LOGS}/table1.log",
    benchmark:
        f"{BENCHMARKS}/table1.tsv"
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["tables"]["threads"]
    resources:
        **needs(RESOURCES["tables"]),
    params:
        code=stage_code("table1"),
        settings=lambda wildcards: settings.as_json(settings.table1_settings(STUDY)),
        runs=lambda wildcards: folders(STUDY.runs_of_table1()),
    message:
        "Table 1"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.table1"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule table2:
    input:
        runs=files_of(
            analysis.table2_runs(STUDY), "metrics.json", "predictions.parquet"
        ),
        expected=expected_of(
            "table2", analysis_settings.table2_settings, analysis.table2_runs(STUDY)
        ),
    output:
        csv=report(
            f"{RESULTS}/table2.csv",
            caption="../report/table2.rst",
            category="Tables",
            labels={"table": "Table 2, data (CSV)"},
        ),
        markdown=f"{RESULTS}/table2.md",
        latex=f"{RESULTS}/table2.tex",
    log:
        f"{LOGS}/table2.log",
    benchmark:
        f"{BENCHMARKS}/table2.tsv"
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["tables"]["threads"]
    resources:
        **needs(RESOURCES["tables"]),
    params:
        code=stage_code("table2"),
        settings=lambda wildcards: settings.as_json(
            analysis_settings.table2_settings(STUDY)
        ),
        runs=lambda wildcards: folders(analysis.table2_runs(STUDY)),
    message:
        "Table 2"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.table2"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule table3:
    input:
        runs=files_of(
            analysis.comparison_runs(STUDY, STUDY.table1_tasks),
            "metrics.json",
            "predictions.parquet",
        ),
        expected=expected_of(
            "table3",
            analysis_settings.table3_settings,
            analysis.comparison_runs(STUDY, STUDY.table1_tasks),
        ),
    output:
        csv=report(
            f"{RESULTS}/table3.csv",
            caption="../report/table3.rst",
            category="Tables",
            labels={"table": "Table 3, data (CSV)"},
        ),
        markdown=f"{RESULTS}/table3.md",
        latex=f"{RESULTS}/table3.tex",
    log:
        f"{LOGS}/table3.log",
    benchmark:
        f"{BENCHMARKS}/table3.tsv"
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["tables"]["threads"]
    resources:
        **needs(RESOURCES["tables"]),
    params:
        code=stage_code("table3"),
        settings=lambda wildcards: settings.as_json(
            analysis_settings.table3_settings(STUDY)
        ),
        runs=lambda wildcards: folders(
            analysis.comparison_runs(STUDY, STUDY.table1_tasks)
        ),
    message:
        "Table 3"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.table3"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule table4:
    input:
        runs=files_of(
            analysis.comparison_runs(STUDY, STUDY.table1_tasks),
            "metrics.json",
            "predictions.parquet",
        ),
        examples=examples_of(STUDY.table1_tasks),
        expected=expected_of(
            "table4",
            analysis_settings.table4_settings,
            analysis.comparison_runs(STUDY, STUDY.table1_tasks),
            examples=STUDY.table1_tasks,
        ),
    output:
        csv=report(
            f"{RESULTS}/table4.csv",
            caption="../report/table4.rst",
            category="Tables",
            labels={"table": "Table 4, data (CSV)"},
        ),
        markdown=f"{RESULTS}/table4.md",
        latex=f"{RESULTS}/table4.tex",
    log:
        f"{LOGS}/table4.log",
    benchmark:
        f"{BENCHMARKS}/table4.tsv"
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["tables"]["threads"]
    resources:
        **needs(RESOURCES["tables"]),
    params:
        code=stage_code("table4"),
        settings=lambda wildcards: settings.as_json(
            analysis_settings.table4_settings(STUDY)
        ),
        runs=lambda wildcards: folders(
            analysis.comparison_runs(STUDY, STUDY.table1_tasks)
        ),
    message:
        "Table 4"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.table4"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --examples {input.examples:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


# Made only where the study has experiments with `reading_of`.
rule readings:
    input:
        runs=files_of(
            analysis.readings_runs(STUDY), "metrics.json", "predictions.parquet"
        ),
        expected=expected_of(
            "readings",
            analysis_settings.readings_settings,
            analysis.readings_runs(STUDY),
        ),
    output:
        csv=report(
            f"{RESULTS}/readings.csv",
            caption="../report/readings.rst",
            category="Tables",
            labels={"table": "Readings, data (CSV)"},
        ),
        markdown=f"{RESULTS}/readings.md",
        latex=f"{RESULTS}/readings.tex",
    log:
        f"{LOGS}/readings.log",
    benchmark:
        f"{BENCHMARKS}/readings.tsv"
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["tables"]["threads"]
    resources:
        **needs(RESOURCES["tables"]),
    params:
        code=stage_code("readings"),
        settings=lambda wildcards: settings.as_json(
            analysis_settings.readings_settings(STUDY)
        ),
        runs=lambda wildcards: folders(analysis.readings_runs(STUDY)),
    message:
        "Readings of the paper"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.readings"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule submission:
    input:
        runs=files_of(
            analysis.table2_runs(STUDY), "metrics.json", "predictions.parquet"
        ),
        examples=examples_of(STUDY.table1_tasks),
        expected=expected_of(
            "glue_submission",
            analysis_settings.submission_settings,
            analysis.table2_runs(STUDY),
            examples=STUDY.table1_tasks,
            stage="submission",
        ),
    output:
        chosen=f"{RESULTS}/glue_submission.zip",
        standard=f"{RESULTS}/glue_submission_{STUDY.standard.name}.zip",
        teacher=f"{RESULTS}/glue_submission_{STUDY.teacher.name}.zip",
        markdown=f"{RESULTS}/glue_submission.md",
    log:
        f"{LOGS}/submission.log",
    benchmark:
        f"{BENCHMARKS}/submission.tsv"
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["tables"]["threads"]
    resources:
        **needs(RESOURCES["tables"]),
    params:
        code=stage_code("submission"),
        settings=lambda wildcards: settings.as_json(
            analysis_settings.submission_settings(STUDY)
        ),
        runs=lambda wildcards: folders(analysis.table2_runs(STUDY)),
    message:
        "Submissions to the GLUE server"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.submission"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --examples {input.examples:q} --out {output.chosen:q}"
        " --expected {input.expected:q} --files {output:q}"
