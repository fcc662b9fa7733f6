/*-------------------------------------------------------------------------
 *
 * nearest.c
 *		The search for the name that a misspelt one may have meant.
 *
 * corm_nearest_init(), then corm_nearest_offer() for each name there is: the
 * answer, for a hint, is in nearest->name.  Nothing is copied: wanted name and
 * candidates must last until the answer has been used.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "model/nearest.h"
#include "utils/varlena.h"

#define MAX_NEAREST_DISTANCE	3	/* edits between a name and the one meant */
#define MAX_NEAREST_LENGTH		255 /* varstr_levenshtein refuses longer names */

/*
 * corm_nearest_init begins a search for the candidate nearest to name, which
 * must live as long as the search.
 */
void
corm_nearest_init(CormNearest *nearest, const char *name)
{
	int			len = strlen(name);

	nearest->wanted = name;
	nearest->wanted_len = len;
	nearest->name = NULL;

	/* At most half of the name may differ: else the hint is a wild guess. */
	if (len > MAX_NEAREST_LENGTH)
		nearest->max_distance = -1;
	else
		nearest->max_distance = Min(MAX_NEAREST_DISTANCE, len / 2);
}

/*
 * corm_nearest_offer offers a candidate; the first of several equally near
 * ones wins.  Afterwards nearest->name is the nearest so far or NULL.
 */
void
corm_nearest_offer(CormNearest *nearest, const char *candidate)
{
	int			len = strlen(candidate);
	int			distance;

	if (nearest->max_distance < 0 || len > MAX_NEAREST_LENGTH)
		return;

	distance = varstr_levenshtein_less_equal(nearest->wanted, nearest->wanted_len,
											 candidate, len, 1, 1, 1,
											 nearest->max_distance, true);
	if (distance <= nearest->max_distance)
	{
		nearest->name = candidate;
		nearest->max_distance = distance - 1;
	}
}
