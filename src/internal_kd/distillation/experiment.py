"""From an experiment, which is data, to the schedule and the losses of a run."""

from internal_kd.distillation.schedules import Schedule, epoch_limits, make_phases
from internal_kd.errors import UserError
from internal_kd.models.layer_maps import distilled_layers
from internal_kd.specs.experiments import Experiment
from internal_kd.specs.jobs import TrainingJob
from internal_kd.specs.students import StudentJob
from internal_kd.specs.training import ObjectiveSettings


def make_schedule(job: TrainingJob) -> Schedule:
    """The schedule of a run; without internal objectives only the output acts.

    Raises:
        UserError: there are too few epochs for the turns of all layers and the output objectives.
    """
    if not isinstance(job, StudentJob) or not job.experiment.internal:
        return Schedule()
    experiment, distillation, epochs = job.experiment, job.distillation, job.training.epochs
    layers = distilled_layers(experiment.layer_map, job.run.layers)
    limits = epoch_limits(epochs, len(layers), distillation.internal_fraction)
    _check_epochs(experiment, epochs, limits)
    phases = make_phases(
        experiment.schedule,
        dict(zip(layers, limits, strict=True)),
        experiment.output_from,
        experiment.internal_updates,
        experiment.output_updates,
        job.training.restart_schedule,
    )
    return Schedule(phases, distillation.cosine_threshold)


def _check_epochs(experiment: Experiment, epochs: int, limits: tuple[int, ...]) -> None:
    needed = sum(limits) + (experiment.output_from == "end")
    if experiment.schedule != "simultaneous" and epochs < needed:
        raise UserError(
            f"student.training.epochs: {epochs} epochs are too few to train {len(limits)} layers "
            f"in turn, which takes {needed} including the output loss; raise them, or lower "
            "distillation.internal_fraction"
        )


def make_objective_settings(job: StudentJob, teacher_layers: int) -> ObjectiveSettings:
    """Loss weights, temperature, and whether layers are averaged or summed.

    Args:
        job: of the student.
        teacher_layers: number of the teacher's layers.
    """
    return ObjectiveSettings(
        internal=job.experiment.internal,
        output=job.experiment.output,
        temperature=job.distillation.temperature,
        layer_reduction=job.experiment.layer_reduction,
        relation_heads=job.distillation.relation_heads,
        combined_layers=teacher_layers if job.experiment.layer_map == "all" else 0,
    )
