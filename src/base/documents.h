/*-------------------------------------------------------------------------
 *
 * documents.h
 *		JSON documents as arguments: jsonb, json or text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_DOCUMENTS_H
#define CORM_BASE_DOCUMENTS_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "parser/parse_node.h"
#include "utils/jsonb.h"

extern Jsonb *corm_document_arg(FunctionCallInfo fcinfo, int argno);
extern void corm_settle_documents(ParseState *pstate, Query *query);

#endif							/* CORM_BASE_DOCUMENTS_H */
