"""Loadout and catalog in, verdict out. The only room that imports OR-Tools, and only when propagation cannot answer."""
