"""What jobs are planned with: the config and fingerprints of code, as they were at that time.

A job on a cluster reads the workflow once more when it starts, perhaps days later; what has been
edited meanwhile must not slip in under the old plan. Environment variables carry it to the jobs.
"""

import os
from collections.abc import Callable

from internal_kd.fingerprint import code_fingerprint
from internal_kd.study.config import Study


def planned(name: str, value: Callable[[], str], *, plans: bool) -> str:
    """A text as it was when the jobs were planned.

    Args:
        name: what it is called in the environment.
        value: gives the text of today.
        plans: whether this process plans; others take what the planning one has noted.
    """
    variable = f"INTERNAL_KD_PLANNED_{name.upper()}"
    if plans or variable not in os.environ:
        os.environ[variable] = value()
    return os.environ[variable]


class PlannedCode:
    """Fingerprints of the code of a study's jobs.

    Args:
        study: that is planned.
        plans: whether this process plans, see `planned`.
    """

    def __init__(self, study: Study, plans: bool) -> None:
        self._study = study
        self._plans = plans

    def modules(self, *modules: str, without: str = "") -> str:
        """Of some modules and all that they import, without a subpackage they do not use."""
        name = "code_" + "_".join(modules).replace(".", "_")
        return planned(name, lambda: code_fingerprint(*modules, without=without), plans=self._plans)

    def job(self, job: str) -> str:
        """Of a job; the generated language counts only where it is used."""
        config = self._study.config
        sources = {"data": config.data.source, "corpus": config.corpus.source}
        without = "" if sources.get(job, "embedded") == "embedded" else "embedded"
        return self.modules(f"internal_kd.jobs.{job}", without=without)

    def agnostic(self, model: str) -> str:
        """Of a general student: its own objectives count, and no others."""
        return self.modules("internal_kd.jobs.agnostic", *self._study.agnostic[model].modules)

    def students(self, experiment: str) -> str:
        """Of an experiment's students: its own objectives count, and no others."""
        own = self._study.experiments[experiment].modules
        return self.modules("internal_kd.jobs.distill", *own)
