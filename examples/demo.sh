#!/bin/sh
# The main job, once through: a broken recipe is explained and fixed, a small one is trained for real.
# Called by `make demo`; writes only below a temporary folder and ./runs.
set -eu
forge=$(cd "${BIN:-.venv/bin}" && pwd)/recipeforge
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }

cp examples/broken-qlora.yaml "$work/recipe.yaml"

say "recipeforge check recipe.yaml          # every problem at once: place, source, fix"
(cd "$work" && "$forge" check --color always recipe.yaml) || true

say "recipeforge check --fix --unsafe-fixes --diff recipe.yaml"
(cd "$work" && "$forge" check --fix --unsafe-fixes --diff recipe.yaml) || true

say "recipeforge check --fix --unsafe-fixes recipe.yaml"
(cd "$work" && "$forge" check --fix --unsafe-fixes recipe.yaml)

say "recipeforge check recipe.yaml"
(cd "$work" && "$forge" check recipe.yaml)

say "recipeforge run examples/smollm2-lora.yaml          # a real model, real text, this machine"
"$forge" run examples/smollm2-lora.yaml

say "recipeforge runs show last          # the ledger: the estimate beside the measured peak"
"$forge" runs show last
