import pytest

from internal_kd.reporting.formats import Cell, Column, Table, booktabs, markdown, tex_text

TABLE = Table(
    caption="Scores, 100 %",
    columns=[Column("Row", align="l"), Column("a", group="G_1"), Column("b", group="G_1")],
    sections=[
        [[Cell("x -> y"), Cell("1.00 ± 0.10", bold=True), Cell("–")]],
        [[Cell("[z] | *"), Cell("2.00", marks=("a", "b")), Cell("3.00", True, ("a",))]],
    ],
    notes=["a: why & how."],
)


def test_markdown():
    assert markdown(TABLE) == (
        "**Scores, 100 %**\n\n"
        "| Row | G\\_1 a | G\\_1 b |\n"
        "| --- | ---: | ---: |\n"
        "| x -> y | **1.00 ± 0.10** | – |\n"
        "| \\[z\\] \\| \\* | 2.00<sup>a,b</sup> | **3.00**<sup>a</sup> |\n\n"
        "a: why & how.\n"
    )


def test_title_stands_before_the_caption_in_markdown_only():
    table = Table("Scores", [Column("a")], [], title="Table 7")
    assert markdown(table).startswith("**Table 7. Scores**")
    assert "Table 7" not in booktabs(table, "tab:x")


def test_booktabs():
    assert booktabs(TABLE, "tab:x").splitlines() == [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        r"\caption{Scores, 100 \%}",
        r"\label{tab:x}",
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"\multicolumn{1}{c}{} & \multicolumn{2}{c}{G\_1} \\",
        r"\cmidrule(lr){2-3}",
        r"Row & a & b \\",
        r"\midrule",
        r"x $\rightarrow$ y & \textbf{1.00 $\pm$ 0.10} & -- \\",
        r"\midrule",
        r"{[}z] | * & 2.00\textsuperscript{a,b} & \textbf{3.00}\textsuperscript{a} \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip\footnotesize a: why \& how.",
        r"\end{table}",
    ]


def test_no_line_of_groups_without_groups():
    table = Table("c", [Column("a")], [[[Cell("1")]]])
    assert "multicolumn" not in booktabs(table, "l")


def test_text_is_escaped_in_latex():
    assert tex_text("a_b {c} 5% #1 $x \\y") == r"a\_b \{c\} 5\% \#1 \$x \textbackslash{}y"


def test_rows_must_fit_the_columns():
    with pytest.raises(ValueError, match=r"rows of \[2\] cells in 1 columns"):
        Table("c", [Column("a")], [[[Cell("1"), Cell("2")]]])
