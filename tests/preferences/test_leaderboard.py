"""Who is preferred, and when that cannot be said."""

from __future__ import annotations

import pytest

from reviewapp.preferences.selectors import ranking
from reviewapp.stats.preference import Comparison, leaderboard
from tests.agreement.examples import end_review, make_configuration, make_pair_item, make_queue, review
from tests.conftest import personal_api


@pytest.fixture
def queue(cast):
    return make_queue(cast, "preference", kind="pairwise", slug="pairs")


def models(cast, *names):
    return [make_configuration(cast.project, model=name) for name in names]


# (model of a, model of b, winner, whether a was left, prompt)
GAMES = [
    ("gpt", "llama", "a", True, "p1"), ("gpt", "llama", "a", False, "p2"), ("llama", "gpt", "a", True, "p3"),
    ("llama", "mixtral", "b", True, "p1"), ("mixtral", "llama", "b", False, "p2"),
    ("gpt", "mixtral", "tie", True, "p4"), ("gpt", "mixtral", "b", False, "p5"),
    ("mixtral", "gpt", "b", True, "p6"), ("llama", "gpt", "both_bad", None, "p7"),
]  # fmt: skip


def play(cast, queue, games=GAMES):
    by_name = {name: models(cast, name)[0] for game in games for name in game[:2]}
    for number, (a, b, winner, was_left, prompt) in enumerate(games):
        item = make_pair_item(queue, f"pair-{number}", by_name[a], by_name[b], prompt=prompt)
        review(item, cast.rita, {"preference": (winner, was_left)})


def expected(ties, games=GAMES):
    first = {True: "a", False: "b", None: None}
    return leaderboard(
        [
            Comparison(a, b, winner, cluster=prompt, first_shown=first[was_left])
            for a, b, winner, was_left, prompt in games
        ],
        ties=ties,
    )


@pytest.mark.parametrize("ties", ["davidson", "half"])
def test_the_leaderboard_is_that_of_the_same_comparisons(cast, api, queue, ties):
    play(cast, queue)
    answer = api.get(f"preferences/leaderboard/?ties={ties}")
    assert answer.status == 200
    wanted = expected(ties).as_dict()
    assert (answer.body["model"], answer.body["n_comparisons"], answer.body["connected"]) == (wanted["model"], 9, True)
    for line, other in zip(answer.body["contestants"], wanted["contestants"], strict=True):
        for key in ("strength", "share", "interval"):
            assert line[key] == pytest.approx(other[key], abs=1e-7)
        for key in ("name", "rank", "wins", "losses", "ties", "both_bad", "rank_interval"):
            assert line[key] == other[key]
    effect = answer.body["position_effect"]
    assert effect["value"] == pytest.approx(wanted["position_effect"]["value"], abs=1e-7)
    assert effect["n"] == 8
    assert answer.body["contestant"] == "model"
    assert sum(line["share"] for line in answer.body["contestants"]) == pytest.approx(1)
    assert sum(line["strength"] for line in answer.body["contestants"]) == pytest.approx(0, abs=1e-9)


def test_several_people_on_one_pair_do_not_count_as_several_prompts(cast, queue):
    gpt, llama = models(cast, "gpt", "llama")
    answers = ["aaa", "aab", "bbb", "aaa", "bba", "aaa", "abb", "bbb"]
    for number, winners in enumerate(answers):
        item = make_pair_item(queue, f"pair-{number}", gpt, llama, prompt=f"p{number}")
        for reviewer, winner in zip((cast.rita, cast.rob, cast.rosa), winners, strict=True):
            review(item, reviewer, {"preference": (winner, None)})

    def width(cluster):
        games = [(n, winner) for n, winners in enumerate(answers) for winner in winners]
        board = leaderboard([Comparison("gpt", "llama", winner, cluster=cluster(n)) for n, winner in games])
        low, high = board.contestants[0].interval
        return high - low

    found = ranking(viewer=cast.max, project=cast.project)
    low, high = found.board.contestants[0].interval
    assert (found.n_prompts, found.n_reviewers, found.board.n_comparisons) == (8, 3, 24)
    assert high - low == pytest.approx(width(str), abs=1e-7)
    assert high - low > 1.2 * width(lambda _: None)


def test_only_current_first_answers_on_places_count(cast, queue):
    play(cast, queue, GAMES[:3])
    gpt, llama = models(cast, "gpt", "llama")
    item = make_pair_item(queue, "more", gpt, llama, prompt="p9")
    review(item, cast.rita, {"preference": ("b", True)}, seat="gold")
    review(item, cast.rob, {"preference": ("b", True)}, seat="repeat", attempt=2)
    review(item, cast.ivy, {"preference": ("b", True)}, seat="adjudicate")
    end_review(review(item, cast.rosa, {"preference": ("b", True)}))
    assert ranking(viewer=cast.max, project=cast.project).board.n_comparisons == 3


def test_a_graph_in_two_parts_has_no_ranking_and_says_so(cast, api, queue):
    play(cast, queue, [("gpt", "llama", "a", True, "p1"), ("llama", "gpt", "a", True, "p2"),
                       ("qwen", "yi", "a", True, "p3"), ("yi", "qwen", "a", True, "p4")])  # fmt: skip
    body = api.get("preferences/leaderboard/").body
    assert (body["connected"], body["undefined"]) == (False, "not_connected")
    assert body["reason"]
    assert body["components"] == [["gpt", "llama"], ["qwen", "yi"]]
    assert [(line["name"], line["strength"], line["wins"]) for line in body["contestants"]] == [
        ("gpt", None, 1), ("llama", None, 1), ("qwen", None, 1), ("yi", None, 1),
    ]  # fmt: skip


def test_one_who_never_lost_has_no_bounded_strength(cast, api, queue):
    play(cast, queue, [("gpt", "llama", "a", True, f"p{n}") for n in range(4)])
    body = api.get("preferences/leaderboard/").body
    assert (body["connected"], body["undefined"]) == (False, "not_strongly_connected")


def test_without_comparisons_there_is_no_data(api, queue):
    body = api.get("preferences/leaderboard/").body
    assert (body["n_comparisons"], body["undefined"], body["contestants"]) == (0, "no_data", [])


def test_two_prompts_on_one_model_are_two_contestants(cast, api, queue):
    old, new = (make_configuration(cast.project, prompt_name="support", prompt_version=v, model="gpt") for v in "12")
    for number, winner in enumerate(["a", "b", "a"]):
        review(make_pair_item(queue, f"p{number}", old, new, prompt=f"p{number}"), cast.rita, {"preference": winner})
    body = api.get("preferences/leaderboard/").body
    assert (body["contestant"], [line["name"] for line in body["contestants"]]) == (
        "configuration", ["support 1 · gpt", "support 2 · gpt"],
    )  # fmt: skip
    by_model = api.get("preferences/leaderboard/?contestant=model").body
    assert (by_model["n_comparisons"], by_model["left_out"]["same_contestant"]) == (0, 3)


def test_sides_without_a_configuration_are_left_out_and_counted(cast, api, queue):
    play(cast, queue, GAMES)
    [gpt] = models(cast, "gpt")
    review(make_pair_item(queue, "bare", gpt, None, prompt="p1"), cast.rita, {"preference": ("a", True)})
    body = api.get("preferences/leaderboard/").body
    assert (body["n_comparisons"], body["left_out"]) == (9, {"no_configuration": 1, "same_contestant": 0})


def test_one_queue_can_be_ranked_alone(cast, api, queue):
    play(cast, queue)
    make_queue(cast, "preference", kind="pairwise", slug="other")
    make_queue(cast, "safe", slug="grades")
    assert api.get("preferences/leaderboard/?queue=other").body["n_comparisons"] == 0
    assert api.get("preferences/leaderboard/?queue=pairs").body["n_comparisons"] == 9
    assert api.get("preferences/leaderboard/?queue=nothing").status == 404
    assert api.get("preferences/leaderboard/?queue=grades").status == 422
    for parameters in ("ties=drop", "contestant=prompt", "sort=name"):
        assert api.get(f"preferences/leaderboard/?{parameters}").status == 400


@pytest.mark.parametrize(
    ("who", "status"), [("max", 200), ("otto", 200), ("ivy", 200), ("ada", 403), ("rita", 403), ("nemo", 404)]
)
def test_who_may_see_preferences_counted(cast, page, queue, who, status):
    play(cast, queue)
    client = page(getattr(cast, who))
    assert client.get("/p/halyard/preferences/").status_code == status
    # An adjudicator's role is on a queue, so the page and the API count the queues that they hold.
    assert personal_api(getattr(cast, who)).get("preferences/leaderboard/?queue=pairs").status == status


def test_the_page_shows_whiskers_and_a_sentence(cast, page, queue):
    play(cast, queue)
    text = page(cast.max).get("/p/halyard/preferences/").content.decode()
    assert 'class="wh"' in text
    assert "9 comparisons on 7 inputs by 1 reviewer" in text


def test_the_page_says_why_there_is_no_ranking(cast, page, queue):
    play(cast, queue, [("gpt", "llama", "a", True, f"p{n}") for n in range(4)])
    text = page(cast.max).get("/p/halyard/preferences/?ties=half").content.decode()
    assert "some contestants won or lost every comparison" in text
    assert "undefined" in text
