/*-------------------------------------------------------------------------
 *
 * json.c
 *		Rows of any statement as one jsonb array of objects.
 *
 * The rows never become a table in memory: a DestReceiver adds each to the
 * array as the executor produces it.  Everything is allocated in the memory
 * context that was current when the receiver was made; the result is copied
 * to where the caller wants it.
 *
 * Values look as to_jsonb makes them.  The common scalar types are converted
 * here, which saves a function call and a jsonb per value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/exact_json.h"
#include "base/jsonb.h"
#include "catalog/pg_type.h"
#include "tx/json.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

/* How a column becomes a jsonb value. */
typedef enum ColumnKind
{
	COLUMN_BOOL,
	COLUMN_INT2,
	COLUMN_INT4,
	COLUMN_INT8,
	COLUMN_NUMERIC,
	COLUMN_TEXT,
	COLUMN_JSONB,
	COLUMN_EXACT,				/* as corm.json_bigint says */
	COLUMN_OTHER				/* by to_jsonb */
} ColumnKind;

typedef struct JsonColumn
{
	JsonbValue	key;
	ColumnKind	kind;
	Oid			typid;
	CormToJsonb to_jsonb;		/* of COLUMN_OTHER */
} JsonColumn;

typedef struct JsonReceiver
{
	DestReceiver pub;
	MemoryContext context;		/* of everything below */
	bool		started;		/* the statement returns rows */
	int			ncolumns;
	JsonColumn *columns;
	JsonbParseState *state;
} JsonReceiver;

static void receiver_startup(DestReceiver *self, int operation, TupleDesc desc);
static bool receiver_receive(TupleTableSlot *slot, DestReceiver *self);
static void receiver_shutdown(DestReceiver *self);
static void receiver_destroy(DestReceiver *self);
static void init_column(JsonColumn *column, Form_pg_attribute attribute);
static void push_column(JsonReceiver *receiver, JsonColumn *column, Datum value);

/*
 * corm_tx_json_receiver returns a receiver for the rows of one statement, in
 * the current memory context.
 */
DestReceiver *
corm_tx_json_receiver(void)
{
	JsonReceiver *receiver = palloc0(sizeof(JsonReceiver));

	receiver->pub.receiveSlot = receiver_receive;
	receiver->pub.rStartup = receiver_startup;
	receiver->pub.rShutdown = receiver_shutdown;
	receiver->pub.rDestroy = receiver_destroy;
	receiver->pub.mydest = DestTuplestore;
	receiver->context = CurrentMemoryContext;
	return (DestReceiver *) receiver;
}

/*
 * corm_tx_json_result returns the rows as a jsonb array allocated in the given
 * context, or NULL if the statement was not one that returns rows.
 */
Jsonb *
corm_tx_json_result(DestReceiver *self, MemoryContext context)
{
	JsonReceiver *receiver = (JsonReceiver *) self;
	MemoryContext oldcontext;
	JsonbValue *array;
	Jsonb	   *result;

	if (!receiver->started)
		return NULL;
	array = pushJsonbValue(&receiver->state, WJB_END_ARRAY, NULL);
	oldcontext = MemoryContextSwitchTo(context);
	result = JsonbValueToJsonb(array);
	MemoryContextSwitchTo(oldcontext);
	return result;
}

/* init_column decides how a column is converted. */
static void
init_column(JsonColumn *column, Form_pg_attribute attribute)
{
	Oid			type = getBaseType(attribute->atttypid);

	column->key.type = jbvString;
	/* the description is the executor's and may go before the result is made */
	column->key.val.string.val = pstrdup(NameStr(attribute->attname));
	column->key.val.string.len = strlen(column->key.val.string.val);

	switch (type)
	{
		case BOOLOID:
			column->kind = COLUMN_BOOL;
			break;
		case INT2OID:
			column->kind = COLUMN_INT2;
			break;
		case INT4OID:
			column->kind = COLUMN_INT4;
			break;
		case INT8OID:
			column->kind = COLUMN_INT8;
			break;
		case NUMERICOID:
			column->kind = COLUMN_NUMERIC;
			break;
		case TEXTOID:
		case VARCHAROID:
			column->kind = COLUMN_TEXT;
			break;
		case JSONBOID:
			column->kind = COLUMN_JSONB;
			break;
		default:
			column->kind = COLUMN_OTHER;
			break;
	}

	column->typid = attribute->atttypid;
	if (corm_json_is_exact() &&
		(column->kind == COLUMN_INT8 || column->kind == COLUMN_NUMERIC || column->kind == COLUMN_OTHER))
		column->kind = COLUMN_EXACT;

	if (column->kind == COLUMN_OTHER)
		corm_to_jsonb_init(&column->to_jsonb, attribute->atttypid);
}

/*
 * check_names raises 42701 if two columns have one name: of a JSON object's
 * members of that name the last would be all that is left.
 */
static void
check_names(JsonReceiver *receiver)
{
	for (int i = 1; i < receiver->ncolumns; i++)
	{
		const JsonbValue *key = &receiver->columns[i].key;

		for (int j = 0; j < i; j++)
		{
			const JsonbValue *other = &receiver->columns[j].key;

			if (key->val.string.len == other->val.string.len &&
				memcmp(key->val.string.val, other->val.string.val, key->val.string.len) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("two columns of the result are named \"%s\"", key->val.string.val),
						 errdetail("The rows become JSON objects, which have one value for a name."),
						 errhint("Give one of them another name with AS.")));
		}
	}
}

/* receiver_startup prepares for rows of that description; the statement returns rows. */
static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	JsonReceiver *receiver = (JsonReceiver *) self;
	MemoryContext oldcontext = MemoryContextSwitchTo(receiver->context);

	receiver->ncolumns = desc->natts;
	receiver->columns = palloc0(Max(desc->natts, 1) * sizeof(JsonColumn));
	for (int i = 0; i < desc->natts; i++)
		init_column(&receiver->columns[i], TupleDescAttr(desc, i));
	check_names(receiver);
	if (!receiver->started)
		pushJsonbValue(&receiver->state, WJB_BEGIN_ARRAY, NULL);
	receiver->started = true;
	MemoryContextSwitchTo(oldcontext);
}

/* push_column adds one value that is not null to the current object. */
static void
push_column(JsonReceiver *receiver, JsonColumn *column, Datum value)
{
	JsonbValue	json;

	switch (column->kind)
	{
		case COLUMN_BOOL:
			json.type = jbvBool;
			json.val.boolean = DatumGetBool(value);
			break;
		case COLUMN_INT2:
			json.type = jbvNumeric;
			json.val.numeric = int64_to_numeric(DatumGetInt16(value));
			break;
		case COLUMN_INT4:
			json.type = jbvNumeric;
			json.val.numeric = int64_to_numeric(DatumGetInt32(value));
			break;
		case COLUMN_INT8:
			json.type = jbvNumeric;
			json.val.numeric = int64_to_numeric(DatumGetInt64(value));
			break;
		case COLUMN_NUMERIC:
			{
				Numeric		numeric = DatumGetNumericCopy(value);

				if (numeric_is_nan(numeric) || numeric_is_inf(numeric))
				{
					json.type = jbvString;
					json.val.string.val = numeric_normalize(numeric);
					json.val.string.len = strlen(json.val.string.val);
				}
				else
				{
					json.type = jbvNumeric;
					json.val.numeric = numeric;
				}
			}
			break;
		case COLUMN_TEXT:
			json.type = jbvString;
			json.val.string.val = TextDatumGetCString(value);
			json.val.string.len = strlen(json.val.string.val);
			break;
		case COLUMN_JSONB:
		case COLUMN_EXACT:
		case COLUMN_OTHER:
			{
				/* what is pushed points into the document, so it must last */
				Jsonb	   *jsonb = column->kind == COLUMN_JSONB ? DatumGetJsonbPCopy(value) :
					column->kind == COLUMN_EXACT ? corm_exact_jsonb(column->typid, value) :
					corm_to_jsonb(&column->to_jsonb, value);

				if (JB_ROOT_IS_SCALAR(jsonb))
				{
					if (!JsonbExtractScalar(&jsonb->root, &json))
						elog(ERROR, "could not extract jsonb scalar");
				}
				else
				{
					json.type = jbvBinary;
					json.val.binary.data = &jsonb->root;
					json.val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
				}
			}
			break;
	}
	pushJsonbValue(&receiver->state, WJB_VALUE, &json);
}

/* receiver_receive adds one row. */
static bool
receiver_receive(TupleTableSlot *slot, DestReceiver *self)
{
	JsonReceiver *receiver = (JsonReceiver *) self;
	MemoryContext oldcontext = MemoryContextSwitchTo(receiver->context);

	slot_getallattrs(slot);
	pushJsonbValue(&receiver->state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < receiver->ncolumns; i++)
	{
		JsonColumn *column = &receiver->columns[i];

		pushJsonbValue(&receiver->state, WJB_KEY, &column->key);
		if (slot->tts_isnull[i])
		{
			JsonbValue	null = {.type = jbvNull};

			pushJsonbValue(&receiver->state, WJB_VALUE, &null);
		}
		else
			push_column(receiver, column, slot->tts_values[i]);
	}
	pushJsonbValue(&receiver->state, WJB_END_OBJECT, NULL);
	MemoryContextSwitchTo(oldcontext);
	return true;
}

/* receiver_shutdown has nothing to do: the array is closed when the result is asked for. */
static void
receiver_shutdown(DestReceiver *self)
{
}

/* receiver_destroy has nothing to do: the memory belongs to the context. */
static void
receiver_destroy(DestReceiver *self)
{
}
