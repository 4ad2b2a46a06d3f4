"""Means, cutoff, star and the paired test, against numbers from tables and from hand."""

import math

import pytest

from recipeforge.render.cohort import cutoff_words, markdown_table, text_table, verdict
from recipeforge.runner.cohort.results import Cohort, Result
from recipeforge.runner.cohort.setting import Job, Setting
from recipeforge.runner.cohort.statistics import (
    against_leader,
    chosen_rates,
    deviation,
    holm,
    paired_t,
    residual_spread,
    summary,
    two_sided_p,
)
from recipeforge.schemas.errors import RunError

ONE_RATE = Setting(rates=(1e-4,))


def cohort(setting: Setting = ONE_RATE, **losses: tuple[float | None, ...]) -> Cohort:
    found = [
        Result("measure", name.replace("_", "-"), 1e-4, seed, loss, None if loss is None else 1 - loss, failed="" if loss else "broke")
        for name, row in losses.items()
        for seed, loss in enumerate(row)
    ]
    return Cohort(setting, {}, tuple(found))


@pytest.mark.parametrize(
    ("t", "degrees"), [(12.706, 1), (4.303, 2), (3.182, 3), (2.776, 4), (2.571, 5), (2.228, 10), (2.131, 15), (1.962, 1000)]
)
def test_the_t_distribution_agrees_with_printed_tables(t: float, degrees: int) -> None:
    assert two_sided_p(t, degrees) == pytest.approx(0.05, abs=2e-4)
    assert two_sided_p(-t, degrees) == two_sided_p(t, degrees)
    assert two_sided_p(0, degrees) == pytest.approx(1)


def test_the_t_distribution_has_its_closed_form_for_two_degrees() -> None:
    for t in (0.3, 1.0, 3.19, 40.0):
        assert two_sided_p(t, 2) == pytest.approx(1 - t / math.sqrt(2 + t * t), abs=1e-12)


def test_a_paired_test_by_hand() -> None:
    difference, t, p = paired_t([0.01, 0.02, 0.03])
    assert difference == pytest.approx(0.02)
    assert t == pytest.approx(0.02 / (0.01 / math.sqrt(3)))
    assert p == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert paired_t([0.0, 0.0]) == (0.0, 0.0, 1.0)
    assert paired_t([0.5, 0.5]) == (0.5, math.inf, 0.0)


def test_holm_steps_down_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_spreads() -> None:
    assert deviation([1.0]) is None
    assert deviation([1.0, 3.0]) == pytest.approx(math.sqrt(2))
    # Rows and columns that only add leave nothing, however far apart they lie.
    assert residual_spread([[1, 2, 4], [11, 12, 14]]) == pytest.approx(0, abs=1e-12)
    assert residual_spread([[0, 1], [1, 0]]) == pytest.approx(1.0)
    assert residual_spread([[1, 2]]) is None
    assert residual_spread([[1], [2]]) is None


def test_one_seed_tests_nothing() -> None:
    assert against_leader([[0.4], [0.5]]) == [None, None]
    found = summary(cohort(linear=(0.4,), cosine=(0.5,)))
    assert (found.spread, found.cutoff, found.separable) == (None, None, False)
    assert verdict(found) == "No leader is separable: linear has the lowest mean loss, and one seed shows no spread."


def test_the_leader_is_starred_and_not_separable_where_seeds_disagree() -> None:
    found = summary(cohort(linear=(0.40, 0.44, 0.42), cosine=(0.42, 0.41, 0.45)))
    assert [(line.scheduler, line.leader) for line in found.lines] == [("linear", True), ("cosine", False)]
    assert not found.separable
    assert verdict(found).startswith("No leader is separable: linear has the lowest mean loss, but from none of the others")
    assert text_table(found).splitlines()[1].startswith("★  linear")
    assert markdown_table(found).count("★") == 1


def test_a_separable_leader_is_named() -> None:
    losses = {"linear": (0.400, 0.440, 0.420), "cosine": (0.500, 0.541, 0.520), "constant": (0.600, 0.641, 0.619)}
    found = summary(cohort(**losses))
    assert found.separable
    assert verdict(found).startswith("linear leads, separable from all 2 others")


def test_beyond_the_cutoff() -> None:
    found = summary(cohort(linear=(0.40, 0.45, 0.42), cosine=(0.41, 0.44, 0.43), constant=(0.90, 0.95, 0.92)))
    assert found.spread is not None
    assert found.cutoff == pytest.approx(found.lines[0].loss + 2 * found.spread)
    assert [line.scheduler for line in found.lines if line.beyond] == ["constant"]
    assert cutoff_words(found).endswith("Beyond it: constant.")


def test_who_lacks_a_seed_is_not_ranked() -> None:
    found = summary(cohort(linear=(0.4, 0.5), cosine=(0.3, None), constant=(0.5, 0.6)))
    assert [line.scheduler for line in found.lines] == ["linear", "constant"]
    assert found.unranked == ("cosine",)
    assert "Not ranked, since a seed is missing or failed: cosine." in text_table(found)


def test_nothing_measured_is_said() -> None:
    assert verdict(summary(cohort())) == "Nothing is measured yet."


def test_the_rate_is_that_of_the_lowest_tuning_loss() -> None:
    setting = Setting(rates=(1e-4, 2e-4, 4e-4))
    losses = {1e-4: 0.5, 2e-4: 0.4, 4e-4: None}
    done = {Job("tune", "linear", rate, 1000): Result("tune", "linear", rate, 1000, loss) for rate, loss in losses.items()}
    assert chosen_rates(setting, ["linear"], done) == {"linear": 2e-4}
    with pytest.raises(RunError, match="cosine failed at the rates that were tried"):
        chosen_rates(setting, ["cosine"], done)
    assert chosen_rates(ONE_RATE, ["cosine"], {}) == {"cosine": 1e-4}


def test_a_rate_at_an_end_of_those_tried_is_flagged() -> None:
    found = summary(cohort(Setting(rates=(1e-4, 2e-4, 4e-4)), linear=(0.4, 0.5)))
    assert found.lines[0].at_edge
    assert "rate at an end of those tried" in text_table(found)
    assert not summary(cohort(Setting(rates=(5e-5, 1e-4, 4e-4)), linear=(0.4, 0.5))).lines[0].at_edge
