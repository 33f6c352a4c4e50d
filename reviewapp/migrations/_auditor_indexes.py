"""What the auditor's filters go by. The log is written at its end, so each of these grows at one edge only."""

FORWARD = """
CREATE INDEX event_at ON audit.event (at);
CREATE INDEX event_kind_id ON audit.event (object_kind, id DESC);
CREATE INDEX event_refused_id ON audit.event (outcome, id DESC) WHERE outcome <> 'success';
CREATE INDEX event_request ON audit.event (((env::jsonb) ->> 'request_id'));
"""
BACK = """
DROP INDEX audit.event_at, audit.event_kind_id, audit.event_refused_id, audit.event_request;
"""
