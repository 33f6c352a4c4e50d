from django.db import migrations

from reviewapp.migrations._auditor_indexes import BACK, FORWARD


class Migration(migrations.Migration):
    dependencies = [
        ("reviewapp", "0005_erased_accounts"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, reverse_sql=BACK),
    ]
