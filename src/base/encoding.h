/*-------------------------------------------------------------------------
 *
 * encoding.h
 *		Text that comes from a database of another encoding.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_ENCODING_H
#define CORM_BASE_ENCODING_H

extern char *corm_any_to_server(const char *str, int len, int encoding);

#endif							/* CORM_BASE_ENCODING_H */
