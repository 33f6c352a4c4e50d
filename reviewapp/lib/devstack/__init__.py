"""Start-up: embedded PostgreSQL and Redis, and the supervisor that runs the whole stack on one machine.

`python -m reviewapp.lib.devstack run -- COMMAND` gives a command its own throw-away servers; `demo` runs everything on
servers that keep their data. May import only `reviewapp.lib`, never Django: it starts before there are settings.

Decided (2026-11-21):
- The servers' binaries from the wheels are called directly, without the wheels' Python: PostgreSQL as root needs an
  unprivileged account, and the wheel would create one with `useradd`. We use an account that every system already has.
- Unix sockets only, so no port can clash and nothing can reach the servers from outside. A socket's path must be short
  and plain, so it leaves `var/` when that path is long or has a space.
- The application's processes carry REVIEWAPP_STACK=<home> in their environment; the servers, which overwrite theirs,
  work in their data directories. Whoever holds the lock of a home knows by that what is left over from a killed start,
  and stops it. A process id alone proves nothing: it may be somebody else's by now.
- `run` never touches the demo's data: each gets a home of its own under `var/test/` and removes it.
"""
