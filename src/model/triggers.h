/*-------------------------------------------------------------------------
 *
 * triggers.h
 *		Triggers that keep models and corm's catalogs true.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_TRIGGERS_H
#define CORM_MODEL_TRIGGERS_H

extern void corm_triggers_init(void);

#endif							/* CORM_MODEL_TRIGGERS_H */
