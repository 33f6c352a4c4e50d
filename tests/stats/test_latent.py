"""Dawid-Skene on its own data, and reviewers on gold items."""

import json

import numpy as np
import pytest

from reviewapp.stats.latent import Labels, dawid_skene, fit_beta, gold_accuracies, gold_accuracy

from .published import DAWID_SKENE_1979


def anaesthetists(columns=range(7)):
    observer = [0, 0, 0, 1, 2, 3, 4]
    rows = [
        (patient, observer[column], int(token[column]) - 1)
        for patient, token in enumerate(DAWID_SKENE_1979.split())
        for column in columns
    ]
    item, rater, label = np.array(rows).T
    return Labels(item, rater, label, 4)


def test_the_anaesthetists_of_dawid_and_skene():
    found = dawid_skene(anaesthetists())
    assert found.converged
    assert found.class_share == pytest.approx([0.399969, 0.421576, 0.111788, 0.066667], abs=1e-5)
    assert found.log_likelihood == pytest.approx(-190.730997, abs=1e-5)
    assert np.diag(found.confusion[0]) == pytest.approx([0.9074, 0.8766, 0.6612, 0.4444], abs=1e-4)
    assert np.bincount(found.posterior.argmax(axis=1)).tolist() == [18, 19, 5, 3]


def test_the_first_ratings_only():
    found = dawid_skene(anaesthetists([0, 3, 4, 5, 6]))
    assert found.class_share == pytest.approx([0.399963, 0.412612, 0.120759, 0.066667], abs=1e-5)
    assert found.log_likelihood == pytest.approx(-141.077199, abs=1e-5)


@pytest.mark.parametrize(
    ("model", "prior"), [("confusion", (3.0, 1.0)), ("one_coin", (3.0, 0.0)), ("one_coin", (0, 0))]
)
def test_every_model_gives_shares_that_add_up(model, prior):
    found = dawid_skene(anaesthetists(), model=model, prior=prior)
    assert found.posterior.sum(axis=1) == pytest.approx(np.ones(45))
    assert found.confusion.sum(axis=2) == pytest.approx(np.ones((5, 4)))
    assert found.class_share.sum() == pytest.approx(1)


def test_a_gold_item_keeps_its_known_class():
    found = dawid_skene(anaesthetists(), gold={0: 3})
    assert found.posterior[0].tolist() == [0, 0, 0, 1]
    assert np.isfinite(found.log_likelihood)


def test_what_cannot_be_fitted_says_why():
    def code(rows, classes):
        item, rater, label = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        return dawid_skene(Labels(item, rater, label, classes)).undefined

    assert code([], 2) == "no_data"
    assert code([(0, 0, 0), (0, 1, 0)], 1) == "no_variation"
    assert code([(0, 0, 0), (1, 0, 1)], 2) == "fewer_than_two_raters"


def test_a_careless_reviewer_weighs_less_than_two_careful_ones():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 300)
    rows = []
    for rater, right in enumerate((0.95, 0.95, 0.55)):
        marks = np.where(rng.random(300) < right, truth, 1 - truth)
        rows += [(item, rater, mark) for item, mark in enumerate(marks)]
    item, rater, label = np.array(rows).T
    found = dawid_skene(Labels(item, rater, label, 2))
    accuracy = np.einsum("rcc->r", found.confusion) / 2
    assert accuracy[2] < 0.7 < 0.85 < accuracy[:2].min()
    assert (found.posterior.argmax(axis=1) == truth).mean() > 0.9


@pytest.mark.parametrize(
    ("correct", "n", "bounds"), [(17, 20, (0.6514, 0.9559)), (20, 20, (0.8834, 1.0)), (0, 8, (0.0, 0.2622))]
)
def test_gold_accuracy_by_jeffreys(correct, n, bounds):
    stat = gold_accuracy(correct, n)
    assert stat.value == correct / n
    assert stat.interval == pytest.approx(bounds, abs=5e-5)


def test_gold_accuracy_without_gold_items_is_no_data():
    assert gold_accuracy(0, 0).undefined == "no_data"
    with pytest.raises(ValueError, match="right answers"):
        gold_accuracy(3, 2)


def test_several_reviewers_lend_each_other_strength():
    correct, n = [9, 17, 14, 20, 6, 11, 18], [10, 20, 20, 20, 10, 12, 25]
    a, b = fit_beta(np.array(correct, float), np.array(n, float))
    assert (a, b) == pytest.approx((11.2307, 2.5551), abs=2e-4)
    first, fifth = (gold_accuracies(correct, n)[place] for place in (0, 4))
    assert first.value == pytest.approx(0.8505, abs=5e-5)
    assert first.interval == pytest.approx((0.6857, 0.9603), abs=5e-5)
    assert fifth.value == pytest.approx(0.7244, abs=5e-5)
    assert fifth.interval == pytest.approx((0.5330, 0.8802), abs=5e-5)


def test_few_reviewers_or_equal_ones_stand_alone():
    assert gold_accuracies([3, 4], [5, 5])[0] == gold_accuracy(3, 5)
    alike = gold_accuracies([8] * 6 + [0], [10] * 6 + [0])
    assert alike[0] == gold_accuracy(8, 10)
    assert alike[6].undefined == "no_data"
    for stat in alike:
        json.dumps(stat.as_dict(), allow_nan=False)
