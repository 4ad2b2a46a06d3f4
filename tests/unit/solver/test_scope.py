"""For whom a rule speaks."""

import dataclasses

import pytest

from recipeforge.catalog.load import load
from recipeforge.solver.scope import in_scope


@pytest.mark.parametrize(
    ("scope", "facts", "speaks"),
    [
        ({}, {}, True),
        ({"axolotl": ""}, {}, False),
        ({"axolotl": ""}, {"framework": "axolotl"}, True),
        ({"trl": "", "axolotl": "not"}, {}, True),
        ({"trl": "", "axolotl": "not"}, {"framework": "trl"}, True),
        ({"trl": "", "axolotl": "not"}, {"framework": "axolotl"}, False),
        ({"axolotl": "not", "llama-factory": "not"}, {"framework": "llama-factory"}, False),
        ({"trl": "not"}, {"framework": "trl"}, False),
        ({"transformers": ""}, {"framework": "torchtune"}, False),
        ({"transformers": ">=5"}, {"packages.transformers": "4.57.1"}, False),
        ({"transformers": ">=5"}, {}, True),
    ],
)
def test_a_rule_speaks_where_its_scope_says(scope, facts, speaks):
    rule = dataclasses.replace(next(iter(load().rules.values())), scope=scope)
    assert in_scope(rule, facts) is speaks
