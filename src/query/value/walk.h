/*-------------------------------------------------------------------------
 *
 * walk.h
 *		From a node of a tree to its parts, in the manner of PostgreSQL's
 *		expression_tree_walker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WALK_H
#define CORM_WALK_H

#include "postgres.h"

#include "query/value/tree.h"

typedef bool (*CormTreeWalker) (CormTree *tree, void *context);
typedef CormTree *(*CormTreeMutator) (CormTree *tree, void *context);
typedef bool (*CormTreePairWalker) (const CormTree *a, const CormTree *b, void *context);

extern bool corm_tree_walker(CormTree *tree, CormTreeWalker walker, void *context);
extern bool corm_trees_walker(List *trees, CormTreeWalker walker, void *context);
extern CormTree *corm_tree_mutator(const CormTree *tree, CormTreeMutator mutator, void *context);
extern List *corm_trees_mutator(List *trees, CormTreeMutator mutator, void *context);
extern bool corm_tree_pair_walker(const CormTree *a, const CormTree *b, CormTreePairWalker walker, void *context);

#endif							/* CORM_WALK_H */
