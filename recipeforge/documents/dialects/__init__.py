"""The configurations of other tools, read into the same loadout with every place kept."""
