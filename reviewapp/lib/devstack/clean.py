"""`clean`: remove what starts have made."""

import shutil
from collections.abc import Mapping

from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.home import HomeLock, var_folder
from reviewapp.lib.devstack.servers import Servers


def remove_everything(*, given: Mapping[str, str]) -> int:
    """Remove the data of the demo and of all test runs, with what of them lies outside `var/`. Returns 0.

    Raises StartError while one of them runs.
    """
    var = var_folder()
    bare = {name: value for name, value in given.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    folders = [var / "demo", *(var / "test").glob("*")]
    for folder in filter(lambda path: path.is_dir(), folders):
        lock = HomeLock(folder)
        if not lock.take():
            raise StartError(f"Process {lock.holder()} still runs in {folder}. Stop it first.")
        servers = Servers(folder, given=bare, is_throw_away=True)
        servers.stop_leftovers()
        servers.home.remove()
        lock.free()
    shutil.rmtree(var, ignore_errors=True)
    return 0
