# Significance and claims: minutes of CPU time, no GPU.
rule significance:
    input:
        runs=files_of(
            analysis.significance_runs(STUDY), "metrics.json", "predictions.parquet"
        ),
        expected=expected_of(
            "significance",
            analysis_settings.significance_settings,
            analysis.significance_runs(STUDY),
        ),
    output:
        csv=report(
            f"{RESULTS}/significance.csv",
            caption="../report/significance.rst",
            category="Claims and significance",
            labels={"table": "Significance, data (CSV)"},
        ),
        markdown=f"{RESULTS}/significance.md",
        latex=f"{RESULTS}/significance.tex",
    log:
        f"{LOGS}/significance.log",
    benchmark:
        f"{BENCHMARKS}/significance.tsv"
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["statistics"]["threads"]
    resources:
        **needs(RESOURCES["statistics"]),
    params:
        code=stage_code("significance"),
        settings=lambda wildcards: settings.as_json(
            analysis_settings.significance_settings(STUDY)
        ),
        runs=lambda wildcards: folders(analysis.significance_runs(STUDY)),
    message:
        "Internal against standard KD: significance"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.significance"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule claims:
    input:
        runs=files_of(
            analysis.claims_runs(STUDY),
            "metrics.json",
            "predictions.parquet",
            "history.csv",
        ),
        distances=distances_of(analysis.attention_runs(STUDY)),
        expected=expected_of(
            "claims",
            analysis_settings.claims_settings,
            analysis.claims_runs(STUDY),
            distances=analysis.attention_runs(STUDY),
        ),
    output:
        csv=report(
            f"{RESULTS}/claims.csv",
            caption="../report/claims.rst",
            category="Claims and significance",
            labels={"table": "Claims, data (CSV)"},
        ),
        markdown=f"{RESULTS}/claims.md",
    log:
        f"{LOGS}/claims.log",
    benchmark:
        f"{BENCHMARKS}/claims.tsv"
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["statistics"]["threads"]
    resources:
        **needs(RESOURCES["statistics"]),
    params:
        code=stage_code("claims"),
        settings=lambda wildcards: settings.as_json(
            analysis_settings.claims_settings(STUDY)
        ),
        runs=lambda wildcards: folders(analysis.claims_runs(STUDY)),
    message:
        "Claims of the paper"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.claims"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --distances {input.distances:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"
