# What script/bootstrap, script/test, script/demo and the others share.  To be sourced by bash.
#
# Two things live here: building and installing corm into one PostgreSQL installation, and a private
# cluster of that installation to run things in.  A private cluster listens on a Unix socket in a
# directory of its own and nowhere else, so it neither needs nor touches any other cluster of the
# machine, and any number of them can run side by side.
#
# Variables that a user may set: PG_CONFIG (the installation), PG_TEST_EXTRA (tests that take long), PG_MAJOR (its major version, where
# Debian has several), CORM_TMPDIR (where private clusters live, /tmp).

set -euo pipefail

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A value of libpq's meant for the user's own server must not lead a test there.
for variable in $(compgen -e PG || true); do
	case $variable in
		PG_CONFIG | PG_MAJOR | PG_TEST_EXTRA) ;;
		*) unset "$variable" ;;
	esac
done

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# as_root COMMAND...: run it as root.  Fails with a hint where that is not possible.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root or sudo for: $*"
	fi
}

#
# Debian's packages
#

# missing_packages NAME...: those that are not installed
missing_packages()
{
	local name

	for name in "$@"; do
		case $(dpkg-query -W -f='${Status}' "$name" 2>/dev/null) in
			"install ok installed") ;;
			*) printf '%s ' "$name" ;;
		esac
	done
}

# install_packages NAME...: like apt-get install, asking nothing and starting nothing.  Debian's package of the
# server would make and start a cluster on port 5432, that of pgbouncer a pooler on 6432; nobody asked for them.
install_packages()
{
	local conf=/etc/postgresql-common/createcluster.d/corm-bootstrap.conf
	local policy=/usr/sbin/policy-rc.d
	local apt_log=$(mktemp)
	local status=0

	say "installing: $*"
	as_root mkdir -p "$(dirname "$conf")"
	printf 'create_main_cluster = false\n' | as_root tee "$conf" >/dev/null
	if [ -e "$policy" ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
		as_root chmod 755 "$policy"
	fi
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
		-o Dpkg::Use-Pty=0 install "$@" </dev/null >"$apt_log" 2>&1 || status=$?
	as_root rm -f "$conf" ${policy:+"$policy"}
	if [ "$status" != 0 ]; then tail -n 30 "$apt_log" >&2; fi
	rm -f "$apt_log"
	[ "$status" = 0 ] || die "apt-get could not install: $*"
	if [[ " $* " == *" pgbouncer "* ]] && [ -d /run/systemd/system ]; then
		as_root systemctl --quiet disable pgbouncer
	fi
}

# need_packages NAME...: install those that are missing.  Where there is no apt, they are for the user to bring.
need_packages()
{
	local missing

	command -v apt-get >/dev/null || return 0
	missing=$(missing_packages "$@")
	if [ -n "$missing" ]; then
		as_root apt-get -qq update </dev/null
		install_packages $missing
	fi
}

#
# The PostgreSQL installation
#

SUPPORTED_MAJORS="18 17 16 15"

# complete_major N: does Debian's N have both its server and its headers here?
complete_major()
{
	[ -x "/usr/lib/postgresql/$1/bin/postgres" ] && [ -f "/usr/include/postgresql/$1/server/postgres.h" ]
}

# find_pg_config sets PG_CONFIG: the user's choice, else Debian's newest complete installation.
# Returns 1 if there is none.
find_pg_config()
{
	local major

	if [ -n "${PG_CONFIG:-}" ]; then
		PG_CONFIG=$(command -v "$PG_CONFIG") || die "no such program: PG_CONFIG=$PG_CONFIG"
	else
		for major in ${PG_MAJOR:-$SUPPORTED_MAJORS}; do
			if complete_major "$major"; then
				PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
				break
			fi
		done
	fi
	[ -n "${PG_CONFIG:-}" ] || return 1
	export PG_CONFIG
	BINDIR=$("$PG_CONFIG" --bindir)
	PKGLIBDIR=$("$PG_CONFIG" --pkglibdir)
	SHAREDIR=$("$PG_CONFIG" --sharedir)
	PGXS_DIR=$(dirname "$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")")")
	PG_VERSION_MAJOR=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
	[ -x "$BINDIR/postgres" ] || die "$PG_CONFIG has no server: $BINDIR/postgres is missing"
}

# corm_make ARGUMENT...: make in the checkout for that installation.  Bitcode for the JIT compiler
# takes as long as the build itself and no test needs it.  CORM_LINK is for the linker: an object file of
# tests, and how to call it.
corm_make()
{
	make --no-print-directory -C "$CHECKOUT" PG_CONFIG="$PG_CONFIG" with_llvm=no \
		${CORM_LINK:+SHLIB_LINK="$CORM_LINK"} "$@"
}

extension_version() { sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$CHECKOUT/corm.control"; }

# build_corm compiles the checkout.  What was built for another installation or with other flags is
# thrown away first.  Two builds of one checkout take turns.
build_corm()
{
	local key="$PG_CONFIG $("$PG_CONFIG" --version) ${COPT:-} ${CORM_LINK:-}"
	local stamp=$CHECKOUT/.built-for

	(
		flock 8
		if [ "$(cat "$stamp" 2>/dev/null)" != "$key" ]; then
			corm_make clean >/dev/null
			printf '%s\n' "$key" >"$stamp"
		fi
		corm_make -s -j"$(nproc)" ${COPT:+COPT="$COPT"}
	) 8<"$CHECKOUT"
}

# installed_corm_is_current: is what is installed the checkout's build?
installed_corm_is_current()
{
	local version=$(extension_version)

	if [ -e "$CHECKOUT/proto/corm_proto.so" ]; then
		cmp -s "$CHECKOUT/proto/corm_proto.so" "$PKGLIBDIR/corm_proto.so" &&
			cmp -s "$CHECKOUT/proto/corm_proto--1.0.sql" "$SHAREDIR/extension/corm_proto--1.0.sql" || return 1
	fi
	cmp -s "$CHECKOUT/corm.so" "$PKGLIBDIR/corm.so" &&
		cmp -s "$CHECKOUT/corm.control" "$SHAREDIR/extension/corm.control" &&
		cmp -s "$CHECKOUT/corm--$version.sql" "$SHAREDIR/extension/corm--$version.sql"
}

# install_corm installs the build and, on return, holds a shared lock on the installation (as file
# descriptor 9, for the life of the calling process), so that no other checkout's scripts replace
# the library under a running test.
install_corm()
{
	[ -n "${INSTALLATION_LOCKED:-}" ] || exec 9<"$PKGLIBDIR"
	INSTALLATION_LOCKED=yes
	flock -s 9
	until installed_corm_is_current; do
		flock -u 9
		flock -n -x 9 || { note "waiting for another run that uses $PKGLIBDIR ..."; flock -x 9; }
		if [ -w "$PKGLIBDIR" ] && [ -w "$SHAREDIR/extension" ]; then
			corm_make install >/dev/null
		else
			as_root make --no-print-directory -C "$CHECKOUT" PG_CONFIG="$PG_CONFIG" with_llvm=no \
				${CORM_LINK:+SHLIB_LINK="$CORM_LINK"} install >/dev/null
		fi
		flock -s 9
	done
}

#
# The private cluster
#

# make_workdir sets WORKDIR, a new directory that belongs to the user who will run the server, and
# SERVER_USER.  PostgreSQL refuses to run as root; for root it is user postgres, who exists wherever
# Debian's package does, else nobody.
make_workdir()
{
	SERVER_USER=$(id -un)
	if [ "$(id -u)" = 0 ]; then
		SERVER_USER=nobody
		if id postgres >/dev/null 2>&1; then SERVER_USER=postgres; fi
	fi
	# Not TMPDIR: it may be closed to SERVER_USER, or too long for a socket's path.
	WORKDIR=$(mktemp -d "${CORM_TMPDIR:-/tmp}/corm.XXXXXX")
	chmod 755 "$WORKDIR"
	mkdir -m 700 "$WORKDIR/socket"
	if [ "$(id -u)" = 0 ]; then chown -R "$SERVER_USER" "$WORKDIR"; fi
	trap cluster_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# as_server_user COMMAND...: run it as the user who runs the server, in WORKDIR.  It does not inherit
# the lock of the installation: a cluster that is kept must not keep that.
as_server_user()
(
	cd "$WORKDIR"
	export HOME=$WORKDIR
	exec 9<&-
	if [ "$(id -u)" = 0 ]; then
		exec setpriv --reuid="$SERVER_USER" --regid="$(id -g "$SERVER_USER")" --init-groups "$@"
	fi
	exec "$@"
)

# cluster_start [SETTING...]: make and start the cluster in WORKDIR with corm preloaded, and point
# libpq's variables to it.  A SETTING is a line of postgresql.conf; later lines win.
#
# For the scripts that run tests in an unusual server: CORM_SERVER_ENV has assignments to environment variables
# that only the server gets, CORM_SERVER_PROGRAM is a program to start instead of postgres, and the lines of
# CORM_SERVER_SETTINGS come after all SETTINGs.
cluster_start()
{
	as_server_user "$BINDIR/initdb" -D "$WORKDIR/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
		--no-sync >"$WORKDIR/initdb.log" 2>&1 ||
		{ cat "$WORKDIR/initdb.log" >&2; die "initdb failed"; }
	printf '%s\n' "shared_preload_libraries = 'corm'" "listen_addresses = ''" \
		"unix_socket_directories = '$WORKDIR/socket'" "port = 5432" "fsync = off" "full_page_writes = off" \
		"max_connections = 50" "timezone = 'UTC'" "log_timezone = 'UTC'" "log_line_prefix = '%m [%p] %q%d '" \
		"$@" "${CORM_SERVER_SETTINGS:-}" >>"$WORKDIR/data/postgresql.conf"
	as_server_user env ${CORM_SERVER_ENV:-} "$BINDIR/pg_ctl" -D "$WORKDIR/data" -l "$WORKDIR/server.log" \
		${CORM_SERVER_PROGRAM:+-p "$CORM_SERVER_PROGRAM"} -w -t 300 start >/dev/null ||
		{ cat "$WORKDIR/server.log" >&2; die "the private cluster does not start"; }
	export PGHOST=$WORKDIR/socket PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	PATH=$BINDIR:$PATH
}

# cluster_stop stops the server, whatever its sessions are doing.
cluster_stop()
{
	[ -f "$WORKDIR/data/postmaster.pid" ] || return 0
	as_server_user "$BINDIR/pg_ctl" -D "$WORKDIR/data" -m fast -w -t 30 stop >/dev/null 2>&1 ||
		as_server_user "$BINDIR/pg_ctl" -D "$WORKDIR/data" -m immediate stop >/dev/null 2>&1 || true
}

# cluster_cleanup is the exit trap of everything that made a WORKDIR.  The exit status stays.
cluster_cleanup()
{
	local status=$?

	trap - EXIT
	if [ -n "${WORKDIR:-}" ] && [ -z "${KEEP_CLUSTER:-}" ]; then
		cluster_stop
		rm -rf "$WORKDIR"
	fi
	exit "$status"
}

# copy_checkout copies to WORKDIR/src what tests read and write, so that SERVER_USER can, wherever the
# checkout is and whoever owns it.
copy_checkout()
{
	mkdir "$WORKDIR/src"
	tar -C "$CHECKOUT" --exclude=./.git --exclude=./bench/node_modules --exclude=./coverage --exclude='*.o' --exclude='*.d' \
		-cf - . | tar -C "$WORKDIR/src" -xf -
	rm -rf "$WORKDIR/src/results" "$WORKDIR/src/output_iso" "$WORKDIR"/src/regression.*
	if [ "$(id -u)" = 0 ]; then chown -R "$SERVER_USER" "$WORKDIR/src"; fi
}
