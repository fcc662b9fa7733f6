/*-------------------------------------------------------------------------
 *
 * analysis.h
 *		What corm does with a statement that was analyzed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_ANALYSIS_H
#define CORM_BASE_ANALYSIS_H

extern void corm_analysis_init(void);

#endif							/* CORM_BASE_ANALYSIS_H */
