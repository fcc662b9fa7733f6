/*-------------------------------------------------------------------------
 *
 * effects.h
 *		What a transaction will do to shared memory if it commits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_EFFECTS_H
#define CORM_BASE_EFFECTS_H

#include "lib/ilist.h"

typedef struct CormEffect CormEffect;

typedef struct CormEffectOps
{
	void		(*reserve) (CormEffect *effect);	/* before commit; may
													 * raise */
	void		(*apply) (CormEffect *effect);	/* after commit; must not
												 * raise */
	void		(*discard) (CormEffect *effect);	/* rolled back; must not
													 * raise */
	void		(*expect) (CormEffect *effect, int step);	/* soon to be applied;
															 * may be NULL */
	/* what the transaction has done, after "that has"; in errors */
	const char *deed;
	/* apply when the locks are released, not before: see effects.c */
	bool		late;
} CormEffectOps;

struct CormEffect
{
	dlist_node	node;
	const CormEffectOps *ops;
	int			level;			/* nesting level of its subtransaction */
};

typedef void (*CormEffectsEnd) (void);

extern void corm_effects_init(void);
extern void corm_effects_at_end(CormEffectsEnd callback);
extern void corm_effect_add(CormEffect *effect, const CormEffectOps *ops);
extern void corm_effect_remove(CormEffect *effect);
extern bool corm_effects_pending(void);

#endif							/* CORM_BASE_EFFECTS_H */
