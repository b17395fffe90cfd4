"""Which files hold a split: one, or the parts of a download; and which hold unlabelled text."""

import re
from dataclasses import dataclass
from glob import glob
from pathlib import Path

SUFFIXES = ("parquet", "arrow")
TEXT_SUFFIXES = (".txt", ".txt.gz")
# train-00000-of-00002.parquet; older downloads have a hash behind the numbers.
PART = re.compile(r"-(\d+)-of-(\d+)(?:-[0-9a-f]+)?\.(?:parquet|arrow)")

# Forms of files with rows, by the ends of their names.
ENDINGS = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".jsonl": "json",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
PACKED = ("text", "json")  # may be packed with gzip, and end in .gz then


def form_of(file: Path) -> str | None:
    """The form of a file by its name: text, json, parquet or arrow; None for an unknown one."""
    name = file.name.lower()
    packed = name.endswith(".gz")
    form = ENDINGS.get(Path(name.removesuffix(".gz")).suffix)
    return form if not packed or form in PACKED else None


@dataclass(frozen=True)
class SplitFiles:
    """The files of a split.

    Attributes:
        files: in the order of their rows; empty if the split is not there.
        fault: why they are not one whole split, as a sentence with a remedy; None if they are.
    """

    files: list[Path]
    fault: str | None = None


def files_of_split(folder: Path, split: str) -> SplitFiles:
    """The files of `split` in `folder`, and what is missing or too many of them."""
    whole = [file for suffix in SUFFIXES if (file := folder / f"{split}.{suffix}").is_file()]
    parts = sorted(file for suffix in SUFFIXES for file in folder.glob(f"{split}-*-of-*.{suffix}"))
    if len(whole) > 1 or (whole and parts):
        return SplitFiles(whole, _side_by_side(whole[0], (whole + parts)[1]))
    return SplitFiles(whole) if whole else _checked(folder, split, parts)


def _checked(folder: Path, split: str, parts: list[Path]) -> SplitFiles:
    found: dict[int, Path] = {}
    total = None
    for file in parts:
        numbers = PART.fullmatch(file.name.removeprefix(split))
        if numbers is None:
            return SplitFiles(parts, f"'{file}' is not part of a split; rename or remove it")
        part, of = int(numbers[1]), int(numbers[2])
        if total not in (None, of) or part in found:
            return SplitFiles(parts, _side_by_side(found.get(part, parts[0]), file))
        total, found[part] = of, file
    missing = sorted(set(range(total or 0)) ^ found.keys())
    if missing:
        return SplitFiles(parts, _incomplete(folder, split, missing[0], total or 0, len(found)))
    return SplitFiles([found[part] for part in sorted(found)])


def _side_by_side(one: Path, other: Path) -> str:
    return f"'{one}' and '{other}' are parts of different downloads; keep only the newer one"


def _incomplete(folder: Path, split: str, part: int, total: int, found: int) -> str:
    name = folder / f"{split}-{part:05d}-of-{total:05d}.parquet"
    if part >= total:
        return f"'{name}' is numbered beyond its {total} parts; download all of them again"
    return f"'{name}' is missing (only {found} of {total} parts exist); download it too"


def text_files(path: str) -> list[Path]:
    """The files that `corpus.path` names, sorted: a file, those of a folder, or of a pattern."""
    if Path(path).is_file():
        return [Path(path)]
    if Path(path).is_dir():
        found = [file for file in Path(path).rglob("*") if file.name.endswith(TEXT_SUFFIXES)]
    else:
        found = [Path(name) for name in glob(path, recursive=True)]
    return sorted(file for file in found if file.is_file())
