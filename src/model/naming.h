/*-------------------------------------------------------------------------
 *
 * naming.h
 *		The naming strategy: UserName and user_name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_NAMING_H
#define CORM_MODEL_NAMING_H

#include "model/model.h"

extern char *corm_underscore_name(const char *name);
extern char *corm_camelize_name(const char *name, bool upper_first);
extern char *corm_json_name(CormModel *model, const char *name);

#endif							/* CORM_MODEL_NAMING_H */
