"""The nouns. Frozen data that every room exchanges; no room's behaviour lives here.

They are standard-library dataclasses so that `recipeforge check` starts without pydantic;
pydantic validates the catalog's YAML against these same classes when a pack is compiled
(docs/decisions/0001-dataclasses.md).
"""
