"""The published OpenAPI document says what the doors of ingest and rubrics take and answer."""

import json


def test_the_schema_names_each_door_and_its_fields(client, db):
    document = json.loads(client.get("/api/v1/schema/").content)
    base = "/api/v1/projects/{project}/"
    outputs = document["paths"][f"{base}outputs/"]
    assert (outputs["get"]["operationId"], outputs["post"]["operationId"]) == ("list_outputs", "send_outputs")
    assert set(outputs["post"]["requestBody"]["content"]) == {"application/json", "application/x-ndjson"}
    fields = document["components"]["schemas"]["OutputIn"]
    assert set(fields["required"]) == {"external_id", "input", "output"}
    assert fields["additionalProperties"] is False
    assert document["paths"][f"{base}rubrics/{{rubric}}/publish/"]["post"]["operationId"] == "publish_rubric"
