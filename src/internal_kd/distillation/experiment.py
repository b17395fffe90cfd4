"""From an experiment, which is data, to schedule, objective and update rule of a run."""

from typing import Any

from internal_kd.distillation.schedules import Schedule, epoch_limits
from internal_kd.distillation.settings import ObjectiveSettings
from internal_kd.distillation.updates import UpdateRule
from internal_kd.errors import UserError

Settings = dict[str, Any]


def make_schedule(
    experiment: Settings, distillation: Settings, student_layers: int, epochs: int
) -> Schedule:
    """The schedule of an experiment; without internal losses only the output loss acts.

    Raises:
        UserError: there are too few epochs for the turns of all layers and the output loss.
    """
    if not experiment["internal"]:
        return Schedule()
    limits = epoch_limits(epochs, student_layers, distillation["internal_fraction"])
    needed = sum(limits) + (experiment["output_from"] == "end")
    if experiment["schedule"] != "simultaneous" and epochs < needed:
        raise UserError(
            f"student.training.epochs: {epochs} are too few for the turns of {student_layers} "
            f"layers, which need {needed} with the output loss; write more, or less for "
            "distillation.internal_fraction"
        )
    return Schedule(
        experiment["schedule"],
        student_layers,
        limits,
        distillation["cosine_threshold"],
        experiment["output_from"],
    )


def make_objective_settings(experiment: Settings, distillation: Settings) -> ObjectiveSettings:
    """Loss weights, temperature, and whether layers are averaged or summed."""
    return ObjectiveSettings(
        internal=experiment["internal"],
        output=experiment["output"],
        temperature=distillation["temperature"],
        layer_reduction=experiment["layer_reduction"],
    )


def make_update_rule(experiment: Settings) -> UpdateRule:
    """Which parameters the experiment's stages update."""
    return UpdateRule(experiment["internal_updates"], experiment["output_updates"])
