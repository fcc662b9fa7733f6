/*-------------------------------------------------------------------------
 *
 * text.h
 *		The text form of query values: text.c writes it, text_in.c reads it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_TEXT_H
#define CORM_VALUE_TEXT_H

#include "postgres.h"

#include "query/value/node.h"

extern int	corm_begin_portable_io(bool output);
extern CormNode *corm_node_in(const char *str, char kind);

#endif							/* CORM_VALUE_TEXT_H */
