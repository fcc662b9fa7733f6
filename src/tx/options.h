/*-------------------------------------------------------------------------
 *
 * options.h
 *		The options of a transaction scope, and whether they can be met.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_OPTIONS_H
#define CORM_TX_OPTIONS_H

#include "postgres.h"

#include "base/compat.h"
#include "fmgr.h"

typedef enum CormTxPropagation
{
	CORM_TX_REQUIRED,
	CORM_TX_REQUIRES_NEW,
	CORM_TX_NESTED,
	CORM_TX_MANDATORY,
	CORM_TX_SUPPORTS,
	CORM_TX_NOT_SUPPORTED,
	CORM_TX_NEVER
} CormTxPropagation;

#define CORM_TX_ISOLATION_UNSET (-1)

typedef struct CormTxOptions
{
	CormTxPropagation propagation;
	char		name[NAMEDATALEN];	/* empty: no name was given */
	bool		has_read_only;
	bool		read_only;
	int			isolation;		/* XACT_..., or CORM_TX_ISOLATION_UNSET */
	int			timeout_ms;		/* 0: none */
	int			retries;
} CormTxOptions;

/* How a propagation combines with what is around. */
typedef enum CormTxPlace
{
	CORM_TX_PLACE_JOIN,			/* become part of it */
	CORM_TX_PLACE_OPEN,			/* open a scope that can end by itself */
	CORM_TX_PLACE_NONE			/* run without a scope */
} CormTxPlace;

extern void corm_tx_options_init(CormTxOptions *opts);
extern void corm_tx_options_parse(Datum composite, CormTxOptions *opts);
extern const CormTxOptions *corm_tx_options_arg(FunctionCallInfo fcinfo, int argno);
extern const char *corm_tx_propagation_name(CormTxPropagation propagation);
extern const char *corm_tx_isolation_name(int isolation);
extern bool corm_tx_same_isolation(int a, int b);
extern CormTxPlace corm_tx_place(const CormTxOptions *opts, bool active);
extern void corm_tx_check_characteristics(const CormTxOptions *opts);

#endif							/* CORM_TX_OPTIONS_H */
