"""The generated language, its tasks, and the small base model pre-trained on it."""
