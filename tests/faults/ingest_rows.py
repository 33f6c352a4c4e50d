"""Rows 1 to 20: what programs send."""

from __future__ import annotations

import gzip
import io
import unicodedata
import zipfile

from reviewapp.audit.models import Event, Payload
from reviewapp.ingest.models import Output
from tests.faults.ground import Row

HTML = "<img src=x onerror=alert(1)>"
HTMX = "<a hx-get=/api/me hx-trigger=load>x</a><div hx-on::load=alert(1)>"
SECRETS = ["AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "078-05-1120", "4111111111111111"]
NFC, NFD = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
ROWS: list[Row] = []


def row(number, what, send, *status, **more):
    ROWS.append(Row(number, what, send, status, **more))


def one(text):
    """An output whose fields after the first three are this JSON text."""
    return '{"external_id": "x", "input": "q", "output": "a", ' + text + "}"


def counts(accepted, duplicates, rejected):
    def look(_, answer):
        return [answer.body[key] for key in ("accepted", "duplicates", "rejected")] == [accepted, duplicates, rejected]

    return look


def nothing_stored(ground, answer):
    return not Output.objects.filter(external_id="x").exists()


def is_shown_as_text(ground, answer):
    stored = ground.api.get("outputs/x/").body["output"]
    ground.api.post("queues/answers/items/", {"external_ids": ["x"], "priority": 9})
    browser = ground.browser(ground.cast.rita)
    browser.post("/p/halyard/review/answers/next/")
    page = browser.get("/p/halyard/review/answers/").content.decode()
    assert stored in (HTML, HTMX)
    return stored not in page and "&lt;" in page and "onerror=alert(1)>" not in page and "<a hx-get" not in page


row(1, "html in an output", lambda g: g.send(output=HTML), 200, then=is_shown_as_text)
row(2, "htmx attributes in an output", lambda g: g.send(output=HTMX), 200, then=is_shown_as_text)
row(3, "nul in a value", lambda g: g.raw(one('"metadata": {"a": "x\\u0000y"}')), 400, 422, then=nothing_stored)
row(3, "nul in a key", lambda g: g.raw(one('"metadata": {"x\\u0000y": 1}')), 400, 422, then=nothing_stored)
row(4, "lone surrogate", lambda g: g.raw(one('"metadata": {"a": "\\ud800"}')), 400, 422, then=nothing_stored)
row(5, "5,000 brackets", lambda g: g.raw("[" * 5_000), 400, 413, seconds=0.5)
row(5, "100,000 brackets", lambda g: g.raw("[" * 100_000), 400, 413, seconds=0.5)
row(5, "900 levels", lambda g: g.raw(one(f'"metadata": {"[" * 900}{"]" * 900}')), 400, 413, 422, then=nothing_stored)
for name in ("NaN", "Infinity", "-Infinity", "1e400"):
    row(6, f"{name} as a number", lambda g, name=name: g.raw(one(f'"latency_ms": {name}')), 400, then=nothing_stored)
row(7, "integer of 4,000 digits", lambda g: g.raw(one(f'"metadata": {{"n": {"9" * 4_000}}}')), 400, then=nothing_stored)
row(8, "duplicate key", lambda g: g.raw('{"external_id":"x","external_id":"y","input":"q","output":"a"}'), 400)
row(9, "50 MB of JSON", lambda g: g.raw(one(f'"metadata": {{"a": "{"a" * 50_000_000}"}}')), 413, seconds=5)
row(9, "no length", lambda g: without_length(g), 400)
row(9, "length shorter than the body", lambda g: with_length(g, 20), 400, then=nothing_stored)
row(10, "gzip bomb", lambda g: g.raw(gzip.compress(b" " * 50_000_000), **{"Content-Encoding": "gzip"}), 413, seconds=5)


def without_length(ground):
    """As a server hands on a chunked body."""
    return ground.raw(one('"feature": "f"'), **{"Transfer-Encoding": "chunked", "Content-Length": ""})


def with_length(ground, length):
    return ground.raw(one('"feature": "f"'), **{"Content-Length": str(length)})


def twice(ground, **second):
    ground.send()
    return ground.send(**second)


row(11, "same id and body", lambda g: twice(g), 200, then=counts(0, 1, 0))
row(11, "same id and another body", lambda g: twice(g, output="b"), 422, then=counts(0, 0, 1))


def batch_with_one_bad(ground):
    rows = [{"external_id": f"b-{n}", "input": "q", "output": "a"} for n in range(500)]
    rows[316]["latency_ms"] = -1
    return ground.api.bulk("outputs/", rows)


def names_line_317(ground, answer):
    [error] = answer.body["errors"]
    assert Output.objects.filter(external_id__startswith="b-").count() == 499
    return (error["line"], error["external_id"], error["pointer"]) == (317, "b-316", "/latency_ms")


row(12, "one bad record of 500", batch_with_one_bad, 200, then=names_line_317)
row(13, "external_id of 201 characters", lambda g: g.send(external_id="x" * 201), 422)
row(13, "empty external_id", lambda g: g.send(external_id=""), 422)
row(13, "external_id that climbs", lambda g: g.send(external_id="../x"), 200, then=counts(1, 0, 0))
row(13, "external_id that turns the text", lambda g: g.send(external_id="a\u202eb"), 200, then=counts(1, 0, 0))
row(
    13,
    "NFC and NFD of one word",
    lambda g: (g.send(external_id=NFC), g.send(external_id=NFD))[1],
    200,
    then=lambda g, _: Output.objects.filter(external_id__in=[NFC, NFD]).count() == 2,
)
for charset in ("utf-16", "latin-1"):
    row(
        14,
        charset,
        lambda g, c=charset: g.raw(one('"feature": "f"').encode(c), content_type=f"application/json; charset={c}"),
        415,
    )
row(14, "utf-16 that does not say so", lambda g: g.raw(one('"feature": "f"').encode("utf-16")), 400)
row(14, "zlib", lambda g: g.raw(b"x", **{"Content-Encoding": "deflate"}), 415)


def to_another_project(ground):
    return ground.api.post("/api/v1/projects/other/outputs/", {"external_id": "x", "input": "q", "output": "a"})


row(15, "another tenant's project", to_another_project, 404, logged=True, then=nothing_stored)


def only_in_the_table(ground, answer):
    """No redaction is configured, so the text is kept as it came; the log of events holds counts, never text."""
    assert Output.objects.get(external_id="x").output == " ".join(SECRETS)
    kept = "".join(Payload.objects.values_list("data", flat=True)) + "".join(
        Event.objects.values_list("env", flat=True)
    )
    return not [secret for secret in SECRETS if secret in kept]


row(16, "secrets in the text", lambda g: g.send(output=" ".join(SECRETS)), 200, then=only_in_the_table)
for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20T10:00:00", "2026-02-30T00:00:00Z"):
    row(17, f"time {moment}", lambda g, m=moment: g.send(occurred_at=m), 200, 422)


def archive(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return packed.getvalue()


UPLOADS = ("uploads/", "files/", "imports/", "datasets/upload/", "outputs/upload/")


def no_such_door(ground, path, body, kind):
    return ground.raw(body, path, content_type=kind)


# Nothing is uploaded here as a file: the doors of rows 18 to 20 do not exist, and the bulk doors read no such body.
for path in UPLOADS:
    row(
        18,
        f"zip to {path}",
        lambda g, p=path: no_such_door(g, p, archive(a="x" * 100_000), "application/zip"),
        404,
        405,
        415,
    )
for kind, body in (
    ("application/zip", archive(a="0" * 10_000_000)),
    ("application/zip", archive(**{f"m{n}": "" for n in range(2_000)})),
    ("application/zip", archive(**{"../../etc/passwd": "x"})),
    ("application/octet-stream", b"\x00" * 1_000),
):
    row(18, f"{kind} of {len(body)} bytes", lambda g, b=body, k=kind: g.raw(b, content_type=k), 415, seconds=1)
for body in ("a," * 10_000, 'a,"b', "x" * 1_000_000):
    row(19, f"csv of {len(body)} characters", lambda g, b=body: g.raw(b, content_type="text/csv"), 415, seconds=1)
for kind in ("text/html", "image/svg+xml", "multipart/form-data; boundary=x", "text/plain"):
    row(20, f"{kind.partition(';')[0]} as data", lambda g, k=kind: g.raw("<svg onload=alert(1)>", content_type=k), 415)
row(20, "html that says it is json", lambda g: g.raw("<script>alert(1)</script>"), 400)
