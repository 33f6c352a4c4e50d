from django.db import migrations, models

from reviewapp.migrations._audit_log import grant
from reviewapp.migrations._erasure import ERASING


class Migration(migrations.Migration):
    dependencies = [
        ("reviewapp", "0003_no_change_without_event"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="erased_at",
            field=models.DateTimeField(null=True),
        ),
        *ERASING,
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
