/*-------------------------------------------------------------------------
 *
 * marks.h
 *		How many bytes the messages of a durable topic have, from a number on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_MARKS_H
#define CORM_TOPIC_MARKS_H

#include "postgres.h"

#define CORM_BYTE_MARKS		128

/* The messages up to a number have so many bytes more than those up to another mark. */
typedef struct CormByteMark
{
	int64		seq;
	int64		bytes;
} CormByteMark;

typedef struct CormByteMarks
{
	int			n;				/* at least one; ordered by number */
	CormByteMark mark[CORM_BYTE_MARKS];
} CormByteMarks;

extern void corm_marks_init(CormByteMarks *marks, int64 seq, int64 bytes);
extern int64 corm_marks_stride(const CormByteMarks *marks, int64 bytes, int64 max_bytes);
extern bool corm_marks_full(const CormByteMarks *marks);
extern void corm_marks_thin(CormByteMarks *marks, int64 oldest, int64 max_bytes);
extern void corm_marks_add(CormByteMarks *marks, int64 seq, int64 bytes);
extern void corm_marks_add_front(CormByteMarks *marks, const CormByteMarks *front, int64 max_bytes);
extern int	corm_marks_before(const CormByteMarks *marks, int64 seq);

#endif							/* CORM_TOPIC_MARKS_H */
