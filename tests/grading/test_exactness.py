"""Sixteen threads on real PostgreSQL fight over seats: nothing is handed out twice and nothing is graded twice.

The negative control runs the same harness without the unique constraints and with a claim that only reads; it has to
see violations, or the other two tests would prove nothing.
"""

import random
import threading
import time
from dataclasses import dataclass, field

import pytest
from django.db import IntegrityError, connection, connections

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import grant_role
from reviewapp.grading.models import Review
from reviewapp.grading.services import AnswerIn, submit_review
from reviewapp.queues.errors import LeaseOver
from reviewapp.queues.models import Lease, Queue, Seat
from reviewapp.queues.services import EnqueueIn, enqueue, lease_next, leases, release, skip
from tests.conftest import arranging, make_person, owner_connection
from tests.queues.arrange import GOOD, make_outputs, make_queue

THREADS, PEOPLE, SEATS = 16, 8, 3
DOUBLE = {
    "seat": "SELECT count(*) FROM (SELECT 1 FROM reviewapp_lease WHERE ended_at IS NULL AND expires_at > now()"
    " GROUP BY seat_id HAVING count(*) > 1) AS twice",
    "person": "SELECT count(*) FROM (SELECT 1 FROM reviewapp_lease WHERE ended_at IS NULL AND expires_at > now()"
    " GROUP BY item_id, reviewer_id HAVING count(*) > 1) AS twice",
}


@dataclass
class Fight:
    """One run: people, what they did, and what the watcher saw."""

    queue: Queue
    people: list
    stop_at_first: bool = False
    hold_seconds: float = 0.01
    seen: dict = field(default_factory=lambda: dict.fromkeys(DOUBLE, 0))
    did: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what):
        with self.lock:
            self.did[what] = self.did.get(what, 0) + 1

    def run(self, seconds):
        began = time.monotonic()
        workers = [threading.Thread(target=self._guarded, args=(self._work, number)) for number in range(THREADS)]
        watcher = threading.Thread(target=self._guarded, args=(self._watch, 0))
        for thread in (watcher, *workers):
            thread.start()
        while time.monotonic() - began < seconds and any(worker.is_alive() for worker in workers):
            time.sleep(0.02)
        is_finished = not any(worker.is_alive() for worker in workers)
        self.over.set()
        for thread in (watcher, *workers):
            thread.join(30)
        assert self.failures == []
        return is_finished

    def _guarded(self, act, number):
        try:
            act(number)
        except Exception as error:
            self.failures.append(error)
            self.over.set()
        finally:
            connections.close_all()

    def _watch(self, _):
        while not self.over.is_set():
            with connection.cursor() as cursor:
                for what, question in DOUBLE.items():
                    cursor.execute(question)
                    self.seen[what] += cursor.fetchone()[0]
            if self.stop_at_first and all(self.seen.values()):
                self.over.set()
            time.sleep(0.003)

    def _work(self, number):
        dice = random.Random(number)
        person = self.people[number % PEOPLE]
        while not self.over.is_set():
            try:
                lease = lease_next(actor=person, queue=self.queue, another=number >= PEOPLE)
            except IntegrityError:
                self.count("collided")
                continue
            if lease is None:
                if not Seat.objects.filter(queue=self.queue, closed_at=None).exists():
                    return
                time.sleep(0.02)
                continue
            self._act(person, lease, dice)

    def _act(self, person, lease, dice):
        chance = dice.random()
        time.sleep(1.2 if chance < 0.04 else self.hold_seconds * dice.random())
        try:
            # Only two people skip, so that three are always left for every item.
            if chance > 0.97 and person in self.people[:2]:
                skip(actor=person, lease=lease, reason="not for me")
                self.count("skipped")
            elif chance > 0.9:
                release(actor=person, lease=lease)
                self.count("released")
            else:
                submit_review(actor=person, lease=lease, answer=AnswerIn.model_validate(GOOD))
                self.count("submitted")
        except LeaseOver:
            self.count("too late")


def make_fight(cast, items, **more):
    queue = make_queue(cast, reviewers_per_item=SEATS)
    names = [f"out-{number}" for number in range(items)]
    make_outputs(cast.project, items)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=names))
    with arranging():
        Queue.objects.filter(pk=queue.pk).update(lease_seconds=1)
    people = [make_person(f"reviewer-{number}") for number in range(PEOPLE)]
    for person in people:
        grant_role(actor=SYSTEM, user=person.person, role=Role.REVIEWER, target=queue)
    return Fight(Queue.objects.select_related("project", "rubric").get(pk=queue.pk), people, **more)


def read_only_claim(monkeypatch):
    """A claim that looks for a free seat without locking it, and a lease call that does not wait for its twin."""
    monkeypatch.setattr(leases, "_CLAIM", leases._CLAIM.replace("FOR UPDATE OF s SKIP LOCKED", ""))
    monkeypatch.setattr(leases, "_VERSION", leases._VERSION.replace("pg_advisory_xact_lock", "abs"))


@pytest.mark.parametrize("guard", ["claim and constraints", "constraints alone"])
def test_sixteen_threads_get_every_seat_exactly_once(committed_cast, monkeypatch, guard):
    if guard == "constraints alone":
        read_only_claim(monkeypatch)
    items = 40 if guard == "claim and constraints" else 12
    fight = make_fight(committed_cast, items)
    assert fight.run(90), f"not finished: {fight.did}"
    assert fight.seen == {"seat": 0, "person": 0}
    reviews = list(Review.objects.values_list("item_id", "reviewer_id", "seat_id"))
    assert len(reviews) == items * SEATS == len({seat for _, _, seat in reviews})
    assert len({(item, reviewer) for item, reviewer, _ in reviews}) == items * SEATS
    assert {sum(item == other for other, _, _ in reviews) for item, _, _ in reviews} == {SEATS}
    if guard == "claim and constraints":
        assert not Lease.objects.filter(ended_at=None, seat__closed_at__isnull=False).exists()
        assert fight.did["too late"] > 0 < Lease.objects.filter(outcome="expired").count()


def test_the_harness_sees_violations_when_nothing_guards(committed_db, committed_cast, monkeypatch):
    with owner_connection(committed_db) as owner:
        owner.execute("DROP INDEX one_open_lease_per_seat")
        owner.execute("DROP INDEX one_open_lease_per_item_and_reviewer")
    read_only_claim(monkeypatch)
    fight = make_fight(committed_cast, 40, stop_at_first=True, hold_seconds=0.3)
    fight.run(30)
    assert fight.seen["seat"] > 0 < fight.seen["person"]
