"""Settings of the department: one door for every write, what they were before, what a change does, the way back."""
