"""What a run's loss is of: how rows become examples, and examples a number to make small. Loaded in the training process alone."""
