/*-------------------------------------------------------------------------
 *
 * block.c
 *		Whether there is a transaction block, and whose.
 *
 * IsTransactionBlock() says yes in any subtransaction, and in the implicit
 * block around a pipeline.  What the difference hangs on is noted here as it
 * goes by.  All of it is private to the session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "tx/tx.h"

/* Whether the user's transaction block is an explicit one, see corm_tx_in_explicit_block. */
static bool block_known = false;
static bool block_explicit = false;
static bool block_chain = false;

/* Whether there is a transaction block around all subtransactions, see corm_tx_is_active. */
static bool outermost_known = false;
static bool outermost_in_block = false;

/*
 * corm_tx_is_active tells whether there is a transaction to join: a
 * transaction block or an open scope.  An exception block of a procedural
 * language alone is none.  Inside of one IsTransactionBlock() says yes all the
 * same, as in any subtransaction, so the answer is the one that it gave at the
 * outermost level.  A session that loaded corm inside of an exception block
 * has not seen that, until the transaction ends.
 */
bool
corm_tx_is_active(void)
{
	if (corm_tx_current() != NULL)
		return true;
	if (IsSubTransaction() && outermost_known)
		return outermost_in_block;
	return IsTransactionBlock();
}

/*
 * corm_tx_note_statement is called before any statement is executed, because
 * a subtransaction has always begun inside of one.
 */
void
corm_tx_note_statement(void)
{
	if (!IsSubTransaction())
	{
		outermost_known = true;
		outermost_in_block = IsTransactionBlock();
	}
}

/*
 * corm_tx_in_explicit_block tells whether the client has begun a transaction
 * block.  IsTransactionBlock() says yes to the implicit block around a
 * pipeline as well, where SAVEPOINT is refused but BEGIN is right; so the hook
 * keeps track of BEGIN.  Until it has seen the start of a transaction, the
 * server's answer has to do.
 */
bool
corm_tx_in_explicit_block(void)
{
	if (!IsTransactionBlock())
		return false;
	return !(MyXactFlags & XACT_FLAGS_PIPELINING) || !block_known || block_explicit;
}

/* corm_tx_note_block notes a BEGIN, or the [NO] CHAIN of a COMMIT or ROLLBACK. */
void
corm_tx_note_block(bool begun, bool chain)
{
	if (begun)
	{
		block_known = true;
		block_explicit = true;
	}
	block_chain = chain;
}

/* corm_tx_block_reset forgets all that, at the end of the transaction. */
void
corm_tx_block_reset(void)
{
	block_known = true;
	block_explicit = block_chain;
	block_chain = false;
	outermost_known = true;
	outermost_in_block = false;
}
