"""The knowledge: YAML packs, their loader, their compiled cache and their linter."""
