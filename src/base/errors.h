/*-------------------------------------------------------------------------
 *
 * errors.h
 *		The SQLSTATEs that are corm's own, in one place.
 *
 * Class OR holds them; docs/errors.md explains each to users, and a test
 * holds the two lists against each other.  Conditions PostgreSQL already has
 * a code for (P0002, 42703, 55000, ...) use that code.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_ERRORS_H
#define CORM_BASE_ERRORS_H

#define CORM_ERRCODE_MISSING_WHERE			MAKE_SQLSTATE('O', 'R', '0', '0', '1')
#define CORM_ERRCODE_MAX_ROWS_EXCEEDED		MAKE_SQLSTATE('O', 'R', '0', '0', '2')
#define CORM_ERRCODE_EMPTY_BATCH			MAKE_SQLSTATE('O', 'R', '0', '0', '3')
#define CORM_ERRCODE_BAD_CURSOR				MAKE_SQLSTATE('O', 'R', '0', '0', '4')
#define CORM_ERRCODE_BAD_TAG				MAKE_SQLSTATE('O', 'R', '0', '0', '5')
#define CORM_ERRCODE_BAD_OPTION				MAKE_SQLSTATE('O', 'R', '0', '0', '6')
#define CORM_ERRCODE_AMBIGUOUS_RELATION		MAKE_SQLSTATE('O', 'R', '0', '0', '7')
#define CORM_ERRCODE_STALE_OBJECT			MAKE_SQLSTATE('O', 'R', '0', '1', '0')
#define CORM_ERRCODE_NO_PRIMARY_KEY			MAKE_SQLSTATE('O', 'R', '0', '1', '1')
#define CORM_ERRCODE_READ_ONLY_FIELD		MAKE_SQLSTATE('O', 'R', '0', '1', '2')
#define CORM_ERRCODE_CONTRADICTING_VALUES	MAKE_SQLSTATE('O', 'R', '0', '1', '3')
#define CORM_ERRCODE_BAD_FILTER				MAKE_SQLSTATE('O', 'R', '0', '2', '0')
#define CORM_ERRCODE_FILTER_LIMIT			MAKE_SQLSTATE('O', 'R', '0', '2', '1')
#define CORM_ERRCODE_SCOPE_TIMED_OUT		MAKE_SQLSTATE('O', 'R', '0', '3', '0')
#define CORM_ERRCODE_WORKER_TERMINATED		MAKE_SQLSTATE('O', 'R', '0', '3', '1')
#define CORM_ERRCODE_TASK_TIME_OVER			MAKE_SQLSTATE('O', 'R', '0', '3', '2')

/* The code that five characters stand for. */
#define CORM_ERRCODE_OF(state)	MAKE_SQLSTATE((state)[0], (state)[1], (state)[2], (state)[3], (state)[4])

/* PostgreSQL's own, since 17. */
#define CORM_ERRCODE_TRANSACTION_TIMEOUT	CORM_ERRCODE_OF("25P04")

#endif							/* CORM_BASE_ERRORS_H */
