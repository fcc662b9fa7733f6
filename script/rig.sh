# What the check-* scripts share that run tests in unusual servers, and count what they find.  To be sourced by bash.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rig_passed=0
rig_failed=0
rig_began=$(date +%s)

# use_assert_server makes PG_CONFIG that of the server with assertions, for this script and those it calls, and sets
# ASSERT_BUILD, the directory of its source.
use_assert_server()
{
	PG_CONFIG=$("$CHECKOUT/script/assert-server" | tail -n 1)
	find_pg_config
	ASSERT_BUILD=$(dirname "$(dirname "$(dirname "$PG_CONFIG")")")/build
}

# make_scratch sets scratch, a directory that the server may write reports to, removed at exit.
make_scratch()
{
	scratch=$(mktemp -d "${CORM_TMPDIR:-/tmp}/corm-rig.XXXXXX")
	chmod 755 "$scratch"
	export CORM_REPORTS=$scratch/reports
	mkdir -m 1777 "$CORM_REPORTS"
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# check_that TEXT COMMAND...: one check, which passes if the command succeeds.  Returns its status.
check_that()
{
	local text=$1

	shift
	if "$@"; then
		say "ok - $text"
		rig_passed=$((rig_passed + 1))
	else
		say "not ok - $text"
		rig_failed=$((rig_failed + 1))
		return 1
	fi
}

# phase TEXT COMMAND...: run a script whose last line is `N passed, N failed`, and add that up.  One that says nothing of
# the kind has failed.
phase()
{
	local text=$1 status=0 began=$(date +%s) last

	shift
	say ""
	say "##### $text"
	"$@" 2>&1 | tee "$scratch/phase.log" || status=$?
	last=$(tail -n 1 "$scratch/phase.log")
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		rig_passed=$((rig_passed + BASH_REMATCH[1]))
		rig_failed=$((rig_failed + BASH_REMATCH[2]))
		if [ "$status" != 0 ] && [ "${BASH_REMATCH[2]}" = 0 ]; then rig_failed=$((rig_failed + 1)); fi
	else
		say "not ok - $text: exit status $status"
		rig_failed=$((rig_failed + 1))
	fi
	say "##### $text: $(($(date +%s) - began)) s"
}

# finish prints the closing lines and ends the script.
finish()
{
	say ""
	say "took $(($(date +%s) - rig_began)) s"
	say "$rig_passed passed, $rig_failed failed"
	if [ "$rig_failed" != 0 ]; then exit 1; fi
	exit 0
}
