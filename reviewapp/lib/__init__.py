"""lib: what every room stands on and that knows no room.

Clock, ids, canonical JSON and its strict reader, `DomainError`, problem documents and bulk bodies for the API, the
role SQL of the database, the embedded servers (`devstack`), the one outbound HTTP client and the OpenAI wrapper. No
tables.

May import: nothing of ours. Django only where the file says so (`devstack`, `jsonread`, `canonical` stay free of it).
Decided 2026-11-21: request bodies are pydantic models (compiled, strict, unknown fields refused); DRF gives
authentication, negotiation and the schema. Two validation systems would answer the same mistake in two ways.
"""
