"""Every answer that shows production text leaves exactly one event that names what was read; every other leaves none.

The routes come from the URL resolver, the rows from the inhabited house of the matrix test: a new page that shows text
is walked without anybody adding it here.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from django.db import transaction

from reviewapp.access.doors import DOORS
from reviewapp.audit.models import Event
from reviewapp.compliance.selectors.events import request_of
from reviewapp.compliance.vocabulary import Sort, events_of_sort
from reviewapp.ingest.models import Output
from tests.access.inhabited import inhabited_house
from tests.access.test_doors import named_routes
from tests.access.test_matrix import FORMS, address

QUESTION, ANSWER = "planted question 7c1e", "planted answer 7c1e"
READERS = ("manager", "reviewer who holds the lease", "adjudicator", "service token, every scope")
# What these answer is counts over text, or what is held about a person themselves; they say so in the log.
OTHER_READS = {"ingest.rule_tried", "compliance.subject_reported"}
READS = set(events_of_sort(Sort.READ.value) or ()) - OTHER_READS


def asked(caller, method, url, form):
    """(text of the answer, reads that its request left), whatever was done being taken back.

    A plain form is followed to the page where it leads: the item is taken in one request and shown in the next.
    """
    cookies = caller.client.cookies.copy()
    with transaction.atomic():
        if url.startswith("/api/"):
            response = caller.client.generic(method, url, b"{}", "application/json", headers=caller.headers)
        else:
            response = getattr(caller.client, method.lower())(url, form or {}, headers=caller.headers)
        body = response.getvalue() if response.streaming else response.content
        if response.status_code == 302 and "/review/" in response["Location"]:
            response = caller.client.get(response["Location"])
            body = response.content
        found = Event.objects.alias(asked=request_of()).filter(asked=response.headers["X-Request-Id"], event__in=READS)
        reads = list(found.select_related("payload"))
        transaction.set_rollback(True)
    caller.client.cookies = cookies
    return body.decode(errors="replace"), reads


def names_something(event):
    """Whether the log says which text was read: an item, or the outputs by their ids."""
    said = json.loads(event.payload.data)
    return event.object_kind == "item" or bool(said.get("external_ids"))


def test_every_answer_with_production_text_is_one_event_and_no_other_is(db, capsys, caplog):
    caplog.set_level(logging.CRITICAL)
    house = inhabited_house()
    Output.objects.update(input=QUESTION, output=ANSWER)
    readers = [caller for caller in house.callers if caller.name in READERS]
    assert len(readers) == len(READERS)
    wrong, with_text = [], set()
    for name, (path, _) in named_routes().items():
        url = address(house, name, path)
        for method in DOORS[name]:
            for caller in readers:
                body, reads = asked(caller, method, url, FORMS.get(name))
                shows = QUESTION in body or ANSWER in body
                if shows:
                    with_text.add(f"{method} {name}")
                due = 1 if shows else 0
                if len(reads) != due or not all(names_something(one) for one in reads):
                    wrong.append(f"{method} {name} as {caller.name}: {'text' if shows else 'no text'}, {reads}")
    with capsys.disabled():
        print(f"\nproduction text is shown by {len(with_text)} of {len(DOORS)} routes: {', '.join(sorted(with_text))}")
    assert wrong == [], "\n".join(wrong)
    assert {"GET ingest-api:outputs", "GET ingest-api:output", "GET grading:review"} <= with_text


def test_keeping_a_draft_reads_nothing_and_the_next_item_is_one_read(db):
    house = inhabited_house()
    rita = next(caller for caller in house.callers if caller.name == "reviewer who holds the lease")
    base = f"/p/halyard/review/{house.queue.slug}/"
    fragment = replace(rita, headers={"HX-Request": "true"})
    _, reads = asked(fragment, "POST", f"{base}{house.rows['lease']}/draft/", {"correct": "true"})
    assert reads == []
    _, reads = asked(rita, "GET", base, None)
    assert len(reads) == 1
