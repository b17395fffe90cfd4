# "Knowledge Distillation from Internal Representations", all tables, figures and statistics:
#   snakemake --cores all
# Table 1 alone:
#   snakemake --cores all results/table1.csv
from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/internals.smk"


ROOT = source_folder()


configfile: f"{ROOT}/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/handlers.smk"
include: "workflow/rules/base.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/distill.smk"
include: "workflow/rules/teacher.smk"
include: "workflow/rules/attention.smk"
include: "workflow/rules/reports.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        tables_and_figures=SHOWN,
        index=f"{RESULTS}/index.html",
        report=f"{RESULTS}/report.zip",


describe_study()


onstart:
    keep_apart()


onsuccess:
    remove_caches(PATHS)


onerror:
    invalidate_downstream()
    report_mistakes(log)
