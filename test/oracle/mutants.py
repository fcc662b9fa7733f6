"""Bugs to plant in corm's source, for script/check-oracle --self-test.

A mutant is a piece of source text, which must stand exactly once in src/, what to put in its place, and the part of the
oracle that must notice.  They are of the kinds that were found, or could be: a comparison turned around, a case
forgotten, state that is not put back.

    python3 mutants.py --list [NAME]...         the names, each with its part
    python3 mutants.py --plant NAME SRC         edits the one file below SRC that has the text, and prints its name
"""

import pathlib
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str
    part: str
    old: str
    new: str


MUTANTS = [
    Mutant("keyset-null", "reads",  # rows with NULL behind the cursor are lost
           "if (key->nullable && !nulls_first)\n\t\tcond = corm_make_list(CORM_N_OR",
           "if (key->nullable && nulls_first)\n\t\tcond = corm_make_list(CORM_N_OR"),
    Mutant("keyset-mixed", "reads",  # an order of both directions compared as one row
           "if (key->nullable || key->desc != desc ||",
           "if (key->nullable ||"),
    Mutant("every-null", "reads",  # NOT instead of IS NOT TRUE
           "CormTree   *not_true = corm_make_tree(CORM_N_IS_NOT_TRUE);\n\n\t\tnot_true->args[0].node = corm_make_list(CORM_N_AND, conditions);",
           "CormTree   *not_true = corm_make_tree(CORM_N_NOT);\n\n\t\tnot_true->args[0].node = corm_make_list(CORM_N_AND, conditions);"),
    Mutant("parentheses", "reads",  # NOT EXISTS (...) IS NULL
           "case CORM_N_SOME:\n\t\tcase CORM_N_ROW:",
           "case CORM_N_SOME:\n\t\tcase CORM_N_NONE:\n\t\tcase CORM_N_EVERY:\n\t\tcase CORM_N_ROW:"),
    Mutant("soft-delete-related", "reads",  # deleted rows count in some, every and none
           "query->where = list_concat(list_copy(conditions), corm_deleted_condition(query->source, false));",
           "query->where = list_copy(conditions);"),
    Mutant("cached-key", "reads",  # an answer of the same query with other values
           "appendBinaryStringInfo(&buf, value->data, value->len);",
           "appendBinaryStringInfo(&buf, value->data, Min(value->len, 1));"),
    Mutant("plan-key", "programs",  # rows that give other fields, run by the same plan
           "if (rows_fields)\n\t\tmemcpy(p, rows_fields->words, rows_len);",
           "if (rows_fields)\n\t\tmemset(p, 0, rows_len);"),
    Mutant("upsert-version", "programs",  # an upsert does not count the version up
           "if (stmt->conflict_action == CORM_CONFLICT_UPDATE)\n\t\ttouch_conflict(stmt);",
           "if (stmt->conflict_action == CORM_CONFLICT_NONE)\n\t\ttouch_conflict(stmt);"),
    Mutant("hooked-upsert", "programs",  # with hooks, do_update() writes fields that were not given
           "stmt->staged_upsert = true;",
           "stmt->staged_upsert = false;"),
    Mutant("effects-level", "programs",  # what a released savepoint did is undone with the next one
           "effect->level = level - 1;",
           "effect->level = level;"),
    Mutant("incr-pending", "programs",  # an increment of a key that the transaction has added overwrites it
           "put.found = found;\n\t\tput.mode = pending->mode;",
           "put.found = found;\n\t\tput.mode = CORM_PUT_SET;"),
    Mutant("mark-lost", "programs",  # a released scope's wish to be rolled back is forgotten
           "mark = scope->asked;\n\t\tscope->asked = NULL;",
           "scope->asked = NULL;"),
    Mutant("mark-kept", "programs",  # ROLLBACK TO does not take the mark away
           "if (scope->doomed != NULL && scope->doomed->subid >= subid)",
           "if (scope->doomed != NULL && scope->doomed->subid > subid + 1)"),
    Mutant("read-only-scope", "programs",  # a read-only session scope writes
           "stack->hold == CORM_TX_HOLD_SUBXACT && stack->level == level)\n\t\t\t\t\tXactReadOnly = true;",
           "stack->hold == CORM_TX_HOLD_SUBXACT && stack->level == level)\n\t\t\t\t\tXactReadOnly = XactReadOnly;"),
    Mutant("stale-update", "race",  # an update takes a record of any version
           "if (!is_lookup(source) && corm_record_has_version(model))",
           "if (source == CORM_PLAN_DELETE && corm_record_has_version(model))"),
]


def plant(name, source):
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    found = []
    for path in sorted(pathlib.Path(source).rglob("*.[ch]")):
        text = path.read_text()
        found += [path] * text.count(mutant.old)
    if len(found) != 1:
        sys.exit(f"the text of mutant {name} stands {len(found)} times in {source}, not once: the source has changed, mend test/oracle/mutants.py")
    found[0].write_text(found[0].read_text().replace(mutant.old, mutant.new))
    print(found[0])


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        known = [mutant.name for mutant in MUTANTS]
        for name in sys.argv[2:]:
            if name not in known:
                sys.exit(f"no mutant has this name: {name}; there are {', '.join(known)}")
        for mutant in MUTANTS:
            if len(sys.argv) == 2 or mutant.name in sys.argv[2:]:
                print(mutant.name, mutant.part)
    else:
        plant(sys.argv[2], sys.argv[3])
