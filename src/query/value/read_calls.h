/*-------------------------------------------------------------------------
 *
 * read_calls.h
 *		Calls of builders read in a statement that is being planned.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_READ_CALLS_H
#define CORM_VALUE_READ_CALLS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

typedef struct CormCallReader
{
	/* returns an expression with what is known of it evaluated */
	Node	   *(*fold) (struct CormCallReader *reader, Node *node);

	/*
	 * returns the number, from 1 on, of a value that is not known yet; 0 if
	 * the expression cannot be one
	 */
	uint32		(*symbol) (struct CormCallReader *reader, Node *node);

	List	   *functions;		/* Oids of the functions whose calls were read */
	bool		all_public;		/* everybody may execute them */
} CormCallReader;

extern bool corm_read_queries(CormCallReader *reader, Node *node, List **queries);

#endif							/* CORM_VALUE_READ_CALLS_H */
