"""How operations are named in the OpenAPI document: by method and address, so that no two can collide."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema


class HouseSchema(AutoSchema):
    """drf-spectacular's, with names that say the address: `get_projects_by_project_queues`."""

    def get_operation_id(self) -> str:
        """Stable while the address is."""
        steps = str(self.path).removeprefix("/api/v1/").strip("/").split("/")
        named = ["by_" + step.strip("{}") if step.startswith("{") else step.replace("-", "_") for step in steps]
        return "_".join([str(self.method).lower(), *named])
