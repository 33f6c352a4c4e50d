import django.contrib.auth.models
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import reviewapp.access.models
import reviewapp.lib.ids
from django.conf import settings
from django.db import migrations, models

from reviewapp.migrations._audit_log import AFTER_TABLES, BEFORE_TABLES


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        *BEFORE_TABLES,
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.BinaryField()),
                ("at", models.DateTimeField()),
                ("note", models.TextField()),
            ],
            options={
                "db_table": 'audit"."checkpoint',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("witness", models.TextField()),
                ("line", models.TextField()),
            ],
            options={
                "db_table": 'audit"."cosignature',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("eid", models.UUIDField(unique=True)),
                ("at", models.DateTimeField()),
                ("env", models.TextField()),
                ("event", models.TextField()),
                ("actor_kind", models.TextField()),
                ("actor", models.TextField()),
                ("object_kind", models.TextField()),
                ("object", models.TextField()),
                ("project", models.TextField()),
                ("outcome", models.TextField()),
            ],
            options={
                "db_table": 'audit"."event',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[
                ("idx", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": 'audit"."leaf',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Configuration",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                ("document", models.JSONField()),
                ("prompt_name", models.TextField(blank=True)),
                ("prompt_version", models.TextField(blank=True)),
                ("model", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Criterion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("key", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("binary", "binary"),
                            ("ordinal", "ordinal"),
                            ("categorical", "categorical"),
                            ("multiselect", "multiselect"),
                            ("numeric", "numeric"),
                            ("text", "text"),
                            ("highlight", "highlight"),
                            ("preference", "preference"),
                        ],
                        max_length=20,
                    ),
                ),
                ("title", models.TextField()),
                ("help", models.TextField(blank=True)),
                ("is_required", models.BooleanField(default=True)),
                ("levels", models.JSONField(default=list)),
                ("minimum", models.FloatField(null=True)),
                ("maximum", models.FloatField(null=True)),
                ("pass_at", models.JSONField(null=True)),
                ("show_if", models.JSONField(null=True)),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="Dataset",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=80)),
                ("title", models.CharField(max_length=200)),
                ("criteria", models.JSONField(default=list)),
                (
                    "labels",
                    models.CharField(
                        choices=[("settled", "settled"), ("raw", "raw"), ("adjudicated", "adjudicated")], max_length=12
                    ),
                ),
                ("where", models.JSONField(default=dict)),
                ("split", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="QueueItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("rule", "rule"), ("manual", "manual"), ("import", "import"), ("gold", "gold")],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("priority", models.IntegerField(default=0)),
                ("inclusion_probability", models.FloatField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="GuardrailHit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("name", models.TextField()),
                ("version", models.TextField(blank=True)),
                ("stage", models.CharField(max_length=10)),
                ("action", models.CharField(max_length=10)),
                ("score", models.FloatField(null=True)),
                ("category", models.TextField(blank=True)),
                ("spans", models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name="Judge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=120)),
                ("title", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[("llm", "llm"), ("program", "program"), ("imported", "imported")], max_length=10
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Output",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("external_id", models.TextField()),
                ("content_sha256", models.CharField(max_length=64)),
                ("input_sha256", models.CharField(max_length=64)),
                ("input", models.JSONField(null=True)),
                ("output", models.JSONField(null=True)),
                ("context", models.JSONField(null=True)),
                ("steps", models.JSONField(null=True)),
                ("metadata", models.JSONField(default=dict)),
                ("occurred_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("latency_ms", models.FloatField(null=True)),
                ("time_to_first_token_ms", models.FloatField(null=True)),
                ("input_tokens", models.BigIntegerField(null=True)),
                ("output_tokens", models.BigIntegerField(null=True)),
                ("cost_usd", models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                ("error", models.TextField(null=True)),
                ("session_id", models.TextField(null=True)),
                ("end_user_id", models.TextField(null=True)),
                ("feature", models.TextField(null=True)),
                ("sampling_rate", models.FloatField(null=True)),
                ("sampling_unit", models.FloatField()),
                ("text_dropped_at", models.DateTimeField(null=True)),
                (
                    "configuration",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outputs",
                        to="reviewapp.configuration",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Pair",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("external_id", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "a",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pairs_as_a", to="reviewapp.output"
                    ),
                ),
                (
                    "b",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pairs_as_b", to="reviewapp.output"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=80, unique=True)),
                ("title", models.CharField(max_length=200)),
                (
                    "sampling_seed",
                    models.CharField(default=reviewapp.access.models.new_seed, editable=False, max_length=64),
                ),
                ("retention_days", models.PositiveSmallIntegerField(default=14)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("archived_at", models.DateTimeField(null=True)),
            ],
            options={
                "permissions": [
                    ("hold_admin", "Holds the role admin"),
                    ("hold_manager", "Holds the role manager"),
                    ("hold_auditor", "Holds the role auditor"),
                ],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Queue",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=80)),
                ("title", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[("grade", "grade"), ("pairwise", "pairwise"), ("guardrail", "guardrail")],
                        max_length=10,
                    ),
                ),
                ("reviewers_per_item", models.PositiveSmallIntegerField(default=1)),
                ("overlap_share", models.FloatField(default=1.0)),
                ("max_extra_reviewers", models.PositiveSmallIntegerField(default=0)),
                ("lease_seconds", models.PositiveIntegerField(default=1800)),
                (
                    "order",
                    models.CharField(
                        choices=[("priority", "priority"), ("oldest", "oldest"), ("random", "random")],
                        default="priority",
                        max_length=10,
                    ),
                ),
                ("gold_share", models.FloatField(default=0)),
                ("repeat_share", models.FloatField(default=0)),
                ("is_blind", models.BooleanField(default=True)),
                (
                    "adjudicate",
                    models.CharField(
                        choices=[("never", "never"), ("on_disagreement", "on_disagreement"), ("always", "always")],
                        default="never",
                        max_length=20,
                    ),
                ),
                ("instructions", models.TextField(blank=True)),
                ("pulled_leaf", models.BigIntegerField(default=-1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="queues", to="reviewapp.project"
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("hold_reviewer", "Holds the role reviewer"),
                    ("hold_adjudicator", "Holds the role adjudicator"),
                ],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Payload",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="payload",
                        serialize=False,
                        to="reviewapp.event",
                    ),
                ),
                ("salt", models.BinaryField()),
                ("data", models.TextField()),
            ],
            options={
                "db_table": 'audit"."payload',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Pending",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="pending",
                        serialize=False,
                        to="reviewapp.event",
                    ),
                ),
            ],
            options={
                "db_table": 'audit"."pending',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("username", models.CharField(max_length=400, unique=True)),
                ("display_name", models.CharField(blank=True, max_length=200)),
                ("imported_name", models.CharField(blank=True, max_length=200)),
                ("imported_as_slot", models.BooleanField(default=False)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "imported_into",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imported_reviewers",
                        to="reviewapp.project",
                    ),
                ),
            ],
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="DatasetVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(null=True)),
                ("rows", models.PositiveIntegerField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("manifest", models.JSONField(null=True)),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("frozen_at", models.DateTimeField(null=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="reviewapp.dataset"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DatasetFile",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("format", models.CharField(max_length=40)),
                ("path", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField()),
                ("rows", models.PositiveIntegerField()),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="reviewapp.datasetversion"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FrozenItem",
            fields=[
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="frozen",
                        serialize=False,
                        to="reviewapp.queueitem",
                    ),
                ),
                ("frozen_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="queueitem",
            name="assigned_to",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("answer", models.JSONField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to="reviewapp.queueitem"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GoldAnswer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=200)),
                ("value", models.JSONField()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="gold_answers",
                        to="reviewapp.queueitem",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="queueitem",
            name="hit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="queue_items",
                to="reviewapp.guardrailhit",
            ),
        ),
        migrations.CreateModel(
            name="IdempotencyRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("caller", models.CharField(max_length=80)),
                ("key", models.CharField(max_length=255)),
                ("request_sha256", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("answer", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="idempotency_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("caller", "key"), name="one_answer_per_idempotency_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="InstallationRole",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(choices=[("admin", "admin"), ("auditor", "auditor")], max_length=20)),
                ("granted_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="installation_roles",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="JudgeVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "criteria",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list, size=None
                    ),
                ),
                ("base_url", models.TextField(blank=True)),
                ("model", models.TextField(blank=True)),
                ("key_name", models.CharField(blank=True, max_length=200)),
                ("prompt", models.TextField(blank=True)),
                ("parameters", models.JSONField(default=dict)),
                ("samples", models.PositiveSmallIntegerField(default=1)),
                ("budget_usd", models.DecimalField(decimal_places=6, max_digits=14, null=True)),
                ("checks", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "judge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="reviewapp.judge"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="queueitem",
            name="output",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="queue_items",
                to="reviewapp.output",
            ),
        ),
        migrations.AddField(
            model_name="guardrailhit",
            name="output",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="guardrail_hits", to="reviewapp.output"
            ),
        ),
        migrations.CreateModel(
            name="Fact",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.TextField()),
                ("value", models.FloatField()),
                ("recorded_at", models.DateTimeField(auto_now=True)),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="facts", to="reviewapp.output"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="queueitem",
            name="pair",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="queue_items", to="reviewapp.pair"
            ),
        ),
        migrations.AddField(
            model_name="pair",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="pairs", to="reviewapp.project"
            ),
        ),
        migrations.AddField(
            model_name="output",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="outputs", to="reviewapp.project"
            ),
        ),
        migrations.AddField(
            model_name="judge",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="judges", to="reviewapp.project"
            ),
        ),
        migrations.AddField(
            model_name="guardrailhit",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="guardrail_hits", to="reviewapp.project"
            ),
        ),
        migrations.AddField(
            model_name="dataset",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="datasets", to="reviewapp.project"
            ),
        ),
        migrations.AddField(
            model_name="configuration",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="configurations", to="reviewapp.project"
            ),
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("prefix", models.CharField(max_length=8, unique=True)),
                ("secret_sha256", models.BinaryField()),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="service_tokens",
                        to="reviewapp.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProjectGroupGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "content_object",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="reviewapp.project"),
                ),
                ("group", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.group")),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ProjectUserGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "content_object",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="reviewapp.project"),
                ),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="queueitem",
            name="queue",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="items", to="reviewapp.queue"
            ),
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("leased_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("submitted", "submitted"),
                            ("skipped", "skipped"),
                            ("released", "released"),
                            ("expired", "expired"),
                            ("undone", "undone"),
                        ],
                        max_length=10,
                        null=True,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("skip_reason", models.TextField(blank=True)),
                ("a_is_left", models.BooleanField(null=True)),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leases", to="reviewapp.queueitem"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leases", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leases", to="reviewapp.queue"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="JudgeRun",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("where", models.JSONField(null=True)),
                ("limit", models.PositiveIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="reviewapp.judgeversion"
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="judge_runs",
                        to="reviewapp.queue",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="dataset",
            name="queues",
            field=models.ManyToManyField(related_name="datasets", to="reviewapp.queue"),
        ),
        migrations.CreateModel(
            name="AgreementReport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("leaf_index", models.BigIntegerField()),
                ("n_reviews", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("computed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "queue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="agreement_reports",
                        to="reviewapp.queue",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QueueGroupGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "content_object",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="reviewapp.queue"),
                ),
                ("group", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.group")),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="QueueUserGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "content_object",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="reviewapp.queue"),
                ),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(default=1)),
                ("is_imported", models.BooleanField(default=False)),
                ("comment", models.TextField(blank=True)),
                ("correction", models.TextField(null=True)),
                ("active_seconds", models.FloatField(null=True)),
                ("body_sha256", models.CharField(max_length=64)),
                ("submitted_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviewapp.event"
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="reviewapp.queueitem"
                    ),
                ),
                (
                    "lease",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="reviewapp.lease",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Preference",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "winner",
                    models.CharField(
                        choices=[("a", "a"), ("b", "b"), ("tie", "tie"), ("both_bad", "both_bad")], max_length=10
                    ),
                ),
                ("strength", models.PositiveSmallIntegerField(null=True)),
                ("a_was_left", models.BooleanField(null=True)),
                (
                    "criterion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="preferences",
                        to="reviewapp.criterion",
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="preferences", to="reviewapp.review"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Grade",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("value", models.JSONField()),
                (
                    "criterion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="grades", to="reviewapp.criterion"
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="grades", to="reviewapp.review"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Adjudication",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjudication",
                        to="reviewapp.queueitem",
                    ),
                ),
                (
                    "review",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="adjudication", to="reviewapp.review"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Rubric",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=80)),
                ("title", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rubrics", to="reviewapp.project"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="queue",
            name="rubric",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="queues", to="reviewapp.rubric"
            ),
        ),
        migrations.AddField(
            model_name="judge",
            name="rubric",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="judges", to="reviewapp.rubric"
            ),
        ),
        migrations.CreateModel(
            name="RubricVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("published_at", models.DateTimeField(null=True)),
                ("publish_reason", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "rubric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="reviewapp.rubric"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="review",
            name="rubric_version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="reviewapp.rubricversion"
            ),
        ),
        migrations.AddField(
            model_name="lease",
            name="rubric_version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviewapp.rubricversion"
            ),
        ),
        migrations.AddField(
            model_name="judgeversion",
            name="rubric_version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviewapp.rubricversion"
            ),
        ),
        migrations.AddField(
            model_name="criterion",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="criteria", to="reviewapp.rubricversion"
            ),
        ),
        migrations.CreateModel(
            name="RunItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("cost_usd", models.DecimalField(decimal_places=8, default=0, max_digits=14)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "output",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviewapp.output"
                    ),
                ),
                (
                    "pair",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviewapp.pair"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="reviewapp.judgerun"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SamplingRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=80)),
                ("rate", models.FloatField()),
                ("where", models.JSONField(default=dict)),
                ("daily_budget", models.PositiveIntegerField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sampling_rules",
                        to="reviewapp.project",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="queue",
            name="rules",
            field=models.ManyToManyField(related_name="queues", to="reviewapp.samplingrule"),
        ),
        migrations.CreateModel(
            name="Seat",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("place", "place"),
                            ("extra", "extra"),
                            ("gold", "gold"),
                            ("repeat", "repeat"),
                            ("adjudicate", "adjudicate"),
                        ],
                        default="place",
                        max_length=12,
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("rank", models.FloatField()),
                ("held_until", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seats", to="reviewapp.queueitem"
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seats", to="reviewapp.queue"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="review",
            name="seat",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="reviewapp.seat"
            ),
        ),
        migrations.AddField(
            model_name="lease",
            name="seat",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="leases", to="reviewapp.seat"
            ),
        ),
        migrations.CreateModel(
            name="Selection",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("rate", models.FloatField()),
                ("selected_at", models.DateTimeField(auto_now_add=True)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviewapp.event"
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="selections", to="reviewapp.output"
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="selections",
                        to="reviewapp.samplingrule",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Signal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("value", models.JSONField(null=True)),
                ("occurred_at", models.DateTimeField(null=True)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="signals", to="reviewapp.output"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Verdict",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("order", models.CharField(choices=[("ab", "ab"), ("ba", "ba")], max_length=2, null=True)),
                ("value", models.JSONField(null=True)),
                ("preference", models.CharField(max_length=10, null=True)),
                ("confidence", models.FloatField(null=True)),
                ("rationale", models.TextField(blank=True)),
                ("cost_usd", models.DecimalField(decimal_places=8, max_digits=14, null=True)),
                (
                    "error",
                    models.CharField(
                        choices=[
                            ("refused", "refused"),
                            ("timeout", "timeout"),
                            ("malformed", "malformed"),
                            ("unavailable", "unavailable"),
                            ("over_budget", "over_budget"),
                        ],
                        max_length=12,
                        null=True,
                    ),
                ),
                ("raw", models.TextField(blank=True)),
                ("content_sha256", models.CharField(max_length=64)),
                ("is_imported", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "criterion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="verdicts", to="reviewapp.criterion"
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verdicts",
                        to="reviewapp.output",
                    ),
                ),
                (
                    "pair",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verdicts",
                        to="reviewapp.pair",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verdicts",
                        to="reviewapp.judgerun",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verdicts",
                        to="reviewapp.judgeversion",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="datasetversion",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "running"])), fields=["created_at"], name="open_versions"
            ),
        ),
        migrations.AddConstraint(
            model_name="datasetversion",
            constraint=models.UniqueConstraint(fields=("dataset", "number"), name="one_dataset_version_per_number"),
        ),
        migrations.AddConstraint(
            model_name="datasetfile",
            constraint=models.UniqueConstraint(fields=("version", "format"), name="one_file_per_format"),
        ),
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(fields=("item", "reviewer"), name="one_draft_per_item_and_reviewer"),
        ),
        migrations.AddConstraint(
            model_name="goldanswer",
            constraint=models.UniqueConstraint(fields=("item", "key"), name="one_gold_answer_per_criterion"),
        ),
        migrations.AddConstraint(
            model_name="installationrole",
            constraint=models.UniqueConstraint(fields=("user", "role"), name="one_installation_role_each"),
        ),
        migrations.AddConstraint(
            model_name="fact",
            constraint=models.UniqueConstraint(fields=("output", "name"), name="one_fact_per_name"),
        ),
        migrations.AddConstraint(
            model_name="pair",
            constraint=models.UniqueConstraint(fields=("project", "external_id"), name="one_pair_per_external_id"),
        ),
        migrations.AddConstraint(
            model_name="pair",
            constraint=models.CheckConstraint(
                condition=models.Q(("a", models.F("b")), _negated=True), name="a_pair_has_two_outputs"
            ),
        ),
        migrations.AddIndex(
            model_name="output",
            index=models.Index(fields=["project", "-occurred_at"], name="output_time"),
        ),
        migrations.AddIndex(
            model_name="output",
            index=models.Index(fields=["project", "configuration", "occurred_at"], name="output_configuration"),
        ),
        migrations.AddConstraint(
            model_name="output",
            constraint=models.UniqueConstraint(fields=("project", "external_id"), name="one_output_per_external_id"),
        ),
        migrations.AddConstraint(
            model_name="output",
            constraint=models.CheckConstraint(
                condition=models.Q(("sampling_unit__gte", 0), ("sampling_unit__lt", 1)), name="sampling_unit_in_0_1"
            ),
        ),
        migrations.AddIndex(
            model_name="guardrailhit",
            index=models.Index(fields=["project", "name", "version", "action"], name="hit_version"),
        ),
        migrations.AddConstraint(
            model_name="guardrailhit",
            constraint=models.UniqueConstraint(fields=("output", "position"), name="one_hit_per_position"),
        ),
        migrations.AddConstraint(
            model_name="configuration",
            constraint=models.UniqueConstraint(
                fields=("project", "fingerprint"), name="one_configuration_per_fingerprint"
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("project__isnull", True),
                    models.Q(("scopes__contains", ["review"]), _negated=True),
                    _connector="OR",
                ),
                name="only_people_review",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("imported_into__isnull", False)),
                fields=("imported_into", "imported_name"),
                name="one_imported_reviewer_per_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("imported_into__isnull", True), ("is_active", False), _connector="OR"),
                name="imported_reviewers_cannot_sign_in",
            ),
        ),
        migrations.AlterUniqueTogether(
            name="projectgroupgrant",
            unique_together={("group", "permission", "content_object")},
        ),
        migrations.AlterUniqueTogether(
            name="projectusergrant",
            unique_together={("user", "permission", "content_object")},
        ),
        migrations.AddIndex(
            model_name="queueitem",
            index=models.Index(fields=["queue", "created_at"], name="item_age"),
        ),
        migrations.AddConstraint(
            model_name="queueitem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("hit", None)), fields=("queue", "output"), name="one_item_per_output"
            ),
        ),
        migrations.AddConstraint(
            model_name="queueitem",
            constraint=models.UniqueConstraint(fields=("queue", "pair"), name="one_item_per_pair"),
        ),
        migrations.AddConstraint(
            model_name="queueitem",
            constraint=models.UniqueConstraint(fields=("queue", "hit"), name="one_item_per_guardrail_decision"),
        ),
        migrations.AddConstraint(
            model_name="queueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("hit", None), ("output", None), ("pair__isnull", False)),
                    models.Q(("output__isnull", False), ("pair", None)),
                    _connector="OR",
                ),
                name="an_item_is_an_output_a_hit_or_a_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="queueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("inclusion_probability", None),
                    models.Q(("inclusion_probability__gt", 0), ("inclusion_probability__lte", 1)),
                    _connector="OR",
                ),
                name="inclusion_probability_in_0_1",
            ),
        ),
        migrations.AddIndex(
            model_name="judgerun",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "running"])), fields=["created_at"], name="open_runs"
            ),
        ),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.UniqueConstraint(fields=("project", "slug"), name="one_dataset_per_slug"),
        ),
        migrations.AddIndex(
            model_name="agreementreport",
            index=models.Index(fields=["queue", "-computed_at"], name="report_age"),
        ),
        migrations.AlterUniqueTogether(
            name="queuegroupgrant",
            unique_together={("group", "permission", "content_object")},
        ),
        migrations.AlterUniqueTogether(
            name="queueusergrant",
            unique_together={("user", "permission", "content_object")},
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.UniqueConstraint(fields=("review", "criterion"), name="one_preference_per_criterion"),
        ),
        migrations.AddConstraint(
            model_name="grade",
            constraint=models.UniqueConstraint(fields=("review", "criterion"), name="one_grade_per_criterion"),
        ),
        migrations.AddConstraint(
            model_name="rubric",
            constraint=models.UniqueConstraint(fields=("project", "slug"), name="one_rubric_per_slug"),
        ),
        migrations.AddConstraint(
            model_name="judge",
            constraint=models.UniqueConstraint(fields=("project", "slug"), name="one_judge_per_slug"),
        ),
        migrations.AddConstraint(
            model_name="rubricversion",
            constraint=models.UniqueConstraint(fields=("rubric", "number"), name="one_version_per_number"),
        ),
        migrations.AddConstraint(
            model_name="rubricversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("published_at", None)), fields=("rubric",), name="one_draft_per_rubric"
            ),
        ),
        migrations.AddConstraint(
            model_name="judgeversion",
            constraint=models.UniqueConstraint(fields=("judge", "number"), name="one_judge_version_per_number"),
        ),
        migrations.AddConstraint(
            model_name="criterion",
            constraint=models.UniqueConstraint(fields=("version", "key"), name="one_criterion_per_key"),
        ),
        migrations.AddIndex(
            model_name="runitem",
            index=models.Index(
                condition=models.Q(("finished_at", None)), fields=["run", "id"], name="unfinished_run_items"
            ),
        ),
        migrations.AddConstraint(
            model_name="runitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("output", None), ("pair__isnull", False)),
                    models.Q(("output__isnull", False), ("pair", None)),
                    _connector="OR",
                ),
                name="a_run_item_is_an_output_or_a_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="runitem",
            constraint=models.UniqueConstraint(fields=("run", "output"), name="one_run_item_per_output"),
        ),
        migrations.AddConstraint(
            model_name="runitem",
            constraint=models.UniqueConstraint(fields=("run", "pair"), name="one_run_item_per_pair"),
        ),
        migrations.AddConstraint(
            model_name="samplingrule",
            constraint=models.UniqueConstraint(fields=("project", "slug"), name="one_rule_per_slug"),
        ),
        migrations.AddConstraint(
            model_name="samplingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0), ("rate__lte", 1)), name="rate_in_0_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.UniqueConstraint(fields=("project", "slug"), name="one_queue_per_slug"),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(("reviewers_per_item__gte", 1)), name="at_least_one_reviewer"
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(("overlap_share__gte", 0), ("overlap_share__lte", 1)), name="overlap_share_in_0_1"
            ),
        ),
        migrations.AddIndex(
            model_name="seat",
            index=models.Index(
                condition=models.Q(("closed_at", None)), fields=["queue", "kind", "rank", "id"], name="open_seats"
            ),
        ),
        migrations.AddConstraint(
            model_name="seat",
            constraint=models.UniqueConstraint(fields=("item", "kind", "number"), name="one_seat_per_number"),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(fields=["reviewer", "-submitted_at"], name="review_history"),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_imported", True), ("lease", None), ("seat", None)),
                    models.Q(("is_imported", False), ("lease__isnull", False), ("seat__isnull", False)),
                    _connector="OR",
                ),
                name="a_review_is_leased_or_imported",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("seat",), name="one_current_review_per_seat"
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("lease",), name="one_current_review_per_lease"
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("item", "reviewer", "attempt"),
                name="one_current_review_per_attempt",
            ),
        ),
        migrations.AddIndex(
            model_name="lease",
            index=models.Index(
                condition=models.Q(("ended_at", None), ("outcome__in", ["submitted", "skipped"]), _connector="OR"),
                fields=["reviewer", "item"],
                name="lease_bars_reviewer",
            ),
        ),
        migrations.AddIndex(
            model_name="lease",
            index=models.Index(fields=["queue", "reviewer", "-leased_at"], name="lease_history"),
        ),
        migrations.AddConstraint(
            model_name="lease",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("seat",), name="one_open_lease_per_seat"
            ),
        ),
        migrations.AddConstraint(
            model_name="lease",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("item", "reviewer"),
                name="one_open_lease_per_item_and_reviewer",
            ),
        ),
        migrations.AddConstraint(
            model_name="lease",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("outcome", None)),
                    models.Q(("ended_at__isnull", False), ("outcome__isnull", False)),
                    _connector="OR",
                ),
                name="an_ended_lease_has_an_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="lease",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("leased_at"))), name="a_lease_lasts"
            ),
        ),
        migrations.AddConstraint(
            model_name="selection",
            constraint=models.UniqueConstraint(fields=("rule", "output"), name="one_selection_per_rule_and_output"),
        ),
        migrations.AddConstraint(
            model_name="selection",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0), ("rate__lte", 1)), name="selection_rate_in_0_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="signal",
            constraint=models.UniqueConstraint(
                fields=("output", "kind", "occurred_at"), name="one_signal_per_moment", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.UniqueConstraint(
                condition=models.Q(("error", None), ("pair", None)),
                fields=("version", "criterion", "output"),
                name="one_verdict_per_output",
            ),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.UniqueConstraint(
                condition=models.Q(("error", None), ("output", None)),
                fields=("version", "criterion", "pair", "order"),
                name="one_verdict_per_pair_and_order",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.UniqueConstraint(
                condition=models.Q(("run__isnull", False)),
                fields=("run", "criterion", "output", "pair", "order"),
                name="one_verdict_per_run",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("output", None), ("pair__isnull", False)),
                    models.Q(("output__isnull", False), ("pair", None)),
                    _connector="OR",
                ),
                name="a_verdict_is_on_an_output_or_a_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("error__isnull", False), ("preference", None), ("value", None)),
                    models.Q(("error", None), ("preference", None), ("value__isnull", False)),
                    models.Q(("error", None), ("preference__isnull", False), ("value", None)),
                    _connector="OR",
                ),
                name="a_verdict_is_a_value_a_preference_or_an_error",
            ),
        ),
        *AFTER_TABLES,
    ]
