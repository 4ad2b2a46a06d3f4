"""Schedulers measured side by side: the same encoder, text, batches and head for all of them, seed by seed."""
