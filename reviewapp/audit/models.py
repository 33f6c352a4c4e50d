"""Tables of the log, in the schema `audit`.

They are created by migration 0001 as SQL; the classes only read and insert.
"""

from django.db import models


class Event(models.Model):
    """One line of the log.

    `env` is the exact canonical JSON that the leaf hash covers; the other columns are generated from it.
    """

    id = models.BigAutoField(primary_key=True)
    eid = models.UUIDField(unique=True)
    at = models.DateTimeField()
    env = models.TextField()
    event = models.TextField()
    actor_kind = models.TextField()
    actor = models.TextField()
    object_kind = models.TextField()
    object = models.TextField()
    project = models.TextField()
    outcome = models.TextField()

    class Meta:
        managed = False
        db_table = 'audit"."event'

    def __str__(self) -> str:
        return f"{self.event} {self.eid}"


class Payload(models.Model):
    """The erasable part: salt (32 bytes) and canonical JSON. `env.data_commit` is SHA-256(salt || data)."""

    event = models.OneToOneField(Event, models.DO_NOTHING, primary_key=True, related_name="payload")
    salt = models.BinaryField()
    data = models.TextField()

    class Meta:
        managed = False
        db_table = 'audit"."payload'

    def __str__(self) -> str:
        return f"payload of {self.event_id}"


class Pending(models.Model):
    """An event that has no leaf yet. Filled by a trigger in the writer's transaction, emptied by the sequencer."""

    event = models.OneToOneField(Event, models.DO_NOTHING, primary_key=True, related_name="pending")

    class Meta:
        managed = False
        db_table = 'audit"."pending'

    def __str__(self) -> str:
        return f"pending {self.event_id}"


class Leaf(models.Model):
    """The place of an event in the tree: gapless `idx` from 0, SHA-256(0x00 || env)."""

    idx = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, models.DO_NOTHING, related_name="leaf")
    hash = models.BinaryField()

    class Meta:
        managed = False
        db_table = 'audit"."leaf'

    def __str__(self) -> str:
        return f"leaf {self.idx}"


class Checkpoint(models.Model):
    """A signed tree head over the first `size` leaves; `note` is a C2SP signed note."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    at = models.DateTimeField()
    note = models.TextField()

    class Meta:
        managed = False
        db_table = 'audit"."checkpoint'

    def __str__(self) -> str:
        return f"checkpoint {self.size}"


class Cosignature(models.Model):
    """A witness's line under a checkpoint."""

    id = models.BigAutoField(primary_key=True)
    checkpoint = models.ForeignKey(Checkpoint, models.DO_NOTHING, db_column="size", related_name="cosignatures")
    witness = models.TextField()
    line = models.TextField()

    class Meta:
        managed = False
        db_table = 'audit"."cosignature'

    def __str__(self) -> str:
        return f"{self.witness} over {self.checkpoint_id}"
