"""The training loop: a job, the steps that move its weights, their evaluation. It knows no disk and no screen."""
