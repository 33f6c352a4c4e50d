"""Downloads carry their digest, resume, and leave a line in the log."""

import base64
import hashlib
import json

from reviewapp.audit.models import Event


def events():
    return Event.objects.filter(event="exports.version_downloaded").order_by("id")


def test_a_download_carries_its_digest_and_a_safe_name(labelled):
    labelled.freeze()
    answer = labelled.download()
    digest = hashlib.sha256(answer.raw)
    encoded = base64.b64encode(digest.digest()).decode()
    assert answer.headers["ETag"] == f'"{digest.hexdigest()}"'
    assert answer.headers["Digest"] == f"sha-256={encoded}"
    assert answer.headers["Repr-Digest"] == f"sha-256=:{encoded}:"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(len(answer.raw))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="halyard-gold-v1-labels.jsonl"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_resumed_download_is_the_whole(labelled):
    labelled.freeze()
    whole = labelled.download()
    begun = labelled.download(Range="bytes=0-99")
    rest = labelled.download(Range="bytes=100-", **{"If-Range": whole.headers["ETag"]})
    assert (begun.status, rest.status) == (206, 206)
    assert begun.raw + rest.raw == whole.raw
    assert rest.headers["Content-Range"] == f"bytes 100-{len(whole.raw) - 1}/{len(whole.raw)}"
    assert labelled.download(Range="bytes=-5").raw == whole.raw[-5:]


def test_what_is_not_one_range_of_this_file_gets_the_whole(labelled):
    labelled.freeze()
    whole = labelled.download().raw
    for headers in (
        {"Range": "bytes=0-1,5-6"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=9-3"},
        {"Range": "bytes=-"},
        {"Range": "bytes=5-", "If-Range": '"another"'},
        {"Range": "bytes=5-", "If-Range": "Sat, 21 Nov 2026 10:00:00 GMT"},
    ):
        answer = labelled.download(**headers)
        assert (answer.status, answer.raw) == (200, whole), headers


def test_a_range_behind_the_end_is_416_and_says_how_long_the_file_is(labelled):
    labelled.freeze()
    size = len(labelled.download().raw)
    for asked in ("bytes=999999-", "bytes=-0"):
        answer = labelled.download(Range=asked)
        assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_who_has_it_already_gets_304_and_no_event(labelled):
    labelled.freeze()
    tag = labelled.download().headers["ETag"]
    before = events().count()
    again = labelled.download(**{"If-None-Match": f'W/"x", {tag}'})
    assert (again.status, again.raw, again.headers["ETag"]) == (304, b"", tag)
    assert events().count() == before


def test_head_answers_the_headers_alone(labelled):
    labelled.freeze()
    answer = labelled.api.call("HEAD", "datasets/gold/versions/1/download/?format=jsonl")
    assert (answer.status, answer.raw) == (200, b"")
    assert answer.headers["Content-Length"] == str(labelled.download().headers["Content-Length"])
    assert events().count() == 1


def test_every_taken_part_is_an_event_with_rows_and_hash(labelled):
    labelled.freeze()
    whole = labelled.download()
    labelled.download(Range="bytes=10-")
    first, second = (json.loads(event.payload.data) for event in events())
    assert (first["rows"], first["sha256"]) == (2, hashlib.sha256(whole.raw).hexdigest())
    assert first["bytes"] == f"0-{len(whole.raw) - 1}/{len(whole.raw)}"
    assert second["bytes"].startswith("10-")


def test_an_unknown_format_is_400_and_a_version_that_is_not_done_409(labelled):
    labelled.ok(labelled.api.post("datasets/gold/versions/"))
    assert labelled.download().status == 409
    assert labelled.download("parquet").status == 400
    assert labelled.download(number=7).status == 404
    assert labelled.api.get("datasets/gold/versions/1/download/?formt=jsonl").status == 400


def test_a_file_that_was_altered_is_not_handed_out(labelled, settings):
    labelled.freeze()
    [path] = settings.FILES_DIR.rglob("labels.jsonl")
    path.write_bytes(path.read_bytes() + b"x")
    answer = labelled.download()
    assert (answer.status, answer.body["type"]) == (500, "urn:reviewapp:problem:file-lost")
    assert events().count() == 0
