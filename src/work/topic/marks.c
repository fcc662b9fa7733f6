/*-------------------------------------------------------------------------
 *
 * marks.c
 *		How many bytes the messages of a durable topic have, from a number on.
 *
 * Shared memory has no entries for the messages of a durable topic, so their sizes are
 * not there either.  But the sizes of all messages up to some of them are: a mark is the
 * number of a message and the sum of the payloads up to it, counted from an arbitrary
 * beginning.  The difference of two sums is what lies between.
 *
 * Marks are as far apart as a 64th of max_bytes, or of what is between the first and the
 * last one.  So the sum from a number on is right up to that, and too large rather than
 * too small; where messages are few or large, each has a mark, and it is exact.
 *
 * Nothing here raises: all is done with the topic's lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "work/topic/marks.h"

/* corm_marks_init begins with one mark. */
void
corm_marks_init(CormByteMarks *marks, int64 seq, int64 bytes)
{
	marks->n = 1;
	marks->mark[0].seq = seq;
	marks->mark[0].bytes = bytes;
}

/* corm_marks_stride returns how many bytes are to lie between two marks, if the sum is now bytes. */
int64
corm_marks_stride(const CormByteMarks *marks, int64 bytes, int64 max_bytes)
{
	return (max_bytes > 0 ? max_bytes : bytes - marks->mark[0].bytes) / (CORM_BYTE_MARKS / 2);
}

/* corm_marks_full tells whether corm_marks_thin must be called before a mark is added. */
bool
corm_marks_full(const CormByteMarks *marks)
{
	return marks->n == CORM_BYTE_MARKS;
}

/* corm_marks_thin removes the marks before the oldest number that is asked for, and every second one if many are left. */
void
corm_marks_thin(CormByteMarks *marks, int64 oldest)
{
	int			first = 0;
	int			n = 0;

	while (first + 1 < marks->n && marks->mark[first + 1].seq < oldest)
		first++;
	marks->n -= first;
	memmove(marks->mark, marks->mark + first, marks->n * sizeof(CormByteMark));
	if (marks->n <= CORM_BYTE_MARKS / 2)
		return;
	for (int i = 0; i < marks->n; i += 2)
		marks->mark[n++] = marks->mark[i];
	marks->n = n;
}

/* corm_marks_add adds a mark behind the others.  There is room for it. */
void
corm_marks_add(CormByteMarks *marks, int64 seq, int64 bytes)
{
	marks->mark[marks->n].seq = seq;
	marks->mark[marks->n++].bytes = bytes;
}

/*
 * corm_marks_add_first adds a mark before the others, unless they begin there or before; if
 * they are full, it takes the place of the first one.
 */
void
corm_marks_add_first(CormByteMarks *marks, int64 seq, int64 bytes)
{
	if (marks->mark[0].seq <= seq)
		return;
	if (marks->n < CORM_BYTE_MARKS)
	{
		memmove(marks->mark + 1, marks->mark, marks->n * sizeof(CormByteMark));
		marks->n++;
	}
	marks->mark[0].seq = seq;
	marks->mark[0].bytes = bytes;
}

/* corm_marks_before returns the last mark before a number, the first one if there is none before. */
CormByteMark
corm_marks_before(const CormByteMarks *marks, int64 seq)
{
	int			low = 0;
	int			high = marks->n - 1;

	while (low < high)
	{
		int			middle = (low + high + 1) / 2;

		if (marks->mark[middle].seq < seq)
			low = middle;
		else
			high = middle - 1;
	}
	return marks->mark[low];
}
