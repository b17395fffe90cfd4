"""Knowledge distillation from internal representations: objectives, schedules and the study around them."""
