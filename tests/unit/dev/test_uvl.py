"""The UVL reader: what it reads means what the language says, and what it does not read it refuses with the line."""

from itertools import product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dev.models import cnf
from dev.models.model import Model, ModelError
from dev.models.uvl import parse
from recipeforge.solver.consequences import Engine

PHONE = """\
namespace Phone
include
	Boolean.group-cardinality
features // the tree
	Phone {abstract true, note "a // b { c"}
		mandatory
			Screen
				alternative
					Basic
					Colour {price 3,
						maker 'x'}
		optional
			"GPS (2.0)"
			/* Radio
			was here */
			Boolean Camera
		[1..2]
			Wifi
			"5G"
			Cable
constraints
	Camera => Colour
	!("GPS (2.0)" &
		Cable)
"""


def configurations(model: Model) -> set[frozenset[str]]:
    """Every set of features that some assignment of the other variables completes."""
    found = set()
    for held in product((0, 1), repeat=model.formula.size):
        if not model.formula.violated(sum(1 << v for v, value in enumerate(held) if value)):
            found.add(frozenset(name for name, value in zip(model.names, held, strict=False) if value))
    return found


def read(tree: str, *constraints: str) -> set[frozenset[str]]:
    said = "".join(f"\t{c}\n" for c in constraints)
    return configurations(parse(f"features\n{tree}constraints\n{said}", "x.uvl"))


def test_everything_that_is_read() -> None:
    model = parse(PHONE, "phone.uvl")
    assert model.names == ("Phone", "Screen", "Basic", "Colour", "GPS (2.0)", "Camera", "Wifi", "5G", "Cable")
    assert model.formula.groups == ((2, 3),)
    found = configurations(model)
    fixed = {"Phone", "Screen"}
    expected = set()
    for screen in ("Basic", "Colour"):
        for gps, camera, wifi, fast, cable in product((False, True), repeat=5):
            if 1 <= wifi + fast + cable <= 2 and not (camera and screen == "Basic") and not (gps and cable):
                held = {"GPS (2.0)": gps, "Camera": camera, "Wifi": wifi, "5G": fast, "Cable": cable}
                expected.add(frozenset(fixed | {screen} | {name for name, here in held.items() if here}))
    assert found == expected


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("features\n\tA\n\t\tsome\n", 3, "stands under no group"),
        ("features\n\tA\n\tB\n", 3, "stands under no group"),
        ("features\n\tA\n\t\toptional\n\t\t\tInteger B\n", 4, "typed feature"),
        ("features\n\tA\n\t\toptional\n\t\t\tB cardinality [1..3]\n", 4, "cardinality"),
        ("features\n\tA\n\t\toptional\n\t\t\tB\n\t\t\tB\n", 5, "declared twice"),
        ("features\n\tA\n\t\t[two]\n\t\t\tB\n", 3, "no cardinality"),
        ("features\n\tA {constraint B}\n", 2, "inside of attributes"),
        ("features\n\toptional\n", 2, "belongs to no feature"),
        ("imports\n\tb as c\nfeatures\n\tA\n", 1, "imports"),
        ("feature\n\tA\n", 1, "starts no section"),
        ("namespace A\n", 1, "no feature"),
        ("features\n\tA {x 1\n", 2, "never closed"),
        ("features\n\tA\nconstraints\n\tA => B\n", 4, "no feature is called `B`"),
        ("features\n\tA\nconstraints\n\n\tA.cost == 3\n", 5, "`=` is not read"),
        ("features\n\tA\nconstraints\n\tA > 3\n", 4, "`>` is not read"),
        ("features\n\tA\nconstraints\n\tA &\n", 4, "the end of the line"),
        ("features\n\tA\nconstraints\n\tA A\n", 4, "one too many"),
        ("features\n\tA\nconstraints\n\t!A | (A))\n", 4, "one too many"),
        ("features\n\tA\nconstraints\n\t(A\n", 4, "never closed"),
    ],
)
def test_what_is_not_read_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ModelError, match=f"x.uvl:{line}: .*{says}") as refused:
        parse(text, "x.uvl")
    assert refused.value.line == line


def test_operators_of_one_strength_group_from_the_left() -> None:
    tree = "\tA\n\t\toptional\n\t\t\tB\n\t\t\tC\n\t\t\tD\n"
    assert read(tree, "B => C => D") == read(tree, "(B => C) => D") != read(tree, "B => (C => D)")
    assert read(tree, "B | C => D") == read(tree, "(B | C) => D") != read(tree, "B | (C => D)")
    assert read(tree, "!B => C") == read(tree, "B | C") and read(tree, "B => C | !D") == read(tree, "!B | C | !(D)")
    assert read(tree, "B <=> C => D") == read(tree, "B <=> (C => D)") != read(tree, "(B <=> C) => D")
    assert read(tree, "B | C & D => !B") == read(tree, "(B | (C & D)) => (!B)")


def test_a_product_that_blows_up_stays_small() -> None:
    pairs = " | ".join(f"(A{i} & B{i})" for i in range(14))
    tree = "features\n\tR\n\t\toptional\n" + "".join(f"\t\t\tA{i}\n\t\t\tB{i}\n" for i in range(14))
    assert len(parse(f"{tree}constraints\n\t{pairs}\n", "x.uvl").formula.clauses) < 150  # of 2 ** 14 without variables of their own
    equal = " <=> ".join(f"A{i}" for i in range(14))
    assert len(parse(f"{tree}constraints\n\t{equal}\n", "x.uvl").formula.clauses) < 150


def test_a_wide_cardinality_counts_instead_of_listing_subsets() -> None:
    tree = "features\n\tR\n\t\t[6..7]\n" + "".join(f"\t\t\tA{i}\n" for i in range(12))
    formula = parse(tree, "x.uvl").formula
    assert len(formula.clauses) < 300  # of C(12, 7) + C(12, 8) subset by subset


@pytest.mark.parametrize("low", range(5))
@pytest.mark.parametrize("high", range(1, 5))
def test_counting_means_the_same_as_listing(low: int, high: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = f"features\n\tR\n\t\t[{low}..{high}]\n" + "".join(f"\t\t\tA{i}\n" for i in range(4))
    listed = configurations(parse(tree, "x.uvl"))
    monkeypatch.setattr(cnf, "SUBSETS_AT_MOST", 0)
    counted = parse(tree, "x.uvl")
    assert completable(counted, list(counted.names)) == listed
    assert len(listed) == sum(comb(4, k) for k in range(low, high + 1))


OPERATORS = {
    "&": lambda a, b: a and b,
    "|": lambda a, b: a or b,
    "=>": lambda a, b: not a or b,
    "<=>": lambda a, b: a == b,
}


@st.composite
def trees(draw):
    """A small tree as text, and as (feature, group word, members) from the root down."""
    names = [f"F{i}" if draw(st.booleans()) else f'"F {i}"' for i in range(draw(st.integers(2, 7)))]
    children: dict[int, list[tuple[str, list[int]]]] = {i: [] for i in range(len(names))}
    rest = list(range(1, len(names)))
    while rest:
        size = draw(st.integers(1, len(rest)))
        members, rest = rest[:size], rest[size:]
        parent = draw(st.integers(0, members[0] - 1))
        low = draw(st.integers(0, size + 1))
        high = draw(st.integers(low, size + 1))
        word = draw(st.sampled_from(["mandatory", "optional", "or", "alternative", f"[{low}..{high}]", f"[{low}..*]", f"[{low}]"]))
        children[parent].append((word, members))

    def lines(feature: int, depth: int) -> list[str]:
        said = ["\t" * depth + names[feature] + (" {abstract true}" if draw(st.booleans()) else "")]
        for word, members in children[feature]:
            said.append("\t" * (depth + 1) + word)
            for member in members:
                said += lines(member, depth + 2)
        return said

    return names, children, "\n".join(lines(0, 1))


@st.composite
def constraints(draw, names, depth=3):
    """A constraint as text, fully parenthesised, and as a function of the features that hold."""
    if not depth or draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(names))
        return name, lambda held: name.strip('"') in held
    if draw(st.integers(0, 3)) == 0:
        text, value = draw(constraints(names, depth - 1))
        return f"!({text})", lambda held: not value(held)
    word = draw(st.sampled_from(sorted(OPERATORS)))
    (left, left_value), (right, right_value) = draw(constraints(names, depth - 1)), draw(constraints(names, depth - 1))
    return f"({left}) {word} ({right})", lambda held: OPERATORS[word](left_value(held), right_value(held))


def completable(model: Model, plain: list[str]) -> set[frozenset[str]]:
    """As `configurations`, where helping variables are too many to try."""
    engine = Engine(model.formula)
    found = set()
    for held in product((0, 1), repeat=len(plain)):
        if engine.stands([v if here else ~v for v, here in enumerate(held)]):
            found.add(frozenset(name for name, here in zip(model.names, held, strict=False) if here))
    return found


def keeps_groups(held: frozenset[str], names: list[str], children: dict) -> bool:
    """The meaning of a tree, from the definition of each group."""
    plain = [name.strip('"') for name in names]
    if plain[0] not in held:
        return False
    for feature, groups in children.items():
        for word, members in groups:
            count = sum(plain[m] in held for m in members)
            if plain[feature] not in held:
                if count:
                    return False
                continue
            bounds = word.strip("[]").split("..") * (1 if ".." in word else 2)
            least = {"mandatory": len(members), "optional": 0, "or": 1, "alternative": 1}.get(word)
            if least is None:
                most = len(members) if bounds[1] == "*" else int(bounds[1])
                if not int(bounds[0]) <= count <= most:
                    return False
            elif count < least or (word == "alternative" and count > 1):
                return False
    return True


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_tree_has_the_configurations_that_brute_force_finds(data) -> None:
    names, children, tree = data.draw(trees())
    asked = [data.draw(constraints(names)) for _ in range(data.draw(st.integers(0, 2)))]
    model = parse("features\n" + tree + "\nconstraints\n" + "".join(f"\t{text}\n" for text, _ in asked), "x.uvl")
    plain = [name.strip('"') for name in names]
    assert set(model.names) == set(plain)
    subsets = (frozenset(n for n, here in zip(plain, held, strict=True) if here) for held in product((0, 1), repeat=len(plain)))
    expected = {s for s in subsets if keeps_groups(s, names, children) and all(value(s) for _, value in asked)}
    found = configurations(model) if model.formula.size <= 12 else completable(model, plain)
    assert found == expected
