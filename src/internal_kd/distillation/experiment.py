"""From an experiment, which is data, to the schedule and the losses of a run."""

from collections.abc import Mapping
from typing import Any

from internal_kd.distillation.schedules import Schedule, epoch_limits, make_phases
from internal_kd.distillation.settings import ObjectiveSettings
from internal_kd.errors import UserError

Settings = dict[str, Any]


def make_schedule(settings: Mapping[str, Any]) -> Schedule:
    """The schedule of a run; without internal objectives only the output acts.

    Args:
        settings: of the run; a teacher's have no experiment.

    Raises:
        UserError: there are too few epochs for the turns of all layers and the output objectives.
    """
    experiment = settings.get("experiment", {})
    if not experiment.get("internal"):
        return Schedule()
    layers, training = settings["run"]["layers"], settings["training"]
    distillation, epochs = settings["distillation"], training["epochs"]
    limits = epoch_limits(epochs, layers, distillation["internal_fraction"])
    _check_epochs(experiment, epochs, limits)
    phases = make_phases(
        experiment["schedule"],
        limits,
        experiment["output_from"],
        experiment["internal_updates"],
        experiment["output_updates"],
        training.get("restart_schedule", False),
    )
    return Schedule(phases, distillation["cosine_threshold"])


def _check_epochs(experiment: Settings, epochs: int, limits: tuple[int, ...]) -> None:
    needed = sum(limits) + (experiment["output_from"] == "end")
    if experiment["schedule"] != "simultaneous" and epochs < needed:
        raise UserError(
            f"student.training.epochs: {epochs} are too few for the turns of {len(limits)} "
            f"layers, which need {needed} with the output loss; write more, or less for "
            "distillation.internal_fraction"
        )


def make_objective_settings(experiment: Settings, distillation: Settings) -> ObjectiveSettings:
    """Loss weights, temperature, and whether layers are averaged or summed."""
    return ObjectiveSettings(
        internal=experiment["internal"],
        output=experiment["output"],
        temperature=distillation["temperature"],
        layer_reduction=experiment["layer_reduction"],
    )
