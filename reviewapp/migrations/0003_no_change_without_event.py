from django.db import migrations

from reviewapp.migrations._event_required import BACK, FUNCTIONS, guarded


class Migration(migrations.Migration):
    dependencies = [
        ("reviewapp", "0002_access_and_audit"),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, reverse_sql=BACK),
        guarded(
            "reviewapp_adjudication",
            "reviewapp_agreementreport",
            "reviewapp_apitoken",
            "reviewapp_configuration",
            "reviewapp_criterion",
            "reviewapp_dataset",
            "reviewapp_dataset_queues",
            "reviewapp_datasetfile",
            "reviewapp_datasetversion",
            "reviewapp_draft",
            "reviewapp_erasure",
            "reviewapp_fact",
            "reviewapp_frozenitem",
            "reviewapp_goldanswer",
            "reviewapp_grade",
            "reviewapp_guardrailhit",
            "reviewapp_installationrole",
            "reviewapp_invitation",
            "reviewapp_judge",
            "reviewapp_judgerun",
            "reviewapp_judgeversion",
            "reviewapp_lease",
            "reviewapp_output",
            "reviewapp_pair",
            "reviewapp_preference",
            "reviewapp_project",
            "reviewapp_projectgroupgrant",
            "reviewapp_projectusergrant",
            "reviewapp_queue",
            "reviewapp_queue_rules",
            "reviewapp_queuegroupgrant",
            "reviewapp_queueitem",
            "reviewapp_queueusergrant",
            "reviewapp_review",
            "reviewapp_rubric",
            "reviewapp_rubricversion",
            "reviewapp_runitem",
            "reviewapp_samplingrule",
            "reviewapp_seat",
            "reviewapp_selection",
            "reviewapp_signal",
            "reviewapp_user",
            "reviewapp_user_groups",
            "reviewapp_user_user_permissions",
            "reviewapp_verdict",
            "reviewapp_verification",
        ),
    ]
