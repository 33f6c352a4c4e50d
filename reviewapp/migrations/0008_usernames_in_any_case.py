import django.db.models.functions.text
from django.db import migrations, models


def say_which(apps, schema_editor):
    """Stop with the names that would be one, instead of the index's own words."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(username, ', ' ORDER BY username) FROM reviewapp_user WHERE imported_into_id IS NULL"
            " GROUP BY upper(username) HAVING count(*) > 1"
        )
        twice = [row[0] for row in cursor.fetchall()]
    if twice:
        raise RuntimeError(f"Usernames must differ in more than case. Rename one of each: {'; '.join(twice)}")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("reviewapp", "0007_search_paths"),
    ]

    operations = [
        migrations.RunPython(say_which, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Upper("username"),
                condition=models.Q(("imported_into__isnull", True)),
                name="one_account_per_name_in_any_case",
            ),
        ),
    ]
