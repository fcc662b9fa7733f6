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
 * Marks are made as far apart as a 64th of max_bytes, or of what is between the first and
 * the last one if there is no limit.  If there are too many, those of the last max_bytes
 * stay, and the others become fewer.  So the sum from a number on is right up to a 64th
 * where it is about to reach the limit, and otherwise up to a 32nd of the whole; it is too
 * large rather than too small.  Where messages are few or large, it is exact.
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

/* spread removes marks until there is room for a quarter more.  Returns how many are left. */
static int
spread(CormByteMark *mark, int n, int64 max_bytes)
{
	int64		whole = mark[n - 1].bytes - mark[0].bytes;
	int64		recent = mark[n - 1].bytes - max_bytes;
	int64		stride = whole / (CORM_BYTE_MARKS / (max_bytes > 0 ? 4 : 2)) + 1;
	int64		recent_stride = max_bytes / (CORM_BYTE_MARKS / 2) + 1;
	int			kept = 1;

	for (int i = 1; i < n; i++)
		if (mark[i].bytes - mark[kept - 1].bytes >= (mark[i].bytes < recent ? stride : recent_stride))
			mark[kept++] = mark[i];
	return kept;
}

/* corm_marks_thin removes the marks before the oldest number that is asked for, and others if many are left. */
void
corm_marks_thin(CormByteMarks *marks, int64 oldest, int64 max_bytes)
{
	int			first = 0;

	while (first + 1 < marks->n && marks->mark[first + 1].seq < oldest)
		first++;
	marks->n -= first;
	memmove(marks->mark, marks->mark + first, marks->n * sizeof(CormByteMark));
	if (marks->n > CORM_BYTE_MARKS / 2)
		marks->n = spread(marks->mark, marks->n, max_bytes);
}

/* corm_marks_add adds a mark behind the others.  There is room for it. */
void
corm_marks_add(CormByteMarks *marks, int64 seq, int64 bytes)
{
	marks->mark[marks->n].seq = seq;
	marks->mark[marks->n++].bytes = bytes;
}

/* corm_marks_add_front adds those of other marks that are before all marks. */
void
corm_marks_add_front(CormByteMarks *marks, const CormByteMarks *front, int64 max_bytes)
{
	CormByteMark all[2 * CORM_BYTE_MARKS];
	int			n = 0;

	while (n < front->n && front->mark[n].seq < marks->mark[0].seq)
	{
		all[n] = front->mark[n];
		n++;
	}
	memcpy(all + n, marks->mark, marks->n * sizeof(CormByteMark));
	n += marks->n;
	marks->n = n > CORM_BYTE_MARKS ? spread(all, n, max_bytes) : n;
	memcpy(marks->mark, all, marks->n * sizeof(CormByteMark));
}

/* corm_marks_before returns which is the last mark before a number, the first one if there is none before. */
int
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
	return low;
}
