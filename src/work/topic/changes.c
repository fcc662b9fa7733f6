/*-------------------------------------------------------------------------
 *
 * changes.c
 *		corm.publish_changes: changes of a table's rows as messages.
 *
 * A trigger on the table publishes a message for each row that is written, in the
 * transaction that writes it, with the rights of who writes it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/args.h"
#include "base/compat.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "work/topic/publish.h"
#include "work/topic/rows.h"

PG_FUNCTION_INFO_V1(corm_publish_change);
PG_FUNCTION_INFO_V1(corm_publish_changes);

/* columns_of returns the columns of a model that are hidden, or those of its primary key, as text[]. */
static Datum
columns_of(CormModel *model, bool hidden)
{
	Datum	   *names = palloc(Max(model->nfields, 1) * sizeof(Datum));
	int			n = 0;

	for (int i = 0; i < model->nfields; i++)
		if (hidden ? model->fields[i].hidden : model->fields[i].primary_key)
			names[n++] = CStringGetTextDatum(model->fields[i].column);
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* table_name returns the name of a table as messages have it: that of the partitioned table, for a partition. */
static char *
table_name(Oid relid)
{
	List	   *ancestors = get_rel_relispartition(relid) ? get_partition_ancestors(relid) : NIL;
	Oid			top = ancestors != NIL ? llast_oid(ancestors) : relid;

	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(top)), get_rel_name(top));
}

/* describe_change makes the message about a change: its payload, and the key of the row. */
static void
describe_change(TriggerData *data, const char *op, CormOutgoing *message)
{
	static const char *const query =
		"SELECT pg_catalog.jsonb_build_object('op', $1, 'table', $2, 'old', pg_catalog.to_jsonb($3) OPERATOR(pg_catalog.-) $5, "
		"'new', pg_catalog.to_jsonb($4) OPERATOR(pg_catalog.-) $5)::pg_catalog.text, "
		"(SELECT pg_catalog.string_agg(COALESCE(pg_catalog.to_jsonb(COALESCE($4, $3)) OPERATOR(pg_catalog.->>) k, ''), ',' ORDER BY n) "
		"FROM pg_catalog.unnest($6) WITH ORDINALITY AS u (k, n))";
	Relation	rel = data->tg_relation;
	CormModel  *model = corm_model_get_any(RelationGetRelid(rel));
	Oid			types[6] = {TEXTOID, TEXTOID, rel->rd_rel->reltype, rel->rd_rel->reltype, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[6];
	char		nulls[7] = "      ";
	bool		is_insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
	bool		is_delete = TRIGGER_FIRED_BY_DELETE(data->tg_event);
	HeapTuple	old = is_insert ? NULL : data->tg_trigtuple;
	HeapTuple	new = is_delete ? NULL : is_insert ? data->tg_trigtuple : data->tg_newtuple;

	values[0] = CStringGetTextDatum(op);
	values[1] = CStringGetTextDatum(table_name(RelationGetRelid(rel)));
	nulls[2] = old == NULL ? 'n' : ' ';
	values[2] = old == NULL ? (Datum) 0 : heap_copy_tuple_as_datum(old, RelationGetDescr(rel));
	nulls[3] = new == NULL ? 'n' : ' ';
	values[3] = new == NULL ? (Datum) 0 : heap_copy_tuple_as_datum(new, RelationGetDescr(rel));
	values[4] = columns_of(model, true);
	values[5] = columns_of(model, false);
	if (SPI_execute_with_args(query, 6, types, values, nulls, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not describe a change");
	message->type = JSONBOID;
	message->payload = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	message->payload_len = strlen(message->payload);
	message->key = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	message->key_len = message->key != NULL ? (int32) strlen(message->key) : -1;
	message->headers_len = -1;
}

/* publish_change() -> trigger: publishes the change of a row to the topic that its argument names */
Datum
corm_publish_change(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	CormPublishOptions options = {0};
	CormOutgoing message;
	CormTopicRef *topic;
	const char *op;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("corm.publish_change() must be called as a trigger")));
	if (!TRIGGER_FIRED_FOR_ROW(data->tg_event) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		data->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("corm.publish_change() must be called by an AFTER trigger FOR EACH ROW, with the name of a topic"),
				 errhint("Create the trigger with corm.publish_changes.")));
	op = TRIGGER_FIRED_BY_INSERT(data->tg_event) ? "insert" : TRIGGER_FIRED_BY_DELETE(data->tg_event) ? "delete" : "update";
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	describe_change(data, op, &message);
	topic = corm_topic_ref_or_null(data->tg_trigger->tgargs[0]);
	if (topic == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("topic \"%s\" does not exist", data->tg_trigger->tgargs[0]),
				 errdetail("Trigger %s publishes changes of table \"%s\" to it.", data->tg_trigger->tgname,
						   RelationGetRelationName(data->tg_relation)),
				 errhint("Create the topic, or remove the trigger with corm.publish_changes(..., events => '{}').")));
	corm_topic_check_publish(topic);
	(void) corm_publish_messages(topic, &message, 1, &options);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/* get_events returns the events of a trigger in SQL, NULL for none.  Raises 22023 for an unknown one. */
static char *
get_events(ArrayType *names)
{
	static const char *const known[] = {"insert", "update", "delete"};
	StringInfoData buf;
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	int			seen = 0;

	initStringInfo(&buf);
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name = nulls[i] ? "" : TextDatumGetCString(elems[i]);
		int			k = 0;

		while (k < lengthof(known) && strcmp(name, known[k]) != 0)
			k++;
		if (k == lengthof(known))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized event \"%s\"", name),
					 errhint("Events are insert, update and delete.")));
		if ((seen & (1 << k)) == 0)
			appendStringInfo(&buf, "%s%s", seen != 0 ? " OR " : "", known[k]);
		seen |= 1 << k;
	}
	return seen != 0 ? buf.data : NULL;
}

/* publish_changes(model, topic, events) -> void */
Datum
corm_publish_changes(PG_FUNCTION_ARGS)
{
	char	   *topic = corm_name_arg(fcinfo, 1, "topic name");
	CormModel  *model;
	Oid			table;
	char	   *table_sql;
	char	   *trigger;
	char	   *events;
	char	   *sql;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model and events must not be null")));
	events = get_events(PG_GETARG_ARRAYTYPE_P(2));
	/* the trigger can be removed when the topic is gone */
	if (events != NULL)
		corm_topic_check_publish(corm_topic_ref(topic));
	model = corm_model_get(PG_GETARG_OID(0));
	corm_model_require_table(model);
	table = model->table;
	table_sql = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));

	/* one trigger for each topic: the name is cut, the hash is not */
	trigger = psprintf("corm_publish_%.*s_%08x", pg_mbcliplen(topic, strlen(topic), 36), topic,
					   hash_bytes((const unsigned char *) topic, strlen(topic)));
	if (events != NULL)
		sql = psprintf("CREATE OR REPLACE TRIGGER %s AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION corm.publish_change(%s)",
					   quote_identifier(trigger), events, table_sql, quote_literal_cstr(topic));
	else
		sql = psprintf("DROP TRIGGER IF EXISTS %s ON %s", quote_identifier(trigger), table_sql);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create a trigger");
	SPI_finish();
	PG_RETURN_VOID();
}
