/*-------------------------------------------------------------------------
 *
 * nodes.h
 *		Definitions on the nodes of a distributed database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_NODES_H
#define CORM_TOOLS_NODES_H

extern bool corm_has_nodes(void);
extern void corm_nodes_init(void);

#endif							/* CORM_TOOLS_NODES_H */
