"""From a valid recipe to a trained model: plan, pre-flight, training, post-flight, ledger.

Importing this room loads no torch. Training happens in a child process (`child.py`), so that a crash,
an out-of-memory kill or a second Ctrl-C still leaves the parent to write a truthful ledger row.
"""
