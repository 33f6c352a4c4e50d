import django.db.models.deletion
import reviewapp.lib.ids
from django.conf import settings
from django.db import migrations, models

from reviewapp.migrations._audit_log import grant


class Migration(migrations.Migration):

    dependencies = [
        ('reviewapp', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='WitnessedLog',
            fields=[
                ('origin', models.TextField(primary_key=True, serialize=False)),
                ('verifier_key', models.TextField()),
                ('size', models.BigIntegerField()),
                ('root', models.BinaryField()),
                ('note', models.TextField()),
                ('seen_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='apitoken',
            name='last_ip',
            field=models.GenericIPAddressField(null=True),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='replaces',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaced_by', to='reviewapp.apitoken'),
        ),
        migrations.AddField(
            model_name='datasetversion',
            name='withdrawn_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='output',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Publication',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('rung', models.CharField(choices=[('file', 'file'), ('webhook', 'webhook'), ('mail', 'mail'), ('witness', 'witness')], max_length=10)),
                ('target', models.TextField()),
                ('size', models.BigIntegerField(default=0)),
                ('published_at', models.DateTimeField(null=True)),
                ('tried_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('rung', 'target'), name='one_row_per_place')],
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.UUIDField(default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('person', 'person'), ('end_user', 'end_user')], max_length=10)),
                ('end_user_id', models.TextField(null=True)),
                ('subject_digest', models.CharField(max_length=64)),
                ('reason', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('requested', 'requested'), ('refused', 'refused'), ('approved', 'approved'), ('running', 'running'), ('done', 'done')], default='requested', max_length=10)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.TextField(blank=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('done', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(null=True)),
                ('counts', models.JSONField(null=True)),
                ('error', models.TextField(blank=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='erasures', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='erasures', to='reviewapp.project')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['approved', 'running'])), fields=['requested_at'], name='open_erasures')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='two_people_decide_an_erasure'), models.CheckConstraint(condition=models.Q(models.Q(('end_user_id', None), ('kind', 'person'), ('person__isnull', False)), models.Q(('kind', 'end_user'), ('person', None), ('project__isnull', False)), _connector='OR'), name='an_erasure_has_one_subject')],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.UUIDField(default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('invite', 'invite'), ('reset', 'reset')], max_length=10)),
                ('secret_sha256', models.BinaryField(unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('used_at', None), ('withdrawn_at', None)), fields=('user',), name='one_open_link_per_person')],
            },
        ),
        migrations.CreateModel(
            name='Verification',
            fields=[
                ('id', models.UUIDField(default=reviewapp.lib.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('done', 'done'), ('failed', 'failed')], default='waiting', max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('done', models.BigIntegerField(default=0)),
                ('total', models.BigIntegerField(null=True)),
                ('checkpoints', models.BigIntegerField(null=True)),
                ('erased', models.BigIntegerField(null=True)),
                ('problem', models.TextField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['created_at'], name='open_checks')],
            },
        ),
        # The app's login may from now on keep a witness's signature.
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
