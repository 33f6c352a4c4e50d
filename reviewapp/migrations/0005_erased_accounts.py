from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("reviewapp", "0004_erasure"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("erased_at__isnull", True), ("is_active", False), _connector="OR"),
                name="an_erased_account_stays_closed",
            ),
        ),
    ]
