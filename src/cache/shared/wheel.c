/*-------------------------------------------------------------------------
 *
 * wheel.c
 *		Hierarchical timer wheel: which entries of a shard are due.
 *
 * Time is cut into ticks of 2^17 microseconds.  An entry is filed under the
 * first tick at which its deadline has certainly passed.  There are 8 levels
 * of 64 slots; a slot of level n covers 64^n ticks.  An entry goes to the
 * level of the highest 6-bit digit in which its tick differs from the wheel's
 * current tick, into the slot of that digit.  It follows that
 *
 *	- all of a level's occupied slots lie ahead of the current tick, within the
 *	  current slot of the level above, so nothing ever wraps round;
 *	- the next thing to happen is the first occupied slot of the lowest level
 *	  that has one: finding it takes a look at 8 bitmaps, however many ticks
 *	  nothing happened;
 *	- moving the current tick forward over empty slots changes no entry's
 *	  place.
 *
 * When the current tick reaches a slot of a higher level, its entries are
 * filed anew ("cascaded"), each to a lower level.  That and removing entries
 * that are due can stop after any entry and go on later; "cascading" is the
 * level at which it stopped.
 *
 * Except where its comment says otherwise, a function here needs the shard's
 * exclusive lock and is called between corm_table_begin_change and
 * corm_table_end_change.  Nothing raises.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "cache/shared/wheel.h"
#include "port/pg_bitutils.h"

#define DIGIT_BITS		6
#define DIGIT(tick, level)	(((tick) >> ((level) * DIGIT_BITS)) & (CORM_WHEEL_SLOTS - 1))

/* due_tick returns the first tick at which a deadline has passed for sure. */
static inline uint64
due_tick(int64 deadline)
{
	return ((uint64) deadline + (UINT64CONST(1) << CORM_WHEEL_TICK_BITS) - 1) >> CORM_WHEEL_TICK_BITS;
}

/*
 * corm_wheel_insert files an entry that has a deadline.  An entry whose tick has
 * passed is filed under the current tick, and is due at once.
 */
void
corm_wheel_insert(CormShard *shard, CormBlockId id)
{
	CormEntry  *entry = corm_entry(id);
	uint64		tick = Max(due_tick(entry->deadline), shard->wheel_now);
	uint64		differ = tick ^ shard->wheel_now;
	int			level = differ == 0 ? 0 : pg_leftmost_one_pos64(differ) / DIGIT_BITS;
	int			slot = DIGIT(tick, level);
	CormBlockId head = shard->slots[level][slot];

	Assert(level < CORM_WHEEL_LEVELS);
	entry->wheel_prev = CORM_WHEEL_HEAD | (level * CORM_WHEEL_SLOTS + slot);
	entry->wheel_next = head;
	if (head != 0)
		corm_entry(head)->wheel_prev = id;
	shard->slots[level][slot] = id;
	shard->occupied[level] |= UINT64CONST(1) << slot;
	shard->wheel_count++;
}

/* corm_wheel_remove takes an entry that has a deadline out of the wheel. */
void
corm_wheel_remove(CormShard *shard, CormBlockId id)
{
	CormEntry  *entry = corm_entry(id);

	if (entry->wheel_next != 0)
		corm_entry(entry->wheel_next)->wheel_prev = entry->wheel_prev;
	if (entry->wheel_prev & CORM_WHEEL_HEAD)
	{
		uint32		slotno = entry->wheel_prev & ~CORM_WHEEL_HEAD;
		int			level = slotno / CORM_WHEEL_SLOTS;
		int			slot = slotno % CORM_WHEEL_SLOTS;

		shard->slots[level][slot] = entry->wheel_next;
		if (entry->wheel_next == 0)
			shard->occupied[level] &= ~(UINT64CONST(1) << slot);
	}
	else
		corm_entry(entry->wheel_prev)->wheel_next = entry->wheel_next;
	entry->wheel_prev = entry->wheel_next = 0;
	shard->wheel_count--;
}

/*
 * next_slot finds the slot to handle next and the tick at which it is due;
 * false if the wheel is empty.  A slot whose cascade was interrupted comes
 * first: its entries may be due before those of any lower level.
 */
static bool
next_slot(const CormShard *shard, int *level, int *slot, uint64 *tick)
{
	if (shard->cascading > 0)
	{
		int			l = shard->cascading;
		int			s = DIGIT(shard->wheel_now, l);

		if (shard->occupied[l] & (UINT64CONST(1) << s))
		{
			*level = l;
			*slot = s;
			*tick = shard->wheel_now;
			return true;
		}
	}

	for (int l = 0; l < CORM_WHEEL_LEVELS; l++)
	{
		int			shift = l * DIGIT_BITS;
		uint64		occupied = *(const volatile uint64 *) &shard->occupied[l];

		if (occupied == 0)
			continue;
		*level = l;
		*slot = pg_rightmost_one_pos64(occupied);
		*tick = (shard->wheel_now >> shift >> DIGIT_BITS << DIGIT_BITS | *slot) << shift;
		*tick = Max(*tick, shard->wheel_now);
		return true;
	}
	return false;
}

/*
 * corm_wheel_next returns the monotonic time at which corm_wheel_advance will
 * find work, or PG_INT64_MAX if the wheel is empty.  A shared lock is enough;
 * without a lock, the result is a hint.
 */
int64
corm_wheel_next(CormShard *shard)
{
	int			level;
	int			slot;
	uint64		tick;

	if (!next_slot(shard, &level, &slot, &tick))
		return PG_INT64_MAX;
	return (int64) Min(tick << CORM_WHEEL_TICK_BITS, (uint64) PG_INT64_MAX);
}

/*
 * corm_wheel_advance turns the wheel to now and unlinks the entries that are due
 * into removed, as swept.  It visits at most budget entries, for which removed
 * must have room, and returns the number it visited; fewer than budget means
 * that nothing more is due.
 */
int
corm_wheel_advance(CormShard *shard, int64 now, int budget, CormRemoved *removed)
{
	uint64		target = (uint64) now >> CORM_WHEEL_TICK_BITS;
	int			visited = 0;
	int			level;
	int			slot;
	uint64		tick;

	while (visited < budget)
	{
		CormBlockId id;

		if (!next_slot(shard, &level, &slot, &tick) || tick > target)
		{
			shard->wheel_now = Max(shard->wheel_now, target);
			break;
		}

		shard->wheel_now = tick;
		id = shard->slots[level][slot];
		visited++;
		if (level == 0)
			corm_table_unlink_locked(shard, id, CORM_REASON_SWEPT, removed);
		else
		{
			shard->cascading = level;
			corm_wheel_remove(shard, id);
			corm_wheel_insert(shard, id);
		}
	}
	return visited;
}
