"""The oracle: random use of corm, compared with what must be true.

    script/check-oracle [--part PART]... [--seed N] [--seeds N] [--steps N] [--clients N] [--minutes N]
    script/check-oracle --kill [--cycles N] [--seed N]
    script/check-oracle --interrupts [--rounds N] [--seed N]

Parts of a run:

    reads       random queries: against plain SQL that says the same otherwise, NoREC, TLP, text forms, filters, the cache,
                pages, preloads, joins, groups, set operations; conditions in updates and deletes; nested documents
                (reads.py, expressions.py)
    around      random statements with calls in FROM, joined, nested, prepared and not: against plain SQL, with the queries
                compiled in and not (around.py)
    programs    random programs of writes, scopes, savepoints and cache operations against a model in memory, one
                client, and --clients of them whose steps interleave (programs.py, model.py, runner.py)
    disturbed   the same, each client on its own thread, and interleaved, while sessions are cancelled, terminated and
                timed out at random
    race        clients who write the same rows and keys at the same time: no update is lost, and where one can win,
                one does (racing.py)
    fresh       writers of all kinds and readers of fresh answers at the same time: no answer is older than what was acknowledged
                before the call (fresh.py)
    fresh-killed   the same while processes are killed, --cycles times
    messages    random publishers and receivers against a model of topics; with an even seed the topics are durable
                (test/modules/corm_test/messages_model.py)
    messages-killed   durable topics while clients, workers and the server are killed with SIGKILL, --cycles times
                (messages_killed.py)
    hostile     functions of users that change, drop, register and call what the verb that called them is at work on
                (hostile.py)
    nested      random documents for insert_json and set_related over tables of tenants: the rows stored and the errors
                against a model of the rules (nested.py)
    patches     random documents for update_json, nested at random, with a fence around every table: the tables and the answers
                against a model of the rules (patches.py)
    tasks       random programs of four sessions that submit, replace, cancel and retry tasks, count in a wait group, roll back and
                are killed, by a clock of their own: what each step answers, all tasks and counts (queue_model.py)
    durable-killed   durable tasks that each add a row, while workers, clients and the server are killed, --cycles times: each
                committed submit has exactly one row (durable.py)
    workers     cancels and terminations of workers, and of who calls them or waits for their tasks, at every fault point, --rounds
                times each (worker_faults.py)
    elsewhere   another session does that, while the first one is in the middle of a verb (hostile.py)

A step is one operation whose answer was compared, or one look at the whole state (depth, marks, rows, cache) that was.
--steps is for each part and seed; --minutes ends every part in time.  The seeds are --seed, --seed + 1, ...  A run of a
seed repeats exactly, but for the disturbed part and the race.  What fails is printed, made smaller for at most a minute, and
printed; then nothing else of that part and seed is run.  --no-shrink leaves it as it is; --first does too, and ends there.

    --kill          kills backends with SIGKILL while clients write, and looks after each restart (kill.py)
    --interrupts    cancels, terminates and times out every verb at random moments, until --rounds of these have met
                    each of them (interrupts.py)

Without options: all of it, small.  The last line is `N passed, N failed`: one for each part and seed.
"""

import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import time

from operations import SCHEMA, TABLES
from programs import Writer
from reads import Reads
from runner import Mismatch, Runner
from server import Disturber, Session
from shrink import smaller_check, smaller_program
import again
import around
import durable
import hostile
import interrupts
import fresh
import kill
import messages_killed
import nested
import patches
import queue_model
import racing
import waiting
import worker_faults

# beside this folder, in a checkout and in what script/check-oracle copies
sys.path += [str(pathlib.Path(__file__).resolve().parent.parent / folder / "corm_test") for folder in ("modules", "test/modules")]

PROGRAM = 150  # operations
passed = failed = 0


def say(text):
    print(text, flush=True)


def result(name, wrong, detail):
    global passed, failed
    if wrong:
        failed += 1
        say(f"not ok - {name}: {detail}\n{wrong}")
    else:
        passed += 1
        say(f"ok - {name}: {detail}")


databases = set()  # those that were made


def drop_database(name):
    os.environ["PGDATABASE"] = "postgres"
    session = Session()
    session.must(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    session.close()


def new_database(name, script, seed=0):
    """A fresh database, to which libpq's variables lead from now on."""
    drop_database(name)
    session = Session()
    session.must(f"CREATE DATABASE {name}")
    session.close()
    databases.add(name)
    os.environ["PGDATABASE"] = name
    if script == "schema.sql":
        subprocess.run(["psql", "-Xqo", "/dev/null", "-v", "ON_ERROR_STOP=1", "-v", f"seed={random.Random(seed).random()}", "-f",
                        str(pathlib.Path(__file__).parent / script)], check=True)
    else:
        session = Session()
        session.must("CREATE EXTENSION corm")
        session.must(script)
        session.close()


class Budget:
    """Steps and time that a part may use."""

    def __init__(self, steps, minutes):
        self.steps, self.end = steps, time.monotonic() + 60 * minutes

    def left(self, used):
        return used < self.steps and time.monotonic() < self.end


def kind_of(wrong):
    """The SQLSTATE of what is wrong, or that answers differ; one is not to become the other by making it smaller."""
    return wrong and (re.match("[0-9A-Z]{5} |$", wrong) or [""])[0]


def reads(seed, budget, options, part="reads", generators=Reads):
    new_database(f"oracle_{part}", "schema.sql", seed)
    rng = random.Random(f"{part} {seed}")
    generator, session, steps, kinds = generators(rng), Session(), 0, {}
    between, number = again.Generator(random.Random(f"again {seed}")), 0

    def begin():
        session.must("SET search_path = public, corm_ops")
        # a small cache of plans: a run has a million shapes, and their memory is not what is checked here
        session.must("SET corm.plan_cache_size = 200")
        session.must("BEGIN")

    def verify(check, timeout=120):
        session.must("SAVEPOINT c")
        session.must(f"SET LOCAL statement_timeout = '{timeout}s'")
        try:
            return check.verify(session)
        finally:
            session.must("ROLLBACK TO c")
            session.must("RELEASE c")

    begin()
    started, wrong = time.monotonic(), None
    while budget.left(steps) and not wrong:
        number += 1
        check = between.check() if number % 4 == 0 and part == "reads" else generator.check()
        for _ in range(rng.choice([4, 8, 12, 16]) if hasattr(check, "cheap") and check.cheap() else 2 if hasattr(check, "redrawn") else 1):
            done, wrong = verify(check)
            steps += done
            kinds[type(check).__name__] = kinds.get(type(check).__name__, 0) + done
            if wrong:
                say(f"# {part}, seed {seed}, after {steps} steps: {wrong}\n# {check.sql()}")
                if options.no_shrink:
                    break
                say("# looking for a smaller one")
                small = smaller_check(check, lambda candidate: kind_of(verify(candidate, 10)[1]) == kind_of(wrong))
                wrong = f"{verify(small)[1]}\n{small.show(session)}\nrepeat: script/check-oracle --part {part} --seed {seed} --seeds 1 --steps {budget.steps}"
                break
            if hasattr(check, "redrawn"):
                check = check.redrawn()
        if steps % 1000 < done or getattr(check, "writes", False):  # a transaction that has written does not look into the cache
            session.must("ROLLBACK")
            if part == "around" and steps % 10000 < done:  # PL/pgSQL keeps the functions that are gone, and their plans
                session.close()
                session.open()
            begin()
    session.close()
    took = time.monotonic() - started
    result(f"{part}, seed {seed}", wrong, f"{steps} steps ({', '.join(f'{kind} {n}' for kind, n in sorted(kinds.items()))}), {steps / max(took, 0.001):.0f}/s")
    return steps


def around_calls(seed, budget, options):
    return reads(seed, budget, options, "around", around.Statements)


def show(program):
    return "\n".join(f"    client {client}: {operation}" for client, operation in program)


def random_program(runner, rng, steps=PROGRAM, timeouts=False):
    """Make a program while running it; raises Mismatch with the program in it."""
    writer, program = Writer(rng), []
    runner.reset(rng.choice(TABLES))
    try:
        for _ in range(steps):
            index = rng.randrange(len(runner.clients))
            operation = writer.step(runner.clients[index])
            program.append((index, operation))
            timeout = None
            if timeouts and rng.random() < 0.1 and operation[0] not in ("begin", "begin_tx", "savepoint"):
                timeout = f"{rng.choice([1, 1, 2, 5])}ms"
            runner.step(index, operation, timeout)
    except Mismatch as mismatch:
        mismatch.program = program
        raise


def shrunk(runner, mismatch, options, attempts=1):
    """The smallest program that fails, and how."""
    if options.no_shrink:
        return str(mismatch)
    runner.disturbed, steps = False, runner.steps
    say(f"# after {steps} steps: {mismatch}\n# looking for a smaller program than these {len(mismatch.program)} operations")

    def fails(candidate):
        try:
            runner.run(candidate)
            return False
        except Mismatch:
            return True
    if not any(fails(mismatch.program) for _ in range(attempts)):
        return f"{mismatch}\nIt does not fail without the disturbance.  The end of the program:\n{show(mismatch.program[-30:])}"
    small = smaller_program(mismatch.program, fails)
    try:
        runner.run(small)
    except Mismatch as again:
        mismatch = again
    runner.steps = steps
    return f"{mismatch}\n{show(small)}"


def programs(seed, budget, options):
    new_database("oracle_programs", SCHEMA)
    steps = 0
    for clients in (1, options.clients):
        runner, wrong, started, number = Runner(clients), None, time.monotonic(), 0
        share = Budget(budget.steps // 2, (budget.end - time.monotonic()) / (120 if clients == 1 else 60))
        while share.left(runner.steps) and not wrong:
            try:
                random_program(runner, random.Random(f"programs {seed} {clients} {number}"))
            except Mismatch as mismatch:
                wrong = shrunk(runner, mismatch, options) + (f"\nrepeat: script/check-oracle --part programs --seed {seed} --seeds 1 --clients {options.clients} "
                                                    f"--steps {budget.steps}")
            number += 1
        result(f"programs, {clients} client{'s' if clients > 1 else ''}, seed {seed}", wrong,
               f"{runner.steps} steps in {number} programs, {runner.steps / max(time.monotonic() - started, 0.001):.0f}/s")
        steps += runner.steps
        runner.close()
        if wrong and options.first:
            break
    return steps


def disturbed(seed, budget, options):
    new_database("oracle_disturbed", SCHEMA)
    setup = Session()
    for number in range(1, options.clients + 1):
        setup.must(f"SELECT corm.cache_create('wiped{number}')")
    total = 0
    # one world, interleaved; then worlds of their own, at the same time
    for together in (True, False):
        runners = [Runner(options.clients)] if together else [Runner(1, number) for number in range(1, options.clients + 1)]
        share = Budget(budget.steps // 2 // len(runners), (budget.end - time.monotonic()) / (120 if together else 60))
        wrong = []

        def work(runner, name):
            number = 0
            try:
                while share.left(runner.steps) and not wrong:
                    try:
                        runner.disturbed = True
                        random_program(runner, random.Random(f"disturbed {seed} {name} {number}"), timeouts=True)
                    except Mismatch as mismatch:
                        wrong.append(shrunk(runner, mismatch, options, 3))
                    number += 1
            except Exception as error:  # of this program, or of the server
                wrong.append(f"{type(error).__name__}: {error}")

        disturber = Disturber([session for runner in runners for session in runner.sessions], random.Random(seed), 30, 1, 0.03)
        disturber.start()
        started = time.monotonic()
        if together:
            work(runners[0], "together")
        else:
            threads = [threading.Thread(target=work, args=(runner, i)) for i, runner in enumerate(runners)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        disturber.stop()
        steps = sum(runner.steps for runner in runners)
        cancelled, lost = sum(runner.interrupted for runner in runners), sum(runner.lost for runner in runners)
        sound = setup.must("SELECT string_agg(c, E'\\n') FROM corm.cache_check() c")[0][0]
        if sound:
            wrong.append(f"corm.cache_check(): {sound}")
        if not wrong and steps > 5000 and not cancelled:
            wrong.append("nothing was interrupted")
        result(f"disturbed, {options.clients} clients {'interleaved' if together else 'at once'}, seed {seed}", "\n".join(wrong),
               f"{steps} steps, {cancelled} cancelled, {lost} terminated, {steps / max(time.monotonic() - started, 0.001):.0f}/s")
        total += steps
        for runner in runners:
            runner.close()
    setup.close()
    return total


def race(seed, budget, options):
    new_database("oracle_race", racing.SCHEMA)
    started = time.monotonic()
    steps, wrong, detail = racing.run(seed, options.clients, budget)
    result(f"race, {options.clients} clients, seed {seed}", wrong, f"{steps} steps, {detail}, {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def fresh_answers(seed, budget, options, cycles=0):
    """Naps need corm_test, which script/check-oracle installs."""
    new_database("oracle_fresh", fresh.SCHEMA)
    started, session = time.monotonic(), Session("fresh")
    naps = 3000 if not session.run("CREATE EXTENSION corm_test")[0] else 0
    session.close()
    steps, wrong, detail = fresh.run(seed, budget, naps, cycles)
    if wrong:
        wrong += f"\nrepeat, it is a race: script/check-oracle --part {'fresh-killed' if cycles else 'fresh'} --seed {seed} --seeds 1 --steps {budget.steps}"
    result(f"fresh answers{', killed' if cycles else ''}, seed {seed}", wrong, f"{steps} steps, {detail}, {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def fresh_killed(seed, budget, options):
    return fresh_answers(seed, budget, options, options.cycles)


def messages(seed, budget, options):
    """Needs corm_test, which script/check-oracle installs."""
    import messages_model
    new_database(waiting.DATABASE, "CREATE EXTENSION corm_test")
    steps, wrong, started, number = 0, "", time.monotonic(), 0
    while budget.left(steps) and not wrong:
        # topics with a history of many steps make the model slow
        run, number = messages_model.Run(seed, number), number + 1
        try:
            while budget.left(steps) and run.steps < messages_model.PROGRAM:
                steps += 1
                run.step(10)
            run.finish()
        except messages_model.Failure as e:
            wrong = "\n".join([*run.log[-20:], str(e), f"repeat: script/check-oracle --part messages --seed {seed} --seeds 1 --steps {steps}"])
            run.close_sessions()
    result(f"messages, {'durable' if seed % 2 == 0 else 'in memory'}, seed {seed}", wrong, f"{steps} steps, {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def killed_messages(seed, budget, options):
    new_database("oracle_messages", messages_killed.SETUP)
    started = time.monotonic()
    steps, wrong, detail = messages_killed.run(seed, options.cycles)
    if wrong:
        wrong += f"\nrepeat, it is a race: script/check-oracle --part messages-killed --seed {seed} --cycles {options.cycles}"
    result(f"messages, {steps} times kill -9, seed {seed}", wrong, f"{detail}, {time.monotonic() - started:.0f} s")
    return steps


def hostile_code(seed, budget, options):
    new_database("oracle_hostile", "SELECT 1")
    rng, world, offset = random.Random(f"hostile {seed}"), hostile.World("oracle_hostile"), hostile.log_size()
    generator, steps, number, started, wrong = hostile.Generator(rng), 0, 0, time.monotonic(), ""
    while budget.left(steps) and not wrong:
        program = generator.program()
        wrong, calls = world.run(program)
        steps, number = steps + calls, number + 1
        if number % 500 == 0 or wrong:
            wrong = wrong or world.bystander()
        if wrong and not options.no_shrink:
            say(f"# hostile, seed {seed}, after {steps} steps: {wrong}\n# looking for a smaller one")
            program = smaller_check(program, lambda candidate: kind_of(world.run(candidate)[0] or None) == kind_of(wrong))
            wrong = world.run(program)[0] or wrong
        if wrong:
            wrong += f"\n{program.sql()}\nrepeat: script/check-oracle --part hostile --seed {seed} --seeds 1 --steps {budget.steps}"
    wrong = wrong or world.bystander() or "".join(hostile.log_of(offset)[:10])
    world.close()
    result(f"hostile, seed {seed}", wrong, f"{steps} steps in {number} programs, {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def elsewhere(seed, budget, options):
    new_database("oracle_hostile", "SELECT 1")
    rng, world, offset = random.Random(f"elsewhere {seed}"), hostile.World("oracle_hostile"), hostile.log_size()
    pair, generator, steps, started, wrong = hostile.Elsewhere(world), hostile.Generator(rng), 0, time.monotonic(), ""
    while budget.left(steps) and not wrong:
        wrong, calls = pair.run(rng, generator)
        steps += calls
    if wrong:
        wrong += f"\n{pair.shown}\nrepeat: script/check-oracle --part elsewhere --seed {seed} --seeds 1 --steps {budget.steps}"
    elif steps > 100 and pair.met < steps // 20:
        wrong = f"only {pair.met} of {steps} calls were met"
    wrong = wrong or world.bystander() or "".join(hostile.log_of(offset)[:10])
    pair.close()
    world.close()
    result(f"elsewhere, seed {seed}", wrong, f"{steps} steps, {pair.met} met, {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def nested_documents(seed, budget, options):
    new_database("oracle_nested", nested.SETUP)
    rng, started = random.Random(f"nested {seed}"), time.monotonic()
    steps, wrong, detail = nested.run(rng, budget)
    if wrong:
        wrong += f"\nrepeat: script/check-oracle --part nested --seed {seed} --seeds 1 --steps {budget.steps}"
    result(f"nested, seed {seed}", wrong, f"{steps} steps ({detail}), {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def patches_of_rows(seed, budget, options):
    new_database("oracle_patches", patches.SETUP)
    rng, started = random.Random(f"patches {seed}"), time.monotonic()
    steps, wrong, detail = patches.run(rng, budget)
    if wrong:
        wrong += f"\nrepeat: script/check-oracle --part patches --seed {seed} --seeds 1 --steps {budget.steps}"
    result(f"patches, seed {seed}", wrong, f"{steps} steps ({detail}), {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def tasks(seed, budget, options):
    started = time.monotonic()
    steps, wrong, detail = queue_model.run(seed, budget)
    if wrong:
        wrong += f"\nrepeat: script/check-oracle --part tasks --seed {seed} --seeds 1 --steps {budget.steps}"
    result(f"tasks, seed {seed}", wrong, f"{steps} steps ({detail}), {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def durable_killed(seed, budget, options):
    new_database("oracle_durable", "SELECT 1")
    started = time.monotonic()
    steps, wrong, detail = durable.run(seed, budget, options.cycles)
    result(f"durable tasks, killed, seed {seed}", wrong, f"{steps} tasks, {detail}, {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


def workers(seed, budget, options):
    new_database("oracle_workers", "SELECT 1")
    started = time.monotonic()
    steps, wrong, detail = worker_faults.run(seed, budget, options.rounds)
    result(f"workers, seed {seed}", wrong, f"{steps} attempts, {detail}, {steps / max(time.monotonic() - started, 0.001):.0f}/s")
    return steps


PARTS = {"reads": reads, "around": around_calls, "programs": programs, "disturbed": disturbed, "race": race, "hostile": hostile_code, "elsewhere": elsewhere, "nested": nested_documents,
         "patches": patches_of_rows, "fresh": fresh_answers, "fresh-killed": fresh_killed, "messages": messages, "messages-killed": killed_messages,
         "tasks": tasks, "durable-killed": durable_killed, "workers": workers}


def main():
    parser = argparse.ArgumentParser(prog="script/check-oracle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=list(PARTS))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--interrupts", action="store_true")
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1000000)
    only = options.kill or options.interrupts or options.part
    options.no_shrink = options.no_shrink or options.first
    say(f"seed {options.seed}")
    os.environ["PGOPTIONS"] = "-c lock_timeout=120s"  # nobody waits that long
    steps = 0
    for seed in range(options.seed, options.seed + options.seeds):
        for name in options.part or ([] if only else list(PARTS)):
            budget = Budget(options.steps or 10 ** 9, options.minutes)
            if not (failed and options.first):
                steps += PARTS[name](seed, budget, options)
    if options.interrupts or not only:
        interrupted = ["oracle_interrupts_1", "oracle_interrupts_2"]
        for database in interrupted:
            new_database(database, "schema.sql")
        for name, wrong, detail in interrupts.run(options.seed, options.rounds, interrupted):
            result(name, wrong, detail)
    if options.kill or not only:
        new_database("oracle_kill", "SELECT 1")
        for name, wrong, detail in kill.run(options.seed, options.cycles):
            result(name, wrong, detail)
    # where nothing failed there is nothing to look at
    for database in () if failed else sorted(databases):
        drop_database(database)
    say(f"{steps} steps")
    say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
