/*-------------------------------------------------------------------------
 *
 * build_parts.h
 *		Writing the arguments of builders, for the files that do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_BUILD_PARTS_H
#define CORM_VALUE_BUILD_PARTS_H

#include "query/value/builder.h"

/* build_args.c */
extern void corm_build_null_argument(const Builder *b, const char *what);
extern void corm_build_refuse_record(const Input *input);
extern void corm_build_get_string(const Input *input, Datum value, const char **str, int *len);
extern void corm_build_value(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull);
extern void corm_build_field_or_expr(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull);
extern void corm_build_array(const Builder *b, CormWriter *w, char letter, const Input *input, Datum array);
extern void corm_build_array_arg(const Builder *b, CormWriter *w, char letter, int argno, const CormBuilderArg *args);

/* build_in.c */
extern void corm_build_in(Builder *b, CormWriter *w, int nargs, const CormBuilderArg *args);

#endif							/* CORM_VALUE_BUILD_PARTS_H */
