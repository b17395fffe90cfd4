# Figures by kind; which ones there are is data of the study. Seconds each, so they run where Snakemake runs.
rule figure_parameters:
    input:
        runs=lambda wildcards: files_of(
            analysis.layer_sweep_runs(STUDY, FIGURE[wildcards.figure].task),
            "metrics.json",
        ),
        expected=expected_of_figure,
    output:
        csv=f"{FIGURES}/{{figure}}.csv",
        pdf=f"{FIGURES}/{{figure}}.pdf",
        png=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/figure_parameters.rst",
            category="Figures",
            subcategory="Score against parameters",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figure_names("parameters"),
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["figures"]["threads"]
    resources:
        **needs(RESOURCES["figures"]),
    params:
        code=stage_code("figure_parameters"),
        settings=figure_settings,
        runs=lambda wildcards: folders(
            analysis.layer_sweep_runs(STUDY, FIGURE[wildcards.figure].task)
        ),
    message:
        "{wildcards.figure}: score against parameters"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.figure_parameters"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule figure_data_size:
    input:
        runs=lambda wildcards: files_of(
            analysis.size_sweep_runs(STUDY, FIGURE[wildcards.figure].task),
            "metrics.json",
        ),
        expected=expected_of_figure,
    output:
        csv=f"{FIGURES}/{{figure}}.csv",
        pdf=f"{FIGURES}/{{figure}}.pdf",
        png=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/figure_data_size.rst",
            category="Figures",
            subcategory="Score against training size",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figure_names("data_size"),
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["figures"]["threads"]
    resources:
        **needs(RESOURCES["figures"]),
    params:
        code=stage_code("figure_data_size"),
        settings=figure_settings,
        runs=lambda wildcards: folders(
            analysis.size_sweep_runs(STUDY, FIGURE[wildcards.figure].task)
        ),
    message:
        "{wildcards.figure}: score against training size"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.figure_data_size"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule figure_convergence:
    input:
        runs=lambda wildcards: files_of(
            analysis.convergence_runs(STUDY, FIGURE[wildcards.figure]),
            "metrics.json",
            "history.csv",
        ),
        expected=expected_of_figure,
    output:
        csv=f"{FIGURES}/{{figure}}.csv",
        pdf=f"{FIGURES}/{{figure}}.pdf",
        png=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/figure_convergence.rst",
            category="Figures",
            subcategory="Convergence",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figure_names("convergence"),
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["figures"]["threads"]
    resources:
        **needs(RESOURCES["figures"]),
    params:
        code=stage_code("figure_convergence"),
        settings=figure_settings,
        runs=lambda wildcards: folders(
            analysis.convergence_runs(STUDY, FIGURE[wildcards.figure])
        ),
    message:
        "{wildcards.figure}: convergence"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.figure_convergence"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule figure_attention:
    input:
        maps=maps_of,
        expected=expected_of_figure,
    output:
        csv=f"{FIGURES}/{{figure}}.csv",
        pdf=f"{FIGURES}/{{figure}}.pdf",
        png=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/figure_attention.rst",
            category="Figures",
            subcategory="Attention of one head",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figure_names("attention"),
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["figures"]["threads"]
    resources:
        **needs(RESOURCES["figures"]),
    params:
        code=stage_code("figure_attention"),
        settings=figure_settings,
    message:
        "{wildcards.figure}: attention of one head"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.figure_attention"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --maps {input.maps:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule figure_heads:
    input:
        maps=maps_of,
        expected=expected_of_figure,
    output:
        csv=f"{FIGURES}/{{figure}}.csv",
        pdf=f"{FIGURES}/{{figure}}.pdf",
        png=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/figure_heads.rst",
            category="Figures",
            subcategory="Attention of all layers",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figure_names("heads"),
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["figures"]["threads"]
    resources:
        **needs(RESOURCES["figures"]),
    params:
        code=stage_code("figure_heads"),
        settings=figure_settings,
    message:
        "{wildcards.figure}: attention of all layers"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.figure_heads"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --maps {input.maps:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule figure_attention_kl:
    input:
        distances=distances_of(analysis.attention_runs(STUDY)),
        expected=expected_of_figure,
    output:
        csv=f"{FIGURES}/{{figure}}.csv",
        pdf=f"{FIGURES}/{{figure}}.pdf",
        png=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/figure_attention_kl.rst",
            category="Figures",
            subcategory="Distances from the teacher",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figure_names("attention_kl"),
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["figures"]["threads"]
    resources:
        **needs(RESOURCES["figures"]),
    params:
        code=stage_code("figure_attention_kl"),
        settings=figure_settings,
    message:
        "{wildcards.figure}: distances from the teacher"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.figure_attention_kl"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --distances {input.distances:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"


rule figure_calibration:
    input:
        runs=files_of(
            analysis.comparison_runs(STUDY, STUDY.table1_tasks),
            "metrics.json",
            "predictions.parquet",
        ),
        expected=expected_of_figure,
    output:
        csv=f"{FIGURES}/{{figure}}.csv",
        summary=f"{FIGURES}/{{figure}}_summary.csv",
        pdf=f"{FIGURES}/{{figure}}.pdf",
        png=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/figure_calibration.rst",
            category="Figures",
            subcategory="Calibration",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figure_names("calibration"),
    localrule: True
    conda:
        environment("../../envs/analysis.yaml")
    threads: RESOURCES["figures"]["threads"]
    resources:
        **needs(RESOURCES["figures"]),
    params:
        code=stage_code("figure_calibration"),
        settings=figure_settings,
        runs=lambda wildcards: folders(
            analysis.comparison_runs(STUDY, STUDY.table1_tasks)
        ),
    message:
        "{wildcards.figure}: calibration"
    shell:
        "INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages.figure_calibration"
        " --log {log:q} --code {params.code:q} --settings {params.settings:q}"
        " --runs {params.runs:q} --out {output.csv:q}"
        " --expected {input.expected:q} --files {output:q}"
