"""How a plan becomes processes: one here, several under torchrun, or tasks of a Ray cluster (docs/decisions/0012-engines.md)."""
