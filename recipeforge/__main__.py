"""`python -m recipeforge`."""

from recipeforge.cli.main import main

main()
