/*-------------------------------------------------------------------------
 *
 * nested_links.h
 *		Nested writes: rows of the join table of a many_to_many relation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_LINKS_H
#define CORM_EXEC_NESTED_LINKS_H

#include "base/compat.h"
#include "exec/nested/nested_find.h"

/*
 * A link: the values of its columns that reference the target, in the types of those
 * columns.
 */
typedef struct Link
{
	Datum	   *far;
	const NestedPath *path;		/* where the document asks for it, or NULL */
	int			number;			/* in the order in which they were added */
} Link;

/* The links of one row. */
typedef struct LinkSet
{
	CormRelation *relation;
	CormModel  *through;
	NestedColumns near;			/* columns that reference the row or that the
								 * relation's condition compares */
	int			nfar;
	int		   *far;			/* fields of through */
	bool		sorts;
	int			n;
	Link	   *links;
	bool	   *repeated;		/* by number: equal to one with a lower number; set
								 * by corm_links_finish */
} LinkSet;

extern void corm_links_init(LinkSet *set, NestedWrite *write, CormModel *model, Jsonb *row,
							CormRelation *relation, const NestedCondition *condition, int size);
extern void corm_links_add(LinkSet *set, NestedWrite *write, CormModel *target, Jsonb *row, const NestedPath *path);
extern bool corm_links_has(LinkSet *set, const Link *link);
extern void corm_links_finish(LinkSet *set);
extern int64 corm_links_delete(LinkSet *set, const Link *links, int n);
extern LinkSet *corm_links_subset(LinkSet *set, const Link *links, int n);
extern void corm_links_forget(LinkSet *set, LinkSet *gone);
extern int64 corm_links_add_missing(LinkSet *old, NestedWrite *write, LinkSet *wanted);
extern Jsonb *corm_nested_read_related(CormModel *model, Jsonb *row, CormRelation *relation, Bitmapset *fields);
extern void corm_links_read(LinkSet *set, NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation,
							const NestedCondition *condition);

extern void corm_nested_link(NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation,
							 NestedTarget *targets, int n, const NestedCondition *condition);
extern void corm_nested_check_related(NestedWrite *write, CormModel *model, Jsonb *row,
									  CormRelation *relation, int n);
extern void corm_nested_not_in_relation(NestedWrite *write, CormModel *model, CormRelation *relation) pg_attribute_noreturn();

#endif							/* CORM_EXEC_NESTED_LINKS_H */
