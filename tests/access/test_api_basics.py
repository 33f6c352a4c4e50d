"""What every call of the API keeps."""

import base64
import json

import pytest

from tests.conftest import Api, personal_api


def test_an_admin_of_the_installation_makes_a_project(cast):
    made = personal_api(cast.ada).post("/api/v1/projects/", {"slug": "second", "title": "Second"})
    assert (made.status, made.body) == (201, {"slug": "second", "title": "Second"})


def test_nobody_else_makes_a_project(cast):
    answer = personal_api(cast.max).post("/api/v1/projects/", {"slug": "second", "title": "Second"})
    assert answer.status == 403
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_unknown_field_is_refused_with_its_pointer(cast):
    answer = personal_api(cast.ada).post("/api/v1/projects/", {"slug": "second", "title": "Second", "colour": "red"})
    assert answer.status == 422
    assert answer.body["errors"][0]["pointer"] == "/colour"


def test_no_token_is_401_with_a_challenge(cast):
    answer = Api(None, "halyard").get("/api/v1/projects/")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="reviewapp"')


def test_a_repeated_idempotency_key_answers_the_first_answer(cast):
    api = personal_api(cast.ada)
    first = api.post("/api/v1/projects/", {"slug": "second", "title": "Second"}, **{"Idempotency-Key": "k1"})
    again = api.post("/api/v1/projects/", {"slug": "second", "title": "Second"}, **{"Idempotency-Key": "k1"})
    other = api.post("/api/v1/projects/", {"slug": "third", "title": "Third"}, **{"Idempotency-Key": "k1"})
    assert (first.status, again.status, other.status) == (201, 201, 422)
    assert again.body == first.body


def test_an_unknown_query_parameter_is_400(api):
    assert api.get("/api/v1/projects/?nosuch=1").status == 400


def test_a_tampered_cursor_is_400(api):
    assert api.get("/api/v1/projects/?cursor=%25%25").status == 400


def test_the_schema_is_public(client, db):
    assert client.get("/api/v1/schema/").status_code == 200


def test_a_cursor_that_holds_nul_is_400(api):
    cursor = base64.urlsafe_b64encode(b"n:a\x00").decode()
    for path in ("rubrics/", "rules/", "judges/", "datasets/", "queues/", "outputs/"):
        assert api.get(f"{path}?cursor={cursor}").status == 400, path


POSTS = (
    "outputs/", "signals/", "pairs/", "rules/", "rules/try/", "rules/some/backfill/", "rubrics/",
    "rubrics/some/publish/", "queues/", "judges/", "datasets/",
)  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
def test_a_post_takes_no_unknown_query_parameter(api, path):
    assert api.post(f"{path}?nosuch=1", {}).status == 400


def test_making_a_project_takes_no_unknown_query_parameter(cast):
    assert personal_api(cast.ada).post("/api/v1/projects/?nosuch=1", {}).status == 400


@pytest.mark.parametrize("path", ["/api/v1/schema/", "/api/v1/docs/"])
def test_a_wrong_method_is_a_problem_document_also_where_answers_are_not_json(client, db, path):
    answer = client.delete(path)
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
    assert json.loads(answer.content)["status"] == 405


def test_the_schema_is_json_and_takes_no_parameters(client, db):
    answer = client.get("/api/v1/schema/")
    assert answer["Content-Type"].startswith("application/vnd.oai.openapi+json")
    assert json.loads(answer.content)["openapi"].startswith("3.1")
    assert client.get("/api/v1/schema/?nosuch=1").status_code == 400
