/*-------------------------------------------------------------------------
 *
 * drops.h
 *		Being told of objects that are dropped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_DROPS_H
#define CORM_BASE_DROPS_H

/* Called before an object is dropped.  May raise, which keeps it from being dropped. */
typedef void (*CormDropCallback) (Oid class_id, Oid object_id, int sub_id);

extern void corm_on_drop(CormDropCallback callback);

#endif							/* CORM_BASE_DROPS_H */
