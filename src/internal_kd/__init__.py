"""Knowledge distillation from internal representations: objectives, schedules, study."""
