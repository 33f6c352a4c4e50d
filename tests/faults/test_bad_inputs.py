"""The catalogue of bad inputs, SECURITY.md section 5, as one table: 60 numbers, each with its variants.

Where the catalogue and API.md differ in a status, API.md holds. Every refusal of the API is a problem document, and no
answer shows anything of the inside.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from reviewapp.ingest.models import Output
from tests.conftest import service_api
from tests.faults import identity_rows, ingest_rows, machine_rows, people_rows
from tests.faults.ground import Ground, check

CATALOGUE = sorted(
    [*ingest_rows.ROWS, *people_rows.ROWS, *machine_rows.ROWS, *identity_rows.ROWS], key=lambda row: row.number
)
# A frozen version is built from a snapshot, which needs commits.
COMMITTED = [row for row in CATALOGUE if row.number in (45, 46, 47)]
ORDINARY = [row for row in CATALOGUE if row not in COMMITTED]


def test_the_catalogue_is_whole():
    assert {row.number for row in CATALOGUE} == set(range(1, 61))


@pytest.mark.parametrize("row", ORDINARY, ids=lambda row: row.id)
def test_bad_input(cast, client, row):
    check(row, Ground(cast, client))


@pytest.mark.parametrize("row", COMMITTED, ids=lambda row: row.id)
def test_bad_input_at_the_door_of_files(committed_cast, client, row):
    check(row, Ground(committed_cast, client))


def test_row_11_fifty_at_once_land_one_output(committed_cast):
    api = service_api(committed_cast)

    def send(_):
        try:
            return api.post("outputs/", {"external_id": "same", "input": "q", "output": "a"}).body
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(send, range(50)))
    assert sum(answer["accepted"] for answer in answers) == 1
    assert sum(answer["duplicates"] for answer in answers) == 49
    assert Output.objects.filter(external_id="same").count() == 1
