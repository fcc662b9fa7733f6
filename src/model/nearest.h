/*-------------------------------------------------------------------------
 *
 * nearest.h
 *		The search for the name that a misspelt one may have meant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_NEAREST_H
#define CORM_MODEL_NEAREST_H

typedef struct CormNearest
{
	const char *wanted;
	int			wanted_len;
	int			max_distance;	/* what is farther away is no answer */
	const char *name;			/* the nearest so far, or NULL */
} CormNearest;

extern void corm_nearest_init(CormNearest *nearest, const char *name);
extern void corm_nearest_offer(CormNearest *nearest, const char *candidate);

#endif							/* CORM_MODEL_NEAREST_H */
