"""Feature models, synthetic catalogs, and other solvers: what the engine is measured and tested against."""
