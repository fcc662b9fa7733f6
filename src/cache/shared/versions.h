/*-------------------------------------------------------------------------
 *
 * versions.h
 *		Versions of tables: whether what was read is still what is there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_VERSIONS_H
#define CORM_CACHE_VERSIONS_H

#include "datatype/timestamp.h"

/* Cells that stand for something else than a table; no table has one of them. */
typedef enum CormFixedCell
{
	CORM_CELL_FUNCTIONS,		/* every function */
	CORM_CELL_ENUMS,			/* every enum */
	CORM_CELL_SEARCH,			/* every configuration of text search */
	CORM_CELL_CASTS,			/* every cast */
	CORM_CELL_DOMAINS,			/* every domain; changes of any type count */
	CORM_FIXED_CELLS = 16		/* room for more */
} CormFixedCell;

/* Whether what the cells of a set of tables say can be relied on. */
typedef enum CormQuiet
{
	CORM_QUIET,
	CORM_COMMITTING,			/* a transaction that wrote one is committing */
	CORM_UNSETTLED				/* one is not tracked for long enough */
} CormQuiet;

/* Cells that are read bit by bit: initialize with zeros. */
typedef struct CormCellsRead
{
	uint64		sum;
	uint64		unsettled;
	uint64		committing;
} CormCellsRead;

extern void corm_versions_shared_init(void);
extern bool corm_versions_available(void);

/* for readers */
extern uint32 corm_cell_of(Oid db, Oid relid);
extern PGDLLEXPORT bool corm_table_is_tracked(Oid relid);
extern bool corm_cells_track(const uint32 *cells, int n);
extern CormQuiet corm_cells_read(const uint32 *cells, int n, uint64 *sum);
extern void corm_cells_add(CormCellsRead *read, const uint32 *cells, int n);
extern CormQuiet corm_cells_quiet(const CormCellsRead *read);
extern TimestampTz corm_cells_changed(const uint32 *cells, int n);

/* for transactions that end */
extern bool corm_commit_begin(void);
extern void corm_finish_begin(void);
extern void corm_commit_end(TimestampTz visible);
extern void corm_versions_subscribed(void);
extern bool corm_cell_committing(uint32 cell);
extern void corm_cell_committed(uint32 cell, TimestampTz now);
extern void corm_cell_aborted(uint32 cell);
extern void corm_published(void);
extern uint64 corm_publications(void);
extern void corm_cells_unsettle(const uint32 *cells, int n);

#endif							/* CORM_CACHE_VERSIONS_H */
