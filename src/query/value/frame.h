/*-------------------------------------------------------------------------
 *
 * frame.h
 *		Frames of windows, as users write them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_FRAME_H
#define CORM_VALUE_FRAME_H

#include "postgres.h"

extern char *corm_frame_sql(const char *text);

#endif							/* CORM_VALUE_FRAME_H */
