"""For whom a rule speaks."""

import dataclasses

import pytest

from recipeforge.catalog.load import load
from recipeforge.catalog.rules import past_names
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
        ({"transformers": "<5"}, {}, False),
        ({"transformers": "<5"}, {"packages.transformers": "4.57.1"}, True),
        ({"transformers": "<5"}, {"packages.torch": "2.5.1"}, True),
    ],
)
def test_a_rule_speaks_where_its_scope_says(scope, facts, speaks):
    current = {"transformers": "5.23.0"}
    rule = dataclasses.replace(next(iter(load().rules.values())), scope=scope, past=past_names(scope, current))
    assert in_scope(rule, facts) is speaks
