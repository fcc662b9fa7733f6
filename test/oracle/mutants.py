"""Bugs to plant in corm's source, for script/check-oracle --self-test.

A mutant is a piece of source text, which must stand exactly once in src/, what to put in its place, and a run of the
oracle that must notice: part, seed, and steps at most.  Without the mutant the same run finds nothing.  They are of the
kinds that were found, or could be: a comparison turned around, a case forgotten, state that is not put back.

Where the part is "test", the seed is the name of a test of script/test, which must fail instead.

Any seed finds a mutant sooner or later; these were the fastest of a few.  When the generator has changed, so have they.

    python3 mutants.py --list [NAME]...         the names, each with its run
    python3 mutants.py --controls [NAME]...     the longest run of each part and seed among them
    python3 mutants.py --check SRC              the mutants whose text does not stand once below SRC; fails if there are any
    python3 mutants.py --plant NAME SRC         edits the one file below SRC that has the text, and prints its name
"""

import pathlib
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str
    part: str
    seed: int | str
    steps: int
    old: str
    new: str


MUTANTS = [
    # fresh answers: each step of the protocol, left out or at another place
    Mutant("fresh-committing", "fresh", 1, 30000,  # a hit between visibility and publication
           "return read->committing != 0 ? CORM_COMMITTING : CORM_QUIET;",
           "return CORM_QUIET;"),
    Mutant("fresh-no-publication", "fresh", 1, 30000,  # the version stays
           "ONE_VERSION - ONE_COMMITTING);",
           "-ONE_COMMITTING);"),
    Mutant("fresh-early-publication", "fresh", 1, 30000,  # before the commit is visible
           "cells[ncommitting++] = cells[i];\n\t}\n\tCORM_FAULT(\"fresh-committing\");",
           "corm_cell_committed(cells[i], 1);\n\t}\n\tCORM_FAULT(\"fresh-committing\");"),
    Mutant("fresh-before-messages", "fresh", 1, 30000,  # before the invalidation messages are sent
           "phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_top_level)",
           "phase != RESOURCE_RELEASE_BEFORE_LOCKS || !is_top_level)"),
    Mutant("fresh-read-after", "fresh", 1, 30000,  # r1 after the query has run
           "CORM_FAULT(\"cached-run\");\n\tif (recorder.too_large)",
           "CORM_FAULT(\"cached-run\");\n\tif (sum != NULL)\n\t\t(void) corm_fresh_now(plan->fresh_depends, (uint64 *) recorder.buf.data);\n\tif (recorder.too_large)"),
    Mutant("fresh-old-catalogs", "test", "modules:corm_test/fresh_catalogs", 0,  # r2 left out
           "AcceptInvalidationMessages();\n\tif (why != NULL)",
           "if (why != NULL)"),
    Mutant("fresh-old-hierarchy", "test", "fresh_queries", 0,  # r3 left out
           "if (corm_fresh_look(plan) && plan->fresh_looks == looks)",
           "if (plan->fresh_looks >= looks)"),
    Mutant("fresh-at-once", "test", "modules:corm_test/fresh_commit", 0,  # a table is settled while those who passed by it commit
           "if (slot != 0 && slot < epoch)\n\t\t\treturn false;",
           "if (slot != 0 && slot < epoch)\n\t\t\tcontinue;"),
    Mutant("fresh-prepared-unnoticed", "test", "078_fresh", 0,  # PREPARE leaves the cells alone
           "corm_cells_unsettle(cells, n);\n\t\ttell();",
           "corm_cells_unsettle(cells, 0 * n);"),
    Mutant("fresh-prepared-locks", "test", "078_fresh", 0,  # settled again while a prepared transaction has the lock
           "if (corm_prepared_writes(number, number < CORM_FIXED_CELLS))\n\t\t\treturn false;",
           ""),
    Mutant("fresh-prepared-version", "test", "078_fresh", 0,  # PREPARE makes no new version
           "(word + ONE_VERSION) & ~SETTLED",
           "word & ~SETTLED"),
    Mutant("fresh-settle-blindly", "test", "modules:corm_test/fresh_prepared", 0,  # settled although it was unsettled since
           "if (pg_atomic_compare_exchange_u64(&cell->word, &word, word | SETTLED))\n\t\t\treturn true;",
           "pg_atomic_fetch_or_u64(&cell->word, SETTLED);\n\t\treturn true;"),
    Mutant("fresh-prepare-ends-early", "test", "modules:corm_test/fresh_prepared", 0,  # the slot is empty before the locks are handed over
           "CORM_FAULT(\"fresh-preparing\");",
           "corm_commit_end(0);\n\tCORM_FAULT(\"fresh-preparing\");"),
    Mutant("fresh-own-writes", "test", "fresh_queries", 0,  # a transaction does not see what it has written
           "if (TransactionIdIsValid(GetTopTransactionIdIfAny()))\n\t\treturn \"The transaction has written something.\";",
           ""),
    Mutant("fresh-snapshot", "test", "fresh_queries", 0,  # REPEATABLE READ gets what is newer
           "if (IsolationUsesXactSnapshot())\n\t\treturn \"The isolation",
           "if (false)\n\t\treturn \"The isolation"),
    Mutant("fresh-strong-locks", "test", "fresh_queries", 0,  # only the locks in the process's own array
           "if (!written_cell(proclock, &cell))\n\t\t\t\tcontinue;",
           "if (!written_cell(proclock, &cell) || cell != 0)\n\t\t\t\tcontinue;"),
    Mutant("fresh-descendants", "test", "fresh_queries", 0,  # partitions are not followed
           "if (!parent)\n\t\t\tall = lappend_oid(all, relid);",
           "if (!parent || parent)\n\t\t\tall = lappend_oid(all, relid);"),
    Mutant("fresh-functions", "test", "fresh_queries", 0,  # functions are not followed
           "case PROCOID:\n\t\tcase AGGFNOID:",
           "case AGGFNOID:"),
    Mutant("fresh-fetch-read-after", "test", "modules:corm_test/fresh_prepared", 0,  # cache_fetch reads the versions after the loader has run
           "keep = keep && corm_fresh_possible() == NULL && corm_follow_unchanged(&follow);",
           "keep = corm_fresh_possible() == NULL && corm_follow_begin(&follow) == CORM_FRESH_KNOWN;"),
    Mutant("fresh-aborted", "test", "modules:corm_test/fresh_prepared", 0,  # what was aborted counts as committing for good
           "pg_atomic_fetch_sub_u64(&versions->cell[cell].word, ONE_COMMITTING);",
           "(void) cell;"),
    Mutant("fresh-view-behind", "test", "modules:corm_test/fresh_views", 0,  # what is behind a view is looked up before r1
           "follow->tables = NIL;\n\tforeach(lc, follow->named)",
           "foreach(lc, follow->tables == NIL ? follow->named : NIL)"),
    Mutant("fresh-set-untracked", "test", "modules:corm_test/fresh_set", 0,  # who wrote a table that nobody tracked is forgotten
           "\t\tnote_change(cell, ended);",
           ""),
    Mutant("fresh-set-prepared", "test", "modules:corm_test/fresh_set", 0,  # settled between COMMIT PREPARED and its end
           "\t\t\tcorm_finish_begin();",
           ""),
    Mutant("fresh-names", "test", "fresh_queries", 0,  # the key has names, not what they mean
           "appendBinaryStringInfo(&buf, (char *) &plan->cached_tree, sizeof(plan->cached_tree));",
           ""),
    Mutant("fresh-casts", "test", "fresh_queries", 0,  # casts are not followed
           "*cell = CORM_CELL_CASTS;\n\t\t\treturn true;",
           "return false;"),
    Mutant("fresh-domains", "test", "fresh_queries", 0,  # domains are not followed
           "*cell = CORM_CELL_DOMAINS;\n\t\t\treturn true;",
           "return false;"),
    Mutant("fresh-row-types", "test", "fresh_queries", 0,  # row types are not followed
           "found->rows = list_append_unique_oid(found->rows, get_typ_typrelid(type));",
           "found->rows = NIL;"),
    Mutant("keyset-null", "reads", 3, 500,  # rows with NULL behind the cursor are lost
           "if (key->nullable && !nulls_first)\n\t\tcond = corm_make_list(CORM_N_OR",
           "if (key->nullable && nulls_first)\n\t\tcond = corm_make_list(CORM_N_OR"),
    Mutant("keyset-mixed", "reads", 3, 1000,  # an order of both directions compared as one row
           "if (key->nullable || key->desc != desc ||",
           "if (key->nullable ||"),
    Mutant("every-null", "reads", 3, 2000,  # NOT instead of IS NOT TRUE
           "CormTree   *not_true = corm_make_tree(CORM_N_IS_NOT_TRUE);\n\n\t\tnot_true->args[0].node = corm_make_list(CORM_N_AND, conditions);",
           "CormTree   *not_true = corm_make_tree(CORM_N_NOT);\n\n\t\tnot_true->args[0].node = corm_make_list(CORM_N_AND, conditions);"),
    Mutant("parentheses", "reads", 3, 2500,  # NOT EXISTS (...) IS NULL
           "return corm_tree_is(tree, CORM_IS_ATOM);",
           "return corm_tree_is(tree, CORM_IS_ATOM | CORM_IS_RELATION);"),
    Mutant("soft-delete-related", "reads", 3, 3000,  # deleted rows count in some, every and none
           "query->where = list_concat(list_copy(conditions), corm_deleted_condition(query->source, false));",
           "query->where = list_copy(conditions);"),
    Mutant("compiled-null", "around", 2, 3000,  # a compiled query finds no row for a parameter that is NULL
           "if (s->selects && equal && not_null)",
           "if (s->selects && equal && (not_null || true))"),
    Mutant("compiled-level", "around", 1, 3000,  # a column of the statement around is taken for one of another query
           "IncrementVarSublevelsUp(node, list_length(s->queries), 0);",
           "IncrementVarSublevelsUp(node, 1, 0);"),
    Mutant("compiled-once", "test", "inline_untyped", 0,  # a value that is converted once loses the WITH around it
           "IncrementVarSublevelsUp(expr, 1, 0);",
           "(void) has_links;"),
    Mutant("compiled-partitions", "test", "inline_untyped", 0,  # a partition is chosen when all of them are open
           "s->for_rows = !has_partitions(linitial(s->queries));",
           "s->for_rows = !has_partitions(linitial(s->queries)) || true;"),
    Mutant("compiled-places", "test", "inline_untyped", 0,  # a query that is kept has the values of its first execution
           "query = copyObject(entry->query);\n\tif (entry->nvalues > 0)\n\t\tcorm_fill_places(query, values);",
           "corm_fill_places(entry->query, values);\n\tquery = copyObject(entry->query);"),
    Mutant("compiled-place-null", "test", "inline_untyped", 0,  # a NULL for which a query was kept stays there
           "place->constisnull = value->isnull;",
           "place->constisnull |= value->isnull;"),
    Mutant("compiled-branch", "test", "inline_untyped", 0,  # a text in a branch that is not taken is an error
           "if (values_of == CORM_VALUES_OF_BRANCH && param->binding != CORM_BIND_PLAIN)",
           "if (values_of == CORM_VALUES_OF_BRANCH && param->binding > CORM_BIND_ARRAYS)"),
    Mutant("compiled-settled", "test", "inline_untyped", 0,  # a text that depends on settings is converted when a cursor is opened
           "return corm_value_is_settled(param, value);",
           "return true;"),
    Mutant("compiled-labels", "test", "inline_untyped", 0,  # a label of an enum is kept that has another name now
           "CacheRegisterSyscacheCallback(ENUMOID, label_changed, (Datum) 0);",
           "(void) label_changed;"),
    Mutant("compiled-barrier", "test", "inline_rights", 0,  # conditions around a query see what its guard keeps away
           "rte->security_barrier = guarded;",
           "rte->security_barrier = false;"),
    Mutant("compiled-role", "test", "inline_rights", 0,  # a plan with policies is used for another role
           "state->dependencies.on_role |= row_security || source->dependsOnRLS;",
           "(void) row_security;"),
    Mutant("compiled-hook", "test", "inline_changes", 0,  # a plan that is kept does not call a hook that came later
           "announce(OidIsValid(hook->relid) ? relation_marker(hook->relid) : MARKER);",
           "changes++;"),
    Mutant("compiled-middleware", "test", "inline_rights", 0,  # what middleware asks for itself is a plan for everybody
           "return !corm_middleware_registered(&op);",
           "return !corm_middleware_exists() || !corm_middleware_concerns(&op);"),
    Mutant("equal-values", "reads", 3, 6000,  # a plan for equal values is used for values that differ
           "if (plan && unlikely(plan->npremises > 0))",
           "if (plan && plan->npremises < 0)"),
    Mutant("alias-in-aggregate", "test", "faults_b1_b3_expressions", 0,  # an alias is taken for the field that an aggregate is about
           "if (corm_tree_is(tree, CORM_IS_AGGREGATE) || tree->tag == CORM_N_FILTER_WHERE || tree->tag == CORM_N_AGG_ORDER)\n\t\tresolve.place",
           "if (false)\n\t\tresolve.place"),
    Mutant("two-outer-joins", "reads", 3, 6000,  # a row beside each link, whether what it leads to is there or not
           "join->inner = linked(relation, through, target);\n\t\treturn target;",
           "add_join(stmt, join->tag, relation, target, linked(relation, through, target)->condition->args[0].list);\n\t\treturn target;"),
    Mutant("full-join-links", "reads", 3, 6000,  # a full join keeps links to deleted rows
           "join->inner = linked(relation, through, known);",
           "join->inner = NULL;"),
    Mutant("true-in-or", "reads", 3, 6000,  # a condition of which one alternative is true counts as one
           "if (truth == not(neutral))\n\t\t\tdecided = true;",
           "if (truth == not(neutral) && neutral == TRUTH_TRUE)\n\t\t\tdecided = true;"),
    Mutant("cached-key", "reads", 3, 1000,  # an answer of the same query with other values
           "appendBinaryStringInfo(&buf, value->data, value->len);",
           "appendBinaryStringInfo(&buf, value->data, Min(value->len, 1));"),
    Mutant("plan-key", "programs", 2, 1000,  # rows that give other fields, run by the same plan
           "if (rows_fields)\n\t\tmemcpy(p, rows_fields->words, rows_len);",
           "if (rows_fields)\n\t\tmemset(p, 0, rows_len);"),
    Mutant("upsert-version", "programs", 2, 1000,  # an upsert does not count the version up
           "if (stmt->conflict_action == CORM_CONFLICT_UPDATE)\n\t\ttouch_conflict(stmt);",
           "if (stmt->conflict_action == CORM_CONFLICT_NONE)\n\t\ttouch_conflict(stmt);"),
    Mutant("hooked-upsert", "programs", 2, 2500,  # with hooks, do_update() writes fields that were not given
           "stmt->staged_upsert = true;",
           "stmt->staged_upsert = false;"),
    Mutant("effects-level", "programs", 2, 8000,  # what a released savepoint did is undone with the next one
           "effect->level = level - 1;",
           "effect->level = level;"),
    Mutant("incr-added", "programs", 1, 11000,  # an increment of a key that the transaction adds overwrites what another one has stored since
           "put.found = found;\n\t\tput.mode = pending->mode;",
           "put.found = found;\n\t\tput.mode = CORM_PUT_SET;"),
    Mutant("incr-pending", "programs", 2, 5000,  # an increment of a value that waits for the commit is lost where the key exists
           "put.found = found;\n\t\tput.mode = pending->mode;",
           "put.found = found;\n\t\tput.mode = CORM_PUT_ADD;"),
    Mutant("mark-lost", "programs", 1, 11000,  # a released scope's wish to be rolled back is forgotten
           "mark = scope->asked;\n\t\tscope->asked = NULL;",
           "scope->asked = NULL;"),
    Mutant("mark-kept", "programs", 2, 6500,  # ROLLBACK TO does not take the mark away
           "if (scope->doomed != NULL && scope->doomed->subid >= subid)",
           "if (scope->doomed != NULL && scope->doomed->subid > subid + 1)"),
    Mutant("read-only-scope", "programs", 2, 4500,  # a read-only session scope writes
           "stack->hold == CORM_TX_HOLD_SUBXACT && stack->level == level)\n\t\t\t\t\tXactReadOnly = true;",
           "stack->hold == CORM_TX_HOLD_SUBXACT && stack->level == level)\n\t\t\t\t\tXactReadOnly = XactReadOnly;"),
    Mutant("stale-update", "race", 1, 2000,  # an update takes a record of any version
           "if (!corm_is_lookup(source) && corm_record_has_version(model))",
           "if (source == CORM_PLAN_DELETE && corm_record_has_version(model))"),
    Mutant("nested-suppressed", "nested", 1, 600,  # the rows that refer to one that a trigger suppressed are lost
           "if (row == NULL)\n\t\t\tsuppressed(write, model);",
           "if (row == NULL)\n\t\t\tcontinue;"),
    Mutant("nested-shared", "nested", 1, 600,  # of two relations that share a column, one wins
           "\tif (column)\n\t{\n\t\tif (!corm_nested_equal(f, column->value, value))",
           "\tif (column)\n\t{\n\t\tif (false)"),
    Mutant("nested-back", "nested", 1, 600,  # a child may say that it is somebody else's
           "if (is_null || !corm_nested_equal(field, value, other))",
           "if (false)"),
    Mutant("nested-null", "nested", 1, 600,  # a null contradicts what a relation gives
           "if (!corm_nested_is_given(object, column->field) || given->type == jbvNull)\n\t\t\tcontinue;",
           "if (!corm_nested_is_given(object, column->field))\n\t\t\tcontinue;\n\t\tif (given->type == jbvNull)\n\t\t\tsuppressed(write, object->model);"),
    Mutant("nested-spelling", "nested", 1, 600,  # keys that are spelled otherwise are other keys
           "return DatumGetInt32(FunctionCall2Coll(&type->cmp_proc_finfo, collation_of(field), a, b));",
           "return type->cmp_proc_finfo.fn_oid ? strcmp(corm_nested_text(field, a), corm_nested_text(field, b)) : 0;"),
    Mutant("nested-condition", "nested", 1, 600,  # a relation links what its condition forbids
           "if (is_null || !corm_nested_equal(field, column->value, value))\n\t\t\tcorm_nested_contradiction(write, condition->target.model",
           "if (false)\n\t\t\tcorm_nested_contradiction(write, condition->target.model"),
    Mutant("nested-scope", "nested", 1, 600,  # a default scope of the table in between hides links
           "by_default = false;",
           "by_default = true;"),
    # what users can do to each other and to the server: docs/security.md
    Mutant("result-owner", "test", "faults_a1_results", 0,  # rows put aside belong to the subtransaction at hand
           "CurrentResourceOwner = result->resources;",
           ";"),
    Mutant("hook-unchecked", "test", "faults_a2_layout", 0,  # what a hook did to the model is not looked at
           "corm_exec_check(run->exec);",
           ";"),
    Mutant("plan-generation", "test", "modules:corm_test", 0,  # a record by a plan of another state of its model
           "(exec == NULL || plan->generation == exec->generation)",
           "true"),
    Mutant("plan-outdated", "test", "modules:corm_test", 0,  # a plan is kept though the model changed while it was made
           "if (before == invalidations &&",
           "if (before <= invalidations &&"),
    Mutant("hook-while-planned", "test", "modules:corm_test", 0,  # a hook that came while a plan was made is lost
           "plan->hook_changes == corm_hooks_changes() &&",
           "plan->hook_changes <= corm_hooks_changes() &&"),
    Mutant("failed-plan", "test", "plan_cache", 0,  # a plan that fails when it is saved already is not freed
           "if (plan->spi)\n\t\t\tSPI_freeplan(plan->spi);\n\t\tif (corm_models_retired()",
           "if (corm_models_retired()"),
    Mutant("cached-layout", "test", "faults_a4_a5_cached", 0,  # an answer with the layout that its type had
           "add_type(&buf, plan->typid);",
           "appendStringInfo(&buf, \"%u \", plan->typid);"),
    Mutant("cached-settings", "test", "faults_a4_a5_cached", 0,  # an answer of a session with other settings
           "if (plan->cached_settings)\n\t{",
           "if (false)\n\t{"),
    Mutant("raw-deputy", "test", "faults_a8_untyped", 0,  # raw SQL as text is trusted inside of an owner's function
           "is_trusted(GetUserId()) && is_trusted(GetOuterUserId())",
           "is_trusted(GetUserId())"),
    Mutant("cursor-place", "test", "faults_c7_pages", 0,  # rows of one key of parent and child are told apart by nothing
           "if (list_length(tables) < 2)\n\t\treturn;\n\tforeach(lc, tables)\n\t{\n\t\tstored",
           "if (list_length(tables) < 2000)\n\t\treturn;\n\tforeach(lc, tables)\n\t{\n\t\tstored"),
    Mutant("version-null", "test", "faults_c5_c9_queries", 0,  # a version that is NULL is equal to none
           "if (field->not_null)\n\t\treturn corm_make_binary(CORM_N_EQ, column, version);",
           "if (field)\n\t\treturn corm_make_binary(CORM_N_EQ, column, version);"),
    Mutant("union-names", "test", "faults_c5_c9_queries", 0,  # a union is not ordered by the names of fields that the keys of JSON spell otherwise
           "if (field && field < stmt->source->model->fields + stmt->source->model->nfields)\n\t\t\treturn field -",
           "if (field && field < stmt->source->model->fields)\n\t\t\treturn field -"),
    Mutant("inserted-anywhere", "test", "faults_c10_c13_keys", 0,  # xmax of what has none
           "if (stmt->source->model->relkind != RELKIND_RELATION)\n\t\t\tereport(ERROR,\n\t\t\t\t\t(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),\n\t\t\t\t\t errmsg(\"cannot tell which rows",
           "if (false)\n\t\t\tereport(ERROR,\n\t\t\t\t\t(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),\n\t\t\t\t\t errmsg(\"cannot tell which rows"),
    Mutant("stored-type", "test", "faults_f1_depend", 0,  # a row type is altered under a stored value of it
           "if (has_rows_of(part->typid, relids))",
           "if (has_rows_of(part->typid, relids) && false)"),
    Mutant("nesting", "test", "modules:corm_nesting", 0,  # a command inside of a CALL says that it is at top level
           "false, PROCESS_UTILITY_QUERY, NULL, NULL,",
           "false, PROCESS_UTILITY_TOPLEVEL, NULL, NULL,"),
    Mutant("pending-type", "test", "faults_f7_a6_pending", 0,  # a pending value is read as what its type has become
           "!corm_flat_usable(&pending->found.value)",
           "false"),
    Mutant("next-elsewhere", "test", "faults_g1_next", 0,  # corm.next for code of another user or security context
           "return security == frame->security &&",
           "return security >= 0 ||"),
    Mutant("filter-lists", "test", "faults_g3_filters", 0,  # lists that must hold at once multiply
           "ctx->combinations > 1 && ctx->combinations * n > corm_filter_max_list",
           "false"),
    Mutant("guard-leak", "test", "faults_g3_filters", 0,  # a condition that can fail sees what a guard hides
           "ctx->leaky && !ctx->bare_columns && may_see",
           "false && may_see"),
    Mutant("dropped-name", "test", "faults_g6_middleware", 0,  # a dropped middleware comes back by its name
           "if (len > 0 && strcmp(signature + len, DROPPED_MARK) == 0)",
           "if (false)"),
    Mutant("foreign-scope", "test", "faults_g7_rollback_only", 0,  # another user's function gives a scope up
           "if (corm_tx_is_foreign(scope))",
           "if (false)"),
    Mutant("strong-lock", "test", "faults_g5_g10", 0,  # a hooked update keeps others from referring to the row
           "stmt->lock_no_key = keeps_key(stmt);",
           "stmt->lock_no_key = keeps_key(stmt) && false;"),
    Mutant("batch-order", "test", "faults_g11", 0,  # batches are written as they are given
           "sorted = sorted && records[i].number == i + 1;",
           "sorted = true;"),
    Mutant("fetch-overwrites", "test", "faults_f3_g12_fetch", 0,  # what was loaded replaces what was stored since
           "corm_table_changes(key) != key->changes",
           "false"),
    Mutant("guard-names", "test", "faults_g13_guards", 0,  # names in a guard mean what the caller's path says
           "corm_guard_check_names(as_model, conditions);",
           ";"),
    # messages: what a group does with them, and what becomes of transactions
    Mutant("messages-skip", "messages", 1, 4000,  # a seek forward passes by what is in hand, but it comes again after a rollback
           "if (delivery->skip)\n\t{\n\t\tcorm_group_settle(topic, group, id, now, freed);\n\t\treturn;\n\t}",
           ""),
    Mutant("messages-again", "messages", 1, 4000,  # a seek backward forgets what is in hand
           "delivery->again = corm_group_in_hand(delivery);",
           "delivery->again = false;"),
    Mutant("messages-rescan", "messages", 2, 4000,  # after a seek backward, what waits comes twice
           "corm_delivery_find(group, seq, &ignore) != NULL)\n\t\tmove_cursor(topic, group);",
           "corm_delivery_find(group, seq, &ignore) != NULL && seq < 0)\n\t\tmove_cursor(topic, group);"),
    Mutant("messages-redelivered", "messages", 1, 4000,
           "if (!delivery->exhausted && ++delivery->attempt > 1)",
           "if (!delivery->exhausted && ++delivery->attempt > 2)"),
    Mutant("messages-in-place", "messages", 1, 4000,  # what was given back comes last
           "while (before != 0 && corm_delivery(before)->seq < seq)",
           "while (before != 0)"),
    Mutant("messages-cursor-first", "messages", 2, 4000,
           "if (id == 0 || corm_delivery(id)->seq > seq)",
           "if (id == 0 || seq != PG_INT64_MAX)"),
    Mutant("messages-key-in-hand", "messages", 3, 4000,  # two messages of a key at a time
           "corm_delivery(other)->key_hash == delivery->key_hash && (!passed || held))",
           "corm_delivery(other)->key_hash == delivery->key_hash && !passed)"),
    Mutant("messages-key-last", "messages", 1, 4000,  # what left its key is still the last one of it
           "if (bucket->last == id)\n\t\tbucket->last = prev;",
           ""),
    Mutant("messages-key-stuck", "messages", 1, 4000,  # the next one of a key is not woken
           "delivery->keyed = false;\n\twake_key(group, delivery->key_hash);",
           "delivery->keyed = false;"),
    Mutant("messages-key-taken-together", "messages", 2, 4000,  # messages of one take wait for each other
           "corm_group_consider(group, ((CormTaken *) from)->delivery);",
           "if (group->in_hand < 0)\n\t\t\tcorm_group_consider(group, ((CormTaken *) from)->delivery);"),
    Mutant("messages-lease", "messages", 5, 4000,  # a lease that is over can be acknowledged
           "if (delivery->state == CORM_LEASED && delivery->due > now)",
           "if (delivery->state == CORM_LEASED && now > 0)"),
    Mutant("messages-held", "messages", 2, 4000,  # a rollback leaves what it acknowledged in nobody's hand
           "if (delivery->state == CORM_ACKING)\n\t\tcorm_group_lease(group, held->id, delivery->due);",
           ""),
    Mutant("messages-retry-delay", "messages", 2, 4000,
           "else if (delay < 0)\n\t\tdelay = group->settings.retry_delay;",
           "else if (delay < 0)\n\t\tdelay = 0;"),
    Mutant("messages-max-attempts", "messages", 1, 4000,  # one more
           "delivery->attempt >= group->settings.max_attempts)",
           "delivery->attempt > group->settings.max_attempts)"),
    Mutant("messages-lost-early", "messages", 2, 4000,  # a durable message is lost in shared memory only
           "if (!group->settings.dead_letter && !topic->settings.durable)",
           "if (!group->settings.dead_letter)"),
    Mutant("workers-woken-early", "test", "110_workers", 0,  # the worker looks before there is something to see, and sleeps again
           "when it is woken */\n\t\t\tslot->poked = true;\n\t\t\tcorm_slot_wake_worker(slot);",
           "when it is woken */\n\t\t\tcorm_slot_wake_worker(slot);\n\t\t\tslot->poked = true;"),
    Mutant("workers-late-cancel", "test", "110_workers", 0,  # a cancel that comes when a task has ended cancels the next one
           "meant for that one */\n\t\tQueryCancelPending = false;",
           "meant for that one */"),
    Mutant("messages-room", "messages", 1, 4000,  # what other transactions are going to publish takes no room
           "group->unsettled + topic->reserved + room->n <= capacity)",
           "group->unsettled + room->n <= capacity)"),
    Mutant("messages-room-kept", "messages", 2, 4000,  # a rollback keeps the room
           "corm_room_give(topic, &publish->room);\n\t\tif (publish->dedup != 0)\n\t\t\tcorm_dedup_forget",
           "if (publish->dedup != 0)\n\t\t\tcorm_dedup_forget"),
    Mutant("messages-drop-in-hand", "messages", 5, 4000,  # drop_oldest takes what somebody has in hand
           "if (delivery != NULL && !(free && corm_group_in_hand(delivery)))",
           "if (delivery != NULL)"),
    Mutant("messages-purge-in-hand", "messages", 1, 4000,
           "if (!corm_group_in_hand(delivery))\n\t\t\t\t\tcorm_group_settle",
           "if (true)\n\t\t\t\t\tcorm_group_settle"),
    Mutant("messages-settled-at-call", "messages", 1, 4000,  # a rollback settles
           "corm_group_give_back(topic, group, id, now, delay, freed);\n\t\t\tif (delivery->group_gen",
           "(void) delay;\n\t\t\tcorm_group_done(topic, group, id, now, freed);\n\t\t\tif (delivery->group_gen"),
    Mutant("messages-refused-counted", "messages", 1, 4000,  # what a filter refuses counts as handed out, if the transaction is rolled back
           "corm_group_undeliver(group, id);\n\t\tdelay = 0;",
           "delivery->filtered = false;\n\t\tdelay = 0;"),
    Mutant("messages-failed-settled", "messages", 1, 4000,  # a message for which a filter fails is settled
           "corm_group_give_back(topic, group, id, now, Max(group->settings.retry_delay, FAILED_REST_US), &freed);",
           "corm_group_settle(topic, group, id, now, &freed);"),
    Mutant("messages-drop-anyway", "test", "modules:corm_test/messages_time", 0,  # a message makes way where leases that are over have made room
           "if (group->unsettled <= corm_group_capacity(topic, group) || corm_group_oldest_free(topic, group, &id) == PG_INT64_MAX)",
           "if (corm_group_oldest_free(topic, group, &id) == PG_INT64_MAX)"),
    Mutant("messages-bytes-between", "messages", 1302, 9000,  # after a seek far back, all count until what was there before is reached
           "while (n < front->n && front->mark[n].seq < marks->mark[0].seq)",
           "while (n < Min(front->n, 1) && front->mark[n].seq < marks->mark[0].seq)"),
    Mutant("messages-bytes-after-seek", "messages", 6, 4000,  # a seek backward does not make messages count
           "if (change->kind == CHANGE_SEEK)\n\t\t\tcorm_log_count_bytes(topic);",
           ""),
    Mutant("messages-guilty-batch", "test", "messaging_handlers", 0,  # all messages of a batch that failed have used an attempt
           "if (acquitted)\n\t\t\t\tcorm_group_acquit(group, id);\n",
           "if (acquitted && id == 0)\n\t\t\t\tcorm_group_acquit(group, id);\n"),
    Mutant("messages-guilty-commit", "test", "messaging_handlers", 0,  # so have all of a transaction that fails at commit
           "(take->handled ? take->handling->handed : take->batch) > 1",
           "take->batch > 1"),
    Mutant("messages-never-single", "test", "messaging_handlers", 0,  # a batch that failed comes again as a batch
           "effect->take.max = effect->n == 0 && effect->handling->handed == 0;",
           ""),
    Mutant("messages-filter-outdated", "test", "messaging_filter_rights", 0,  # an invalid plan is revalidated when it runs: what is wrong is a message's fault
           "if (plan != NULL && !SPI_plan_is_valid(plan->plan))",
           "if (plan != NULL && hash == 0)"),
    Mutant("messages-not-stored", "messages-killed", 1, 0,  # what is settled in a durable topic is not stored
           "if (n > 0)\n\t\tcorm_durable_settle(effect->group_id",
           "if (n < 0)\n\t\tcorm_durable_settle(effect->group_id"),
    Mutant("messages-ack-not-stored", "messages-killed", 1, 0,
           "if (kind == CHANGE_ACK)\n\t\tstore_acked(change, seqs);",
           "if (kind == CHANGE_ACK && n < 0)\n\t\tstore_acked(change, seqs);"),
    Mutant("messages-unlocked-numbers", "messages-killed", 1, 0,  # numbers are given without the topic's lock
           "(void) LockAcquire(&tag, ExclusiveLock, false, false);\n}\n\n/* corm_durable_lock_group",
           "(void) tag;\n}\n\n/* corm_durable_lock_group"),
    # the queue of tasks
    Mutant("queue-priority", "tasks", 1, 4000,  # a task of a higher priority does not come first
           "if (lane->top == 0 || task->priority > corm_task_at(lane->top)->priority)",
           "if (lane->top == 0)"),
    Mutant("queue-next-priority", "tasks", 1, 4000,  # after the last one of a priority, any other comes
           "while (lane->top != 0 && corm_task_at(lane->top)->level_higher != 0)",
           "while (false)"),
    Mutant("queue-level-lost", "tasks", 1, 4000,  # a level that goes takes those below it along
           "*link = lower != 0 ? lower : higher;",
           "*link = lower;"),
    Mutant("queue-heap", "tasks", 1, 4000,  # what is due last is looked at first
           "return x->due < y->due;",
           "return x->due > y->due;"),
    Mutant("queue-heap-down", "tasks", 1, 4000,  # the wrong child moves up
           "if (child < corm_tasks->nheap && corm_queue_is_before(corm_queue.heap[child + 1], corm_queue.heap[child]))",
           "if (child < corm_tasks->nheap && !corm_queue_is_before(corm_queue.heap[child + 1], corm_queue.heap[child]))"),
    Mutant("queue-due-twice", "tasks", 1, 4000,  # a task whose time has come stays in the heap
           "corm_queue_leave_lane(block);\n\tcorm_queue_heap_remove(block);\n\tswitch",
           "corm_queue_leave_lane(block);\n\tswitch"),
    Mutant("queue-key-limit", "tasks", 1, 4000,  # one task too many of a key
           "return key->active >= corm_task_more(task)->key_limit;",
           "return key->active > corm_task_more(task)->key_limit;"),
    Mutant("queue-key-order", "tasks", 1, 4000,  # a task that becomes ready does not wait behind others of its key
           "if (task->key != 0 && !task->active)",
           "if (task->key != 0 && !task->active && corm_key_at(task->key)->active > 0)"),
    Mutant("queue-key-kept", "tasks", 1, 4000,  # a task that has ended leaves its place at the key to nobody
           "task->active = false;\n\t\t\tadmit(key);",
           "task->active = false;"),
    Mutant("queue-unpark-admits", "tasks", 1, 4000,  # the next one stays behind one that has been taken out
           "corm_queue_list_remove(&key->parked, block);\n\tadmit(key);",
           "corm_queue_list_remove(&key->parked, block);"),
    Mutant("queue-unique-kept", "tasks", 1, 4000,  # a unique key is used by a task that has ended
           "drop_unique(task);\n\tif (task->key != 0)\n\t{\n\t\tCormTaskKey",
           "if (task->key != 0)\n\t{\n\t\tCormTaskKey"),
    Mutant("queue-room", "tasks", 1, 4000,  # room of a task that was rolled back is lost
           "pool->reserved--;\n\t\t\t\ttask->pool_counted = false;",
           "task->pool_counted = false;"),
    Mutant("queue-parked-cancel", "tasks", 1, 4000,  # a cancelled task stays in the list of its key
           "case CORM_TASK_PARKED:\n\t\t\tcorm_queue_unpark(block);\n\t\t\tbreak;",
           "case CORM_TASK_PARKED:\n\t\t\tbreak;"),
    Mutant("queue-cancel-uncommitted", "tasks", 1, 4000,  # a task that was cancelled before its commit runs
           "if (!doomed && (task->cancelled || pool->dropped",
           "if (!doomed && (pool->dropped"),
    Mutant("queue-hold-runs", "tasks", 1, 4000,  # a task that somebody is going to replace begins
           "if (task->holds++ > 0)\n\t\treturn;",
           "task->holds++;\n\treturn;"),
    Mutant("queue-hold-lost", "tasks", 1, 4000,  # one that was not replaced never begins
           "if (task->state == CORM_TASK_WAITING)\n\t\tput_waiting(block);",
           ""),
    Mutant("queue-replace-priority", "tasks", 1, 4000,  # a replaced task keeps its priority
           "task->priority = from->priority;",
           ""),
    Mutant("queue-reschedule", "tasks", 1, 4000,  # a rescheduled task keeps its time
           "Assert(task->holds > 0);\n\ttask->due = due;",
           "Assert(task->holds > 0);"),
    Mutant("queue-ttl", "tasks", 1, 4000,  # a result is kept for too long
           "task->due = corm_clock_mono() + pool->ttl_us;",
           "task->due = corm_clock_mono() + pool->ttl_us + 1000000;"),
    Mutant("queue-retry-attempts", "tasks", 1, 4000,  # a task that is run again has no attempts left
           "task->cancelled = false;\n\tmore->attempt = 0;",
           "task->cancelled = false;"),
    Mutant("queue-attempts", "tasks", 1, 4000,  # one attempt too many
           "corm_task_more(task)->attempt < corm_task_more(task)->max_attempts &&",
           "corm_task_more(task)->attempt <= corm_task_more(task)->max_attempts &&"),
    # wait groups
    Mutant("group-task-ended", "tasks", 1, 4000,  # a task that has ended is counted still
           "corm_group_task_ended(task->group);\n\ttask->group.generation = 0;",
           "task->group.generation = 0;"),
    Mutant("group-reserved", "tasks", 1, 4000,  # units that were taken away are reserved for ever
           "group->reserved -= reserved;",
           ""),
    Mutant("group-savepoint", "tasks", 1, 4000,  # ROLLBACK TO does not give back what was reserved
           "groups[pending->ref.index].reserved -= effect->reserved;",
           ""),
    Mutant("group-level", "tasks", 1, 4000,  # what was done before a savepoint goes with it
           "if (effect != NULL && effect->effect.level == GetCurrentTransactionNestLevel())",
           "if (effect != NULL)"),
]


def problem(name, found, source):
    return (f"the text of mutant {name} stands {len(found)} times in {source}, not once: the source has changed, "
            "mend test/oracle/mutants.py")


def places(mutant, texts):
    return [path for path, text in texts.items() for _ in range(text.count(mutant.old))]


def texts_below(source):
    return {path: path.read_text() for path in sorted(pathlib.Path(source).rglob("*.[ch]"))}


def check(source):
    texts = texts_below(source)
    problems = [problem(mutant.name, found, source) for mutant in MUTANTS if len(found := places(mutant, texts)) != 1]
    print("\n".join(problems))
    sys.exit(1 if problems else 0)


def plant(name, source):
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    found = places(mutant, texts_below(source))
    if len(found) != 1:
        sys.exit(problem(name, found, source))
    found[0].write_text(found[0].read_text().replace(mutant.old, mutant.new))
    print(found[0])


def chosen(names):
    known = [mutant.name for mutant in MUTANTS]
    for name in names:
        if name not in known:
            sys.exit(f"no mutant has this name: {name}; there are {', '.join(known)}")
    return [mutant for mutant in MUTANTS if not names or mutant.name in names]


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        for mutant in chosen(sys.argv[2:]):
            print(mutant.name, mutant.part, mutant.seed, mutant.steps)
    elif sys.argv[1] == "--controls":
        longest = {}
        for mutant in chosen(sys.argv[2:]):
            run = mutant.part, mutant.seed
            longest[run] = max(mutant.steps, longest.get(run, 0))
        for (part, seed), steps in longest.items():
            print(part, seed, steps)
    elif sys.argv[1] == "--check":
        check(sys.argv[2])
    else:
        plant(sys.argv[2], sys.argv[3])
