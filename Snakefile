# Table 1 of "Knowledge Distillation from Internal Representations":
#   snakemake --cores all results/table1.csv
from snakemake.utils import min_version

min_version("9.20")


configfile: f"{workflow.basedir}/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/base.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/teacher.smk"
include: "workflow/rules/distill.smk"
include: "workflow/rules/tables.smk"


rule all:
    default_target: True
    input:
        table1=TABLE1,


onerror:
    tell_mistakes(log)
