"""A short run of the oracle (test/oracle), with the same seeds each time: random programs, queries and races against
models of corm.  script/check-oracle runs it for longer, and with others.

libpq's variables say where the server is; it gets databases of its own.  The output is TAP.
"""

import os
import subprocess
import sys

ORACLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle")
RUNS = [["--part", "programs", "--seeds", "2", "--steps", "6000"], ["--part", "reads", "--steps", "4000"], ["--part", "around", "--steps", "4000"],
        ["--part", "nested", "--steps", "1000"], ["--part", "patches", "--steps", "1000"], ["--part", "disturbed", "--steps", "1500"], ["--part", "race", "--steps", "1500"], ["--part", "fresh", "--steps", "2000"],
        ["--part", "hostile", "--steps", "900"], ["--part", "elsewhere", "--steps", "120"]]
count = 0

for options in RUNS:
    run = subprocess.run([sys.executable, "-B", ORACLE, "--seed", "1", "--minutes", "10", *options], stdout=subprocess.PIPE, text=True)
    last = run.stdout.rstrip().split("\n")[-1]
    for line in run.stdout.split("\n"):
        if line.startswith(("ok - ", "not ok - ")):
            count += 1
            verdict, name = line.split(" - ", 1)
            print(f"{verdict} {count} - {name}")
        else:
            print(f"# {line}")
    count += 1
    print(f"{'ok' if run.returncode == 0 and last.endswith(' passed, 0 failed') else 'not ok'} {count} - {' '.join(options)}")
print(f"1..{count}")
