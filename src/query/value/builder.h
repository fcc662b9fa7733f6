/*-------------------------------------------------------------------------
 *
 * builder.h
 *		Builders and their arguments, evaluated or not.
 *
 * A builder is called by the executor, with values (build.c), or its call is
 * read in a statement that is being planned (read_calls.c).  The same code
 * writes the node for both.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_BUILDER_H
#define CORM_VALUE_BUILDER_H

#include "postgres.h"

#include "query/value/node.h"

/* What a SQL argument is, however the node uses it. */
typedef enum InputKind
{
	INPUT_EXPR,
	INPUT_QUERY,
	INPUT_TEXT,					/* text or varchar */
	INPUT_UNKNOWN,				/* a literal or parameter: a C string */
	INPUT_TEXT_DOMAIN,			/* a domain over text: a name where one is
								 * wanted, else a value */
	INPUT_VALUE					/* anything else */
} InputKind;

typedef struct Input
{
	InputKind	kind;
	Oid			typid;
	Oid			element;		/* of an array that corm.in() is given, or
								 * InvalidOid */
	int16		typlen;
	bool		typbyval;
	char		typalign;
	bool		is_array_text;	/* a list given as the text of an array */
} Input;

typedef struct Builder
{
	const CormNodeDesc *desc;
	const char *func;
	Oid			expr_type;
	Oid			query_type;
	int			list_arg;		/* number of the list argument, or -1 */
	bool		list_is_array;	/* it comes as an array: VARIADIC t[] or
								 * called with VARIADIC */
	int			clauses_arg;	/* number of a query that comes as VARIADIC
								 * corm.query[], or -1 */
	int			ninputs;
	Input		inputs[FLEXIBLE_ARRAY_MEMBER];	/* per SQL argument; of an
												 * array: its element */
} Builder;

/* An element of an array whose elements are given one by one. */
typedef struct CormBuilderElement
{
	Input		input;
	NullableDatum value;
} CormBuilderElement;

typedef struct CormBuilderArg
{
	NullableDatum value;
	CormBuilderElement *elements;	/* in place of the value; else NULL */
	int			nelements;
} CormBuilderArg;

/* What is known of a SQL function. */
typedef struct CormBuilderFunction
{
	Oid			funcid;			/* hash key */
	const CormNodeDesc *desc;	/* the node that it builds; NULL: joins
								 * queries */
	bool		is_pipe;
	bool		is_plain;		/* in schema corm, with the rights and
								 * settings of the caller */
	bool		is_public;		/* its privileges are the default: everybody
								 * may execute it */
	int			nargs;
	Oid			variadic;
	Oid			argtypes[8];
} CormBuilderFunction;

extern void corm_build_init(void);
extern const CormBuilderFunction *corm_builder_function(Oid funcid);
extern void corm_builder_input(const Builder *b, Input *input, Oid typid);
extern Builder *corm_builder_make(const CormBuilderFunction *function, int nargs, const Oid *argtypes,
								  bool variadic);
extern CormNode *corm_builder_write(Builder *b, int nargs, const CormBuilderArg *args);

#endif							/* CORM_VALUE_BUILDER_H */
