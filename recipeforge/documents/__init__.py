"""Text ↔ loadout: YAML with places, the native dialect, minimal text edits, ignores.

`load` takes a path and `parse` a text; both return a `Document`. `read` makes a `Loadout` of it, `edit` turns
changes into text edits, `ignores` silences findings. Nothing here raises on bad input: findings are values.
"""
