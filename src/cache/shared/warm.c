/*-------------------------------------------------------------------------
 *
 * warm.c
 *		Keeping entries over a clean restart (corm.cache_warm_restart).
 *
 * The postmaster writes them to a file at a normal shutdown, when all its
 * children have exited and nothing changes any more.  At the next start it
 * reads the file before there is any other process.  The sweeper removes the
 * file when the server runs, so a start that fails before that leaves it for the
 * next one.  The file cannot be loaded twice: it names the checkpoint in the
 * control file, which changes as soon as the server runs.  After a crash there
 * is no file, and the cache is empty.
 *
 * The file has a header, then a record for each namespace, each followed by its
 * entries, then a CRC of all that.  A file that is torn, from another cluster or
 * version, or not from the last shutdown is ignored with a message in the log,
 * and so is any file if the setting is off.  Deadlines are stored as time of
 * day, because the monotonic clock may restart with the machine.
 *
 * Nothing here raises: an error would end the postmaster, and at its exit would
 * keep the callbacks of other libraries from running.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xlog_internal.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "cache/cache.h"
#include "cache/shared/change.h"
#include "cache/shared/evict.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "cache/shared/warm.h"
#include "catalog/pg_control.h"
#include "common/int.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define WARM_FILE		"pg_stat/corm_cache.dat"
#define WARM_TEMP		"pg_stat/corm_cache.dat.tmp"
#define WARM_MAGIC		UINT64CONST(0x636f726d77617233)

typedef struct WarmHeader
{
	uint64		magic;
	uint64		system_id;
	uint64		checkpoint;		/* of the shutdown, and when it was */
	int64		shutdown_time;
	uint64		type_seed;
	uint32		pg_version;
	uint32		namespaces;
	uint64		entries;
} WarmHeader;

typedef struct WarmNamespace
{
	Oid			db;
	uint32		entries;
	uint64		id;
	int64		max_bytes;
	uint8		events;
	bool		restricted;
	NameData	name;
	NameData	channel;
} WarmNamespace;

typedef struct WarmEntry
{
	TimestampTz deadline;		/* time of day, or CORM_NEVER */
	TimestampTz created;
	Oid			type;
	uint32		typecheck;
	uint32		key_len;
	uint32		value_len;
	uint32		age;			/* births since its own */
	uint32		visited;
} WarmEntry;

/* A file being read or written, with the CRC of what went by. */
typedef struct WarmStream
{
	FILE	   *file;
	pg_crc32c	crc;
	bool		ok;
} WarmStream;

static void
put_bytes(WarmStream *stream, const void *data, Size len)
{
	COMP_CRC32C(stream->crc, data, len);
	if (stream->ok && len > 0 && fwrite(data, 1, len, stream->file) != len)
		stream->ok = false;
}

static bool
get_bytes(WarmStream *stream, void *data, Size len)
{
	if (len > 0 && fread(data, 1, len, stream->file) != len)
		return false;
	COMP_CRC32C(stream->crc, data, len);
	return true;
}

/*
 * read_control reads the server's control file.  If it cannot, it logs why and
 * returns false.  PostgreSQL's get_controlfile() would raise.
 */
static bool
read_control(ControlFileData *control)
{
	int			fd = open(XLOG_CONTROL_FILE, O_RDONLY | PG_BINARY, 0);
	ssize_t		n;
	pg_crc32c	crc;

	if (fd < 0)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", XLOG_CONTROL_FILE)));
		return false;
	}
	n = read(fd, control, sizeof(ControlFileData));
	if (n < 0)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", XLOG_CONTROL_FILE)));
	(void) close(fd);
	if (n < 0)
		return false;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, control, offsetof(ControlFileData, crc));
	FIN_CRC32C(crc);
	if (n != sizeof(ControlFileData) || control->pg_control_version != PG_CONTROL_VERSION ||
		!EQ_CRC32C(crc, control->crc))
	{
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("file \"%s\" is damaged", XLOG_CONTROL_FILE)));
		return false;
	}
	return true;
}

/*
 * describe_server fills in the part of the header that identifies the server and
 * the shutdown at which the file was written.  Returns whether the server was
 * shut down cleanly.  The exit code does not show that: it is 0 after an
 * immediate shutdown too, which stops processes wherever they are, perhaps in
 * the middle of a change.  The control file says so only after a clean shutdown.
 *
 * At the next start, before anything else has run, the control file still says
 * the same, unless the server has run without corm in between, or the files are
 * a copy that has been used since; then the entries are out of date.
 */
static bool
describe_server(WarmHeader *header)
{
	ControlFileData control;

	if (!read_control(&control))
		return false;
	memset(header, 0, sizeof(WarmHeader));
	header->magic = WARM_MAGIC;
	header->pg_version = CORM_SERVER_VERSION;
	header->system_id = control.system_identifier;
	header->checkpoint = control.checkPoint;
	header->shutdown_time = control.time;
	return control.state == DB_SHUTDOWNED || control.state == DB_SHUTDOWNED_IN_RECOVERY;
}

/* worth_saving tells whether a namespace's entries are kept. */
static bool
worth_saving(const CormNamespace *ns)
{
	return ns->state == CORM_NS_LIVE && ns->id != CORM_QUERY_CACHE_ID;
}

/*
 * count_entries returns how many entries a namespace has that are saved.  What depends
 * on tables is not: nobody follows these while the server is down.
 */
static uint32
count_entries(uint32 ns)
{
	uint32		count = 0;

	for (uint32 s = 0; s < CORM_SHARDS; s++)
	{
		for (CormBlockId id = corm_list(s, ns)->oldest; id != 0; id = corm_entry(id)->newer)
			count += !corm_entry(id)->has_tail;
	}
	return count;
}

/* save_entry writes one entry, block by block.  real and mono are the time now. */
static void
save_entry(WarmStream *stream, CormBlockId id, TimestampTz real, int64 mono)
{
	CormEntry  *entry = corm_entry(id);
	Size		left = (Size) entry->key_len + entry->value_len;
	CormBlockId chain = entry->chain;
	WarmEntry	out;
	Size		n = Min(left, CORM_ENTRY_INLINE);

	memset(&out, 0, sizeof(out));
	if (entry->deadline == CORM_NEVER)
		out.deadline = CORM_NEVER;
	else if (pg_add_s64_overflow(real, entry->deadline - mono, &out.deadline) ||
			 out.deadline == CORM_NEVER)
		out.deadline = CORM_NEVER - 1;
	out.created = entry->created;
	out.type = entry->type;
	out.typecheck = entry->typecheck;
	out.key_len = entry->key_len;
	out.value_len = entry->value_len;
	out.age = pg_atomic_read_u32(&corm_cache->born) - corm_born[id];
	out.visited = corm_visited[id];
	put_bytes(stream, &out, sizeof(out));

	put_bytes(stream, (char *) entry + sizeof(CormEntry), n);
	for (left -= n; left > 0; left -= n)
	{
		n = Min(left, CORM_CHAIN_DATA);
		put_bytes(stream, corm_block_addr(&corm_cache_blocks, chain) + sizeof(CormBlockId), n);
		chain = *corm_block_next(&corm_cache_blocks, chain);
	}
}

/* save_all writes the whole file; header comes from describe_server. */
static void
save_all(WarmStream *stream, WarmHeader header)
{
	TimestampTz real = corm_clock_real();
	int64		mono = corm_clock_mono();
	pg_crc32c	crc;

	header.type_seed = corm_cache->type_seed;

	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		if (worth_saving(&corm_namespaces[i]))
		{
			header.namespaces++;
			header.entries += count_entries(i);
		}
	}
	put_bytes(stream, &header, sizeof(header));

	for (uint32 i = 0; i < corm_cache->nslots && stream->ok; i++)
	{
		CormNamespace *ns = &corm_namespaces[i];
		WarmNamespace out;

		if (!worth_saving(ns))
			continue;
		memset(&out, 0, sizeof(out));
		out.db = ns->db;
		out.entries = count_entries(i);
		out.id = ns->id;
		out.max_bytes = (int64) ns->max_blocks * CORM_BLOCK_SIZE;
		out.events = ns->events;
		out.restricted = ns->restricted;
		out.name = ns->name;
		out.channel = ns->channel;
		put_bytes(stream, &out, sizeof(out));

		/* Oldest first: loading in this order makes the lists what they are. */
		for (uint32 s = 0; s < CORM_SHARDS; s++)
		{
			for (CormBlockId id = corm_list(s, i)->oldest; id != 0; id = corm_entry(id)->newer)
			{
				if (!corm_entry(id)->has_tail)
					save_entry(stream, id, real, mono);
			}
		}
	}

	FIN_CRC32C(stream->crc);
	crc = stream->crc;
	put_bytes(stream, &crc, sizeof(crc));
}

/* save_at_exit writes the file at a normal shutdown: an exit callback of the postmaster. */
static void
save_at_exit(int code, Datum arg)
{
	WarmStream	stream = {.ok = true};
	WarmHeader	header;

	if (code != 0 || !corm_cache_warm_restart || corm_cache == NULL ||
		!describe_server(&header))
		return;

	stream.file = AllocateFile(WARM_TEMP, PG_BINARY_W);
	if (stream.file != NULL)
	{
		INIT_CRC32C(stream.crc);
		save_all(&stream, header);
		if (FreeFile(stream.file) != 0)
			stream.ok = false;
		if (stream.ok && rename(WARM_TEMP, WARM_FILE) == 0)
			return;
	}
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", WARM_FILE)));
	unlink(WARM_TEMP);
}

/* corm_warm_save_at_exit registers that callback.  Call it in the postmaster only. */
void
corm_warm_save_at_exit(void)
{
	on_shmem_exit(save_at_exit, (Datum) 0);
}

/* verify reads a file to its end and tells whether the CRC is right. */
static bool
verify(WarmStream *stream)
{
	static char buf[65536];
	struct stat st;
	Size		left;
	pg_crc32c	crc;
	pg_crc32c	stored;

	if (fstat(fileno(stream->file), &st) != 0 ||
		st.st_size < sizeof(WarmHeader) + sizeof(pg_crc32c))
		return false;

	INIT_CRC32C(stream->crc);
	left = st.st_size - sizeof(pg_crc32c);
	while (left > 0)
	{
		Size		n = Min(left, sizeof(buf));

		if (!get_bytes(stream, buf, n))
			return false;
		left -= n;
	}
	FIN_CRC32C(stream->crc);
	crc = stream->crc;
	return fread(&stored, 1, sizeof(stored), stream->file) == sizeof(stored) &&
		EQ_CRC32C(crc, stored);
}

/*
 * plausible_namespace and plausible_entry tell whether a record could have been
 * written by save_all.  The CRC only shows that the file is as it was written.
 */
static bool
plausible_namespace(const WarmNamespace *in)
{
	return OidIsValid(in->db) && in->id != 0 && in->id != CORM_QUERY_CACHE_ID &&
		in->max_bytes >= 0 &&
		memchr(NameStr(in->name), '\0', NAMEDATALEN) != NULL &&
		memchr(NameStr(in->channel), '\0', NAMEDATALEN) != NULL;
}

static bool
plausible_entry(const WarmEntry *in)
{
	return in->key_len <= CORM_KEY_MAX && in->value_len <= MaxAllocSize;
}

/*
 * load_entry puts one entry into the cache, unless it has expired.  Returns false
 * if the cache is full.
 */
static bool
load_entry(const WarmEntry *in, CormCacheRef *ref, const char *data,
		   TimestampTz real, int64 mono)
{
	uint32		nblocks = corm_entry_blocks((Size) in->key_len + in->value_len);
	int64		deadline = CORM_NEVER;
	CormBlockChain chain = {0};
	CormBlockId id;
	CormCached	value;
	CormCacheKey key;

	if (in->deadline != CORM_NEVER)
	{
		if (in->deadline <= real)
			return true;
		if (pg_sub_s64_overflow(in->deadline, real, &deadline) ||
			pg_add_s64_overflow(mono, deadline, &deadline) || deadline == CORM_NEVER)
			deadline = CORM_NEVER - 1;
	}

	if (corm_blocks_take(&corm_cache_blocks, &chain, nblocks) < nblocks)
	{
		corm_blocks_give(&corm_cache_blocks, &chain);
		return false;
	}
	pg_atomic_fetch_add_u32(&corm_namespaces[ref->ns].blocks, nblocks);

	key.data = data;
	key.len = in->key_len;
	key.hash = corm_table_hash(ref->gen, data, in->key_len);
	value.type = in->type;
	value.typecheck = in->typecheck;
	value.data = data + in->key_len;
	value.len = in->value_len;
	value.tail = 0;
	corm_table_fill(&chain, ref->ns, &key, &value, deadline, in->created);
	id = chain.first;
	if (corm_table_put(ref->ns, ref->gen, &key, &chain, CORM_PUT_ADD) == CORM_OK)
	{
		/*
		 * It keeps its place among the others, and is older than all new
		 * ones.
		 */
		corm_born[id] = CORM_FIRST_BORN - 1 - Min(in->age, CORM_FIRST_BORN / 2);
		corm_visited[id] = in->visited != 0;
	}
	else
		corm_unreserve(ref->ns, &chain);
	return true;
}

/*
 * load_all loads the entries of a file that was verified, until the cache is
 * full.  Returns how many.
 */
static uint64
load_all(WarmStream *stream)
{
	TimestampTz real = corm_clock_real();
	int64		mono = corm_clock_mono();
	Size		size = CORM_KEY_MAX + corm_cache_max_value();
	char	   *buf = malloc(size);
	WarmHeader	header;
	uint64		loaded = 0;
	bool		room = buf != NULL;

	if (!get_bytes(stream, &header, sizeof(header)))
		room = false;
	for (uint32 i = 0; room && i < header.namespaces; i++)
	{
		WarmNamespace in;
		CormCacheRef ref;

		if (!get_bytes(stream, &in, sizeof(in)) || !plausible_namespace(&in))
			break;
		memset(&ref, 0, sizeof(ref));
		ref.name = in.name;
		ref.channel = in.channel;
		ref.id = in.id;
		ref.max_bytes = in.max_bytes;
		ref.events = in.events;
		ref.restricted = in.restricted;
		room = corm_ns_restore(in.db, &ref);

		for (uint32 e = 0; room && e < in.entries; e++)
		{
			WarmEntry	entry;
			Size		len;

			if (!get_bytes(stream, &entry, sizeof(entry)) || !plausible_entry(&entry))
			{
				room = false;
				break;
			}
			len = (Size) entry.key_len + entry.value_len;
			if (len > size)
			{
				/* The limit has been lowered. */
				room = fseeko(stream->file, len, SEEK_CUR) == 0;
				continue;
			}
			room = get_bytes(stream, buf, len) &&
				load_entry(&entry, &ref, buf, real, mono);
			loaded += room;
		}
	}
	free(buf);
	return loaded;
}

/* corm_warm_forget removes the file, when the server that has read it runs. */
void
corm_warm_forget(void)
{
	(void) unlink(WARM_FILE);
}

/*
 * corm_warm_load loads what the last shutdown saved, if anything.  Called by the
 * postmaster after it has created shared memory.
 */
void
corm_warm_load(void)
{
	WarmStream	stream = {.ok = true};
	WarmHeader	header;
	WarmHeader	here;
	bool		keep = false;

	stream.file = AllocateFile(WARM_FILE, PG_BINARY_R);
	if (stream.file == NULL)
		return;

	if (!corm_cache_warm_restart)
		ereport(LOG,
				(errmsg("ignoring file \"%s\" because corm.cache_warm_restart is off", WARM_FILE)));
	else if (!verify(&stream) || fseeko(stream.file, 0, SEEK_SET) != 0 ||
			 !get_bytes(&stream, &header, sizeof(header)) ||
			 header.magic != WARM_MAGIC)
		ereport(LOG,
				(errmsg("ignoring file \"%s\" because it is damaged", WARM_FILE)));
	else if (!describe_server(&here) ||
			 header.system_id != here.system_id || header.pg_version != here.pg_version)
		ereport(LOG,
				(errmsg("ignoring file \"%s\" because it is from another server", WARM_FILE)));
	else if (header.checkpoint != here.checkpoint || header.shutdown_time != here.shutdown_time)
		ereport(LOG,
				(errmsg("ignoring file \"%s\" because it is not from the last shutdown", WARM_FILE)));
	else if (fseeko(stream.file, 0, SEEK_SET) == 0)
	{
		uint64		loaded;

		corm_cache->type_seed = header.type_seed;
		loaded = load_all(&stream);
		keep = true;

		ereport(LOG,
				(errmsg("loaded " UINT64_FORMAT " cache entries of " UINT64_FORMAT,
						loaded, header.entries)));
	}
	FreeFile(stream.file);
	if (!keep)
		corm_warm_forget();
}
