"""`python -m bathax.app.one_process`: the command as one of several processes of a sweep."""

import os
import sys
import traceback

from bathax.app import cli, processes


def main() -> None:
    """Run the command; after an error end at once, because an orderly end waits for the others."""
    processes.stop_with_parent()
    status = 3
    try:
        status = cli.main()
    finally:
        if status > 1:
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(status)
    raise SystemExit(status)


if __name__ == "__main__":
    main()
