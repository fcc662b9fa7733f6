/*-------------------------------------------------------------------------
 *
 * options.c
 *		The options of a transaction scope: corm.tx() and its composite type.
 *
 * corm.tx() checks its arguments, but a corm.tx_options row can also be written
 * by hand (ROW(...)::corm.tx_options), so a function that takes one parses and
 * checks it again.  The parsed form is kept with the call site, and the row is
 * parsed again only when it differs, bit for bit, from the last one.
 *
 * Whether options can be met where a scope is opened is checked here too:
 * corm_tx_place and corm_tx_check_characteristics look at the session's state
 * and change nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "tx/options.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

enum
{
	OPT_PROPAGATION,
	OPT_NAME,
	OPT_READ_ONLY,
	OPT_ISOLATION,
	OPT_TIMEOUT,
	OPT_RETRIES,
	OPT_COUNT
};

/* What a call site remembers of the options it saw last (fn_extra). */
typedef struct OptionsCache
{
	HeapTupleHeader row;
	CormTxOptions opts;
} OptionsCache;

static const char *const propagation_names[] = {
	[CORM_TX_REQUIRED] = "required",
	[CORM_TX_REQUIRES_NEW] = "requires_new",
	[CORM_TX_NESTED] = "nested",
	[CORM_TX_MANDATORY] = "mandatory",
	[CORM_TX_SUPPORTS] = "supports",
	[CORM_TX_NOT_SUPPORTED] = "not_supported",
	[CORM_TX_NEVER] = "never",
};

static const char *const isolation_names[] = {
	[XACT_READ_UNCOMMITTED] = "read uncommitted",
	[XACT_READ_COMMITTED] = "read committed",
	[XACT_REPEATABLE_READ] = "repeatable read",
	[XACT_SERIALIZABLE] = "serializable",
};

static CormTxPropagation parse_propagation(const char *value);
static int	parse_isolation(const char *value);
static int	parse_timeout(const Interval *value);
static void parse_values(const Datum *values, const bool *nulls, CormTxOptions *opts);

PG_FUNCTION_INFO_V1(corm_tx);

/* corm_tx_propagation_name returns the word that users write; static storage. */
const char *
corm_tx_propagation_name(CormTxPropagation propagation)
{
	return propagation_names[propagation];
}

/* corm_tx_isolation_name returns the isolation level as SQL spells it, in lower case; static storage. */
const char *
corm_tx_isolation_name(int isolation)
{
	return isolation_names[isolation];
}

/*
 * corm_tx_same_isolation tells whether two levels are one and the same:
 * PostgreSQL runs READ UNCOMMITTED as READ COMMITTED.
 */
bool
corm_tx_same_isolation(int a, int b)
{
	return Max(a, XACT_READ_COMMITTED) == Max(b, XACT_READ_COMMITTED);
}

/* corm_tx_options_init sets the options of a call that was given none. */
void
corm_tx_options_init(CormTxOptions *opts)
{
	opts->propagation = CORM_TX_REQUIRED;
	opts->name[0] = '\0';
	opts->has_read_only = false;
	opts->read_only = false;
	opts->isolation = CORM_TX_ISOLATION_UNSET;
	opts->timeout_ms = 0;
	opts->retries = 0;
}

/* parse_propagation returns the propagation of that name, or raises OR006. */
static CormTxPropagation
parse_propagation(const char *value)
{
	for (int i = 0; i < lengthof(propagation_names); i++)
	{
		if (pg_strcasecmp(value, propagation_names[i]) == 0)
			return (CormTxPropagation) i;
	}
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_OPTION),
			 errmsg("unrecognized transaction propagation \"%s\"", value),
			 errhint("Use required, requires_new, nested, mandatory, supports, not_supported or never.")));
}

/* parse_isolation returns the XACT_... level of that name, or raises OR006. */
static int
parse_isolation(const char *value)
{
	for (int i = 0; i < lengthof(isolation_names); i++)
	{
		if (pg_strcasecmp(value, isolation_names[i]) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_OPTION),
			 errmsg("unrecognized isolation level \"%s\"", value),
			 errhint("Use read uncommitted, read committed, repeatable read or serializable.")));
}

/*
 * parse_timeout turns an interval into whole milliseconds, rounded up.  It
 * must be positive and fit the server's timers, which count in an int.
 */
static int
parse_timeout(const Interval *value)
{
	int64		us = corm_interval_length(value);

	if (us <= 0 || us > (int64) INT_MAX * 1000)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("transaction timeout is out of range"),
				 errdetail("A timeout must be more than 0 and at most %d milliseconds.", INT_MAX)));
	return (int) ((us + 999) / 1000);
}

/*
 * parse_values fills *opts from the columns of corm.tx_options, in order; a
 * NULL column means its default.  Raises OR006 for what makes no sense.
 */
static void
parse_values(const Datum *values, const bool *nulls, CormTxOptions *opts)
{
	corm_tx_options_init(opts);

	if (!nulls[OPT_PROPAGATION])
		opts->propagation = parse_propagation(TextDatumGetCString(values[OPT_PROPAGATION]));
	if (!nulls[OPT_NAME])
	{
		char	   *name = TextDatumGetCString(values[OPT_NAME]);
		int			len = pg_mbcliplen(name, strlen(name), NAMEDATALEN - 1);

		if (len == 0)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_BAD_OPTION),
					 errmsg("name of a transaction scope must not be empty")));
		memcpy(opts->name, name, len);
		opts->name[len] = '\0';
	}
	if (!nulls[OPT_READ_ONLY])
	{
		opts->has_read_only = true;
		opts->read_only = DatumGetBool(values[OPT_READ_ONLY]);
	}
	if (!nulls[OPT_ISOLATION])
		opts->isolation = parse_isolation(TextDatumGetCString(values[OPT_ISOLATION]));
	if (!nulls[OPT_TIMEOUT])
		opts->timeout_ms = parse_timeout(DatumGetIntervalP(values[OPT_TIMEOUT]));
	if (!nulls[OPT_RETRIES])
	{
		opts->retries = DatumGetInt32(values[OPT_RETRIES]);
		if (opts->retries < 0)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_BAD_OPTION),
					 errmsg("number of retries must not be negative")));
	}
}

/*
 * corm_tx_options_parse fills *opts from a corm.tx_options row.  Raises
 * OR006 for values that make no sense.
 */
void
corm_tx_options_parse(Datum composite, CormTxOptions *opts)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(composite);
	TupleDesc	desc;
	HeapTupleData tuple;
	Datum		values[OPT_COUNT];
	bool		nulls[OPT_COUNT];

	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	if (desc->natts != OPT_COUNT)
		elog(ERROR, "unexpected number of attributes in corm.tx_options");
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, nulls);
	ReleaseTupleDesc(desc);

	parse_values(values, nulls, opts);
}

/*
 * corm_tx_options_arg returns the options in argument argno of a call, parsed.
 * NULL counts as corm.tx().  The result belongs to the call site: it is valid
 * until the next call through the same FmgrInfo, which a recursive call may
 * be, so copy what is needed after running a body.
 */
const CormTxOptions *
corm_tx_options_arg(FunctionCallInfo fcinfo, int argno)
{
	OptionsCache *cache = (OptionsCache *) fcinfo->flinfo->fn_extra;
	HeapTupleHeader row;
	CormTxOptions opts;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(OptionsCache));
		corm_tx_options_init(&cache->opts);
		fcinfo->flinfo->fn_extra = cache;
	}

	if (PG_ARGISNULL(argno))
	{
		if (cache->row != NULL)
		{
			pfree(cache->row);
			cache->row = NULL;
			corm_tx_options_init(&cache->opts);
		}
		return &cache->opts;
	}

	row = DatumGetHeapTupleHeader(PG_GETARG_DATUM(argno));
	if (cache->row == NULL || VARSIZE(cache->row) != VARSIZE(row) ||
		memcmp(cache->row, row, VARSIZE(row)) != 0)
	{
		corm_tx_options_parse(HeapTupleHeaderGetDatum(row), &opts);
		if (cache->row != NULL)
		{
			pfree(cache->row);
			cache->row = NULL;
		}
		cache->opts = opts;
		cache->row = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, VARSIZE(row));
		memcpy(cache->row, row, VARSIZE(row));
	}
	return &cache->opts;
}

/*
 * corm_tx_place decides by the propagation whether to join what is around, to
 * open a new scope, or to run without one; raises what the propagation demands
 * otherwise.
 */
CormTxPlace
corm_tx_place(const CormTxOptions *opts, bool active)
{
	switch (opts->propagation)
	{
		case CORM_TX_REQUIRED:
			return active ? CORM_TX_PLACE_JOIN : CORM_TX_PLACE_OPEN;
		case CORM_TX_NESTED:
			return CORM_TX_PLACE_OPEN;
		case CORM_TX_SUPPORTS:
			return active ? CORM_TX_PLACE_JOIN : CORM_TX_PLACE_NONE;
		case CORM_TX_MANDATORY:
			if (!active)
				ereport(ERROR,
						(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
						 errmsg("propagation mandatory requires an active transaction"),
						 errhint("Begin a transaction first, or use propagation required.")));
			return CORM_TX_PLACE_JOIN;
		case CORM_TX_NEVER:
			if (active)
				ereport(ERROR,
						(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
						 errmsg("propagation never does not allow an active transaction")));
			return CORM_TX_PLACE_NONE;
		case CORM_TX_REQUIRES_NEW:
		case CORM_TX_NOT_SUPPORTED:
			/* what runs in another process does not come here: elsewhere.c */
			if (active)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("propagation %s is not supported here inside an active transaction",
								corm_tx_propagation_name(opts->propagation)),
						 errdetail("It needs a second transaction beside the active one, which a session cannot have."),
						 errhint("Use corm.do_tx or corm.try_tx, or propagation nested.")));
			return opts->propagation == CORM_TX_REQUIRES_NEW ? CORM_TX_PLACE_OPEN : CORM_TX_PLACE_NONE;
	}
	pg_unreachable();
}

/*
 * corm_tx_check_characteristics raises for what cannot be had inside a running
 * transaction: another isolation level, writes in a read-only transaction,
 * retries of a transaction that is not the scope's own.
 */
void
corm_tx_check_characteristics(const CormTxOptions *opts)
{
	if (opts->isolation != CORM_TX_ISOLATION_UNSET &&
		!corm_tx_same_isolation(opts->isolation, XactIsoLevel))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("transaction scope cannot be %s inside a transaction that is %s",
						corm_tx_isolation_name(opts->isolation),
						corm_tx_isolation_name(XactIsoLevel)),
				 errhint("Use CALL corm.run_tx or CALL corm.begin_tx for a transaction with an isolation level of its own.")));
	if (opts->has_read_only && !opts->read_only && XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("transaction scope cannot be read-write inside a read-only transaction")));
	if (opts->retries > 0 && opts->propagation != CORM_TX_REQUIRES_NEW)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("retries need propagation requires_new"),
				 errdetail("A scope that is part of a larger transaction cannot be retried by itself."),
				 errhint("Use CALL corm.run_tx for a transaction with retries.")));
}

/*
 * corm.tx(propagation, name, read_only, isolation, timeout, retries)
 *
 * Returns the corm.tx_options row, its words in their normal spelling.
 */
Datum
corm_tx(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[OPT_COUNT];
	bool		nulls[OPT_COUNT];
	CormTxOptions opts;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != OPT_COUNT)
		elog(ERROR, "corm.tx must be declared to return corm.tx_options");

	for (int i = 0; i < OPT_COUNT; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i);
	}
	parse_values(values, nulls, &opts);

	values[OPT_PROPAGATION] = CStringGetTextDatum(corm_tx_propagation_name(opts.propagation));
	nulls[OPT_PROPAGATION] = false;
	if (!nulls[OPT_NAME])
		values[OPT_NAME] = CStringGetTextDatum(opts.name);
	if (!nulls[OPT_ISOLATION])
		values[OPT_ISOLATION] = CStringGetTextDatum(corm_tx_isolation_name(opts.isolation));
	values[OPT_RETRIES] = Int32GetDatum(opts.retries);
	nulls[OPT_RETRIES] = false;

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
