"""Documents: templates that staff edit in Word, filled and drawn in a child that can do nothing else."""
