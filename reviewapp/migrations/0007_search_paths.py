from django.db import migrations

from reviewapp.migrations._search_paths import BACK, FORWARD


class Migration(migrations.Migration):
    dependencies = [
        ("reviewapp", "0006_auditor_indexes"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, reverse_sql=BACK),
    ]
