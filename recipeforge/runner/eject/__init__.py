"""A run as a plain script: what the plan does, written with nothing of ours. No torch is needed to write it."""
