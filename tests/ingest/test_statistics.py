"""After a bulk write the planner knows how large the tables are, though the app owns none of them."""

from django.db import connection


def known_rows(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        return cursor.fetchone()[0]


def test_statistics_follow_a_bulk_write(api):
    rows = [{"external_id": f"req-{n}", "input": "Why? " * 40, "output": "Because. " * 40} for n in range(400)]
    assert api.bulk("outputs/", rows).body["accepted"] == 400
    assert known_rows("reviewapp_output") >= 400


def test_only_tables_of_ours_are_looked_at(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reviewapp_refresh_statistics('pg_class'), reviewapp_refresh_statistics('x; DROP TABLE y')"
        )
        assert cursor.fetchone() == (False, False)
