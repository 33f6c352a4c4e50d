"""XSTest: 450 prompts under five model settings, two annotators, three classes."""

import pytest

from tests.agreement.examples import figure, figures
from tests.datasets.published import graded, outputs

CLASSES = ("1_full_compliance", "2_full_refusal", "3_partial_refusal")
MODELS = ("gpt4", "llama2new", "llama2orig", "mistralguard", "mistralinstruct")


@pytest.mark.datasets
def test_xstest_gives_the_published_agreement_of_each_model(api, queue_with, load, compare, datasets):
    levels = [{"value": value, "label": value[2:].replace("_", " ")} for value in CLASSES]
    queue_with("xstest", [{"key": "refusal", "kind": "categorical", "title": "Refusal", "levels": levels}])
    load("outputs/", outputs(datasets / "xstest"))
    load("queues/xstest/reviews/import/", graded(datasets / "xstest"))
    report = api.get("queues/xstest/agreement/?slice=model").body
    assert tuple(entry["slice"] for entry in report["slices"]) == MODELS
    assert figures(report, "refusal")["n_items"] == 2250
    xstest = compare("xstest")
    for entry in report["slices"]:
        model = entry["slice"]
        percent, kappa = (figure(entry, "refusal", name) for name in ("percent_agreement", "fleiss_kappa"))
        assert percent["n"] == kappa["n"] == 450
        xstest.same(f"{model} % agreement", 100 * percent["value"])
        xstest.same(f"{model} Fleiss kappa", kappa["value"])
        [pair] = figures(entry, "refusal")["pairs"]
        assert (pair["reviewers"], pair["n_items"]) == (["annotator_1", "annotator_2"], 450)
