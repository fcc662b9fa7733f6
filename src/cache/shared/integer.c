/*-------------------------------------------------------------------------
 *
 * integer.c
 *		Adding to the integer that is stored under a key.
 *
 * A counter is stored as one of the three integer types or as text.  These
 * functions run while a shard's lock is held, so they allocate nothing and
 * raise nothing, and PostgreSQL's own input and output functions will not do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cache/shared/integer.h"
#include "catalog/pg_type.h"
#include "common/int.h"

/*
 * parse_integer reads a bigint in decimal, with a sign and nothing else.
 */
static bool
parse_integer(const char *data, uint32 len, int64 *result)
{
	bool		negative;
	uint64		limit;
	uint64		n = 0;
	uint32		i = 0;

	if (len == 0 || len > CORM_INTEGER_SPACE)
		return false;
	negative = data[0] == '-';
	if (negative || data[0] == '+')
		i++;
	if (i == len)
		return false;

	limit = negative ? (uint64) PG_INT64_MAX + 1 : (uint64) PG_INT64_MAX;
	for (; i < len; i++)
	{
		uint32		digit = (unsigned char) data[i] - '0';

		if (digit > 9 || n > (limit - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*result = negative ? (int64) (0 - n) : (int64) n;
	return true;
}

/*
 * print_integer writes a bigint in decimal, without a terminating zero,
 * into at least 20 bytes and returns the length.
 */
static int
print_integer(int64 n, char *buf)
{
	char		digits[CORM_INTEGER_SPACE];
	int			ndigits = 0;
	int			len = 0;
	uint64		rest = n < 0 ? 0 - (uint64) n : (uint64) n;

	do
	{
		digits[ndigits++] = '0' + rest % 10;
		rest /= 10;
	} while (rest > 0);

	if (n < 0)
		buf[len++] = '-';
	while (ndigits > 0)
		buf[len++] = digits[--ndigits];
	return len;
}

/* read_integer reads a value of one of the three integer types, or a text that is an integer. */
static bool
read_integer(const CormCached *value, int64 *result)
{
	int16		n2;
	int32		n4;

	switch (value->type)
	{
		case INT2OID:
			memcpy(&n2, value->data, sizeof(n2));
			*result = n2;
			return true;
		case INT4OID:
			memcpy(&n4, value->data, sizeof(n4));
			*result = n4;
			return true;
		case INT8OID:
			memcpy(result, value->data, sizeof(int64));
			return true;
		case TEXTOID:
		case VARCHAROID:
			return parse_integer(value->data, value->len, result);
		default:
			return false;
	}
}

/*
 * corm_cached_add computes what an integer value becomes when by is added: the
 * bytes go to new, which has room for CORM_INTEGER_SPACE, their number to
 * value->len, the integer to *result.  The type stays, and limits the result.
 * Returns CORM_WRONG_TYPE if the value is no integer, CORM_OUT_OF_RANGE if the
 * sum does not fit; then value and *result are unchanged.
 */
CormStatus
corm_cached_add(CormCached *value, int64 by, char *new, int64 *result)
{
	int64		sum;

	if (!read_integer(value, &sum))
		return CORM_WRONG_TYPE;
	if (pg_add_s64_overflow(sum, by, &sum))
		return CORM_OUT_OF_RANGE;

	switch (value->type)
	{
		case INT2OID:
			{
				int16		n = (int16) sum;

				if (n != sum)
					return CORM_OUT_OF_RANGE;
				memcpy(new, &n, sizeof(n));
			}
			break;
		case INT4OID:
			{
				int32		n = (int32) sum;

				if (n != sum)
					return CORM_OUT_OF_RANGE;
				memcpy(new, &n, sizeof(n));
			}
			break;
		case INT8OID:
			memcpy(new, &sum, sizeof(sum));
			break;
		default:
			value->len = print_integer(sum, new);
			break;
	}
	*result = sum;
	return CORM_OK;
}
