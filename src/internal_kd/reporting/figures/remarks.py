"""Sentences below figures of scores, and the room that they take."""

import textwrap
from collections.abc import Iterable

from internal_kd.reporting.figures.lines import ROLE_TITLES, ROLES, SEEDS_FOR_BANDS
from internal_kd.reporting.wording import FLAG_TEXTS, capitalized
from internal_kd.specs.reports import ModelsSettings, Row

CHARACTERS_PER_INCH = 22  # of a remark
REMARK_LINE = 0.095  # inches
POINTS = "Points: single seeds; lines: their means."
FEW_SEEDS = {1: "one", 2: "two"}
HEADS = {
    "random": "new",
    "teacher": "the teacher's",
    "teacher_start": "the teacher's before its training",
}


def seeds_sentence(counts: Iterable[int], single: str = POINTS) -> str:
    """What is drawn of the seeds; "" for no points.

    Args:
        counts: numbers of seeds that occur.
        single: describes how two seeds are drawn.
    """
    found = set(counts)
    many = " or ".join(str(n) for n in sorted(found) if n >= SEEDS_FOR_BANDS)
    sentences = [
        hint_sentence(found),
        single if 2 in found else "",
        f"Bands: 95% interval of the mean over {many} seeds." if many else "",
    ]
    return " ".join(filter(None, sentences))


def hint_sentence(counts: Iterable[int]) -> str:
    """That one or two seeds show no more than a hint; "" where there are more of them."""
    few = sorted(set(counts) & set(FEW_SEEDS))
    if not few:
        return ""
    numbers = " or ".join(FEW_SEEDS[n] for n in few)
    seeds = "seeds" if 2 in few else "seed"
    return f"{capitalized(numbers)} {seeds}: differences are hints."


def teachers_sentence(teachers: int, students: Iterable[int]) -> str:
    """How many runs of the teacher there are, where that limits conclusions about it.

    Args:
        teachers: runs of the teacher.
        students: numbers of seeds of the students.
    """
    if teachers > 1:
        return f"Teacher: mean of {teachers}, one for each student seed."
    judged = min(students, default=0) >= SEEDS_FOR_BANDS
    return "One teacher: differences from it are hints." if teachers and judged else ""


def heads_sentence(rows: Iterable[Row]) -> str:
    """Which students start from which head; "" where all have the same."""
    names: dict[str, list[str]] = {}
    for row in rows:
        if row.head is not None:
            names.setdefault(row.head, []).append(capitalized(row.name))
    if len(names) < 2:
        return ""
    texts = (f"{HEADS[head]} in {', '.join(names[head])}" for head in HEADS if head in names)
    return f"Heads at the start: {'; '.join(texts)}. Differences across heads are hints."


def flag_sentence(flags: Iterable[str]) -> str:
    """What hollow markers mean; "" if there are none. `flags`: those of each point."""
    texts = [FLAG_TEXTS[flag] for flag in _single(flags)]
    return f"Hollow markers: {'; '.join(texts)}." if texts else ""


def teacher_flag_sentence(flags: Iterable[str]) -> str:
    """The remark on a teacher that is drawn as a line; "" without flags."""
    return " ".join(f"{capitalized(FLAG_TEXTS[f'teacher_{flag}'])}." for flag in _single(flags))


def _single(flags: Iterable[str]) -> list[str]:
    return sorted({flag for names in flags for flag in names.split()}, reverse=True)


def roles_sentence(settings: ModelsSettings) -> str:
    """Which experiments the roles are."""
    names = (
        f"{ROLE_TITLES[role]}: {capitalized(row.name)} ({row.label})"
        for role, row in settings.roles.items()
    )
    return f"{'; '.join(names)}."


def missing_sentence(drawn: Iterable[str]) -> str:
    """Which roles have no runs; "" if all have some."""
    missing = [ROLE_TITLES[role].lower() for role in ROLES if role not in set(drawn)]
    names = [name.replace("kd", "KD") for name in missing]
    return f"No runs of: {', '.join(names)}." if names else ""


def wrapped(sentences: Iterable[str], width: float) -> list[str]:
    """The sentences that are not empty, broken into lines for a figure of this width in inches."""
    characters = int(width * CHARACTERS_PER_INCH)
    return [textwrap.fill(sentence, characters) for sentence in sentences if sentence]


def height(remarks: Iterable[str]) -> float:
    """Inches that `wrapped` sentences take."""
    return REMARK_LINE * sum(remark.count("\n") + 1 for remark in remarks)
