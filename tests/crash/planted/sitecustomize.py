"""Python imports this before anything else in a process that is to crash, when this folder is on its path."""

import os

if "CRASH_PLAN" in os.environ:
    try:
        from tests.crash.planting import plant

        plant(os.environ["CRASH_PLAN"])
    except BaseException:  # noqa: BLE001  nothing else may begin
        # Python only mentions what goes wrong here, and would go on without what was planted.
        import traceback

        traceback.print_exc()
        os._exit(99)
