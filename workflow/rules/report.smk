# A page that shows every table and figure, and Snakemake's report: seconds each, where Snakemake runs.
TEXTS = f"{ROOT}/workflow/report"
CAPTIONS = {
    item["caption"]: f"{TEXTS}/{item['caption']}.rst"
    for section in CONTENTS["sections"]
    for item in section["items"]
}


# Snakemake's report shows HTML and pictures; a CSV file can only be downloaded from it.
rule index:
    input:
        shown=SHOWN,
        captions=as_inputs(CAPTIONS.values()),
        expected=expected_of_index,
    output:
        index=f"{RESULTS}/index.html",
        pages=[
            report(
                f"{RESULTS}/pages/{item['name']}.html",
                caption=f"../report/{item['caption']}.rst",
                category=section["title"],
                labels={"table": item["title"]},
            )
            for section in CONTENTS["sections"]
            for item in section["items"]
            if item["kind"] != "figure"
        ],
    log:
        f"{PATHS.logs}/index.log",
    benchmark:
        f"{PATHS.benchmarks}/index.tsv"
    localrule: True
    conda:
        ANALYSIS
    threads: RESOURCES["report"].threads
    resources:
        **needs(RESOURCES["report"]),
    params:
        code=CODE.job("index"),
        settings=lambda wildcards: as_json(CONTENTS),
        captions=lambda wildcards, input: list(CAPTIONS.values()),
    message:
        "index of all tables and figures"
    shell:
        command(
            "index",
            "--captions {params.captions:q} --out {output.index:q}"
            " --expected {input.expected:q} --files {output:q}",
        )


# A second Snakemake reads what this one has written. It is run by the same Python, also where jobs
# have conda environments (INTERNAL_KD_PYTHON), and given the merged config, however it came about.
rule report:
    input:
        index=f"{RESULTS}/index.html",
        captions=as_inputs([*CAPTIONS.values(), f"{TEXTS}/workflow.rst"]),
    output:
        f"{RESULTS}/report.zip",
    log:
        f"{PATHS.logs}/report.log",
    benchmark:
        f"{PATHS.benchmarks}/report.tsv"
    localrule: True
    conda:
        ANALYSIS
    threads: RESOURCES["report"].threads
    resources:
        **needs(RESOURCES["report"]),
    params:
        code=CODE.job("report"),
        settings=lambda wildcards: as_json({"config": encode_config(STUDY.config)}),
        snakefile=lambda wildcards: main_file(),
    message:
        "Snakemake's report"
    shell:
        command(
            "report",
            "--snakefile {params.snakefile:q} --targets {input.index:q} --out {output:q}",
        )
