"""A short run of the oracle's model of the queue and of wait groups; script/check-oracle --part tasks makes long ones.

libpq's variables say where the server is, which must have the extension corm_test.  The output is TAP.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "oracle"))

import queue_model  # noqa: E402
from waiting import check, finish  # noqa: E402

STEPS = 800


class Budget:
    def left(self, used):
        return used < STEPS


for seed in (1, 2, 3):
    check(f"seed {seed}, {STEPS} steps", queue_model.run(seed, Budget())[1], None)
sys.exit(finish())
