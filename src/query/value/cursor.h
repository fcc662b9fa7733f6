/*-------------------------------------------------------------------------
 *
 * cursor.h
 *		Cursors of pages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_CURSOR_H
#define CORM_VALUE_CURSOR_H

#include "postgres.h"

#include "base/compat.h"
#include "fmgr.h"

extern void corm_other_order(void) pg_attribute_noreturn();
extern Datum corm_after(PG_FUNCTION_ARGS);
extern Datum corm_before(PG_FUNCTION_ARGS);

#endif							/* CORM_VALUE_CURSOR_H */
