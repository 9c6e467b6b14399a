#!/usr/bin/env bash
# Restores a Gridlease database to an instant, to see that it can be done: a base backup, the log archived, damage, a restore to
# the moment before it. Everything happens in a folder of its own and is gone afterwards.
#
#   docs/restore-drill.sh [--program target/debug/gridlease]
#
# Needs Postgres 15 or later (PG_BIN names its programs) and the program gridlease. Root's servers run as `postgres`.
set -euo pipefail

program=target/debug/gridlease
if [[ ${1:-} == --program ]]; then program=$2; fi
program=$(realpath "$program")
PG_BIN=${PG_BIN:-$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)}
if [[ ! -x $PG_BIN/initdb ]]; then
    echo "no Postgres found: set PG_BIN to the folder of initdb" >&2
    exit 2
fi

work=$(mktemp -d "${TMPDIR:-/var/tmp}/gridlease-drill.XXXXXX")
chmod 755 "$work"
as=()
if ((EUID == 0)); then
    as=(runuser -u postgres --)
    chown postgres "$work"
fi
run() { "${as[@]}" env --chdir "$work" "$@"; }

stop() {
    for data in first second; do
        if [[ -f $work/$data/postmaster.pid ]]; then run "$PG_BIN/pg_ctl" -D "$work/$data" -m immediate -s stop || true; fi
    done
    rm -rf "$work"
}
trap stop EXIT

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=postgres://postgres@127.0.0.1:$port/gridlease
sql() { "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$url" -c "$1"; }
start() { run "$PG_BIN/pg_ctl" -D "$work/$1" -s -w -l "$work/$1.log" -o "-p $port -k $work -h 127.0.0.1" start; }
step() { printf '%4d s  %s\n' "$SECONDS" "$1"; }

step "a server that archives its log"
run "$PG_BIN/initdb" -D "$work/first" -U postgres --auth trust --data-checksums >/dev/null
run mkdir "$work/archive"
run tee -a "$work/first/postgresql.conf" >/dev/null <<CONF
archive_mode = on
archive_command = 'test ! -f $work/archive/%f && cp %p $work/archive/%f'
synchronous_commit = on
CONF
start first
"$PG_BIN/psql" -X -q -d "${url%gridlease}postgres" -c 'create database gridlease'
"$program" migrate up --database-url "$url" >/dev/null
sql 'create table public.drill (n bigint primary key)'
sql 'insert into public.drill select generate_series(1, 1000)'

step "a base backup, and work after it"
run "$PG_BIN/pg_basebackup" -d "${url%gridlease}postgres" -D "$work/second" -X none -c fast --no-sync
sql 'insert into public.drill select generate_series(1001, 2000)'
epoch=$(sql 'select epoch from inventory.feed')
instant=$(sql "select clock_timestamp() at time zone 'UTC' || '+00'")
sleep 1

step "damage"
sql 'delete from public.drill; delete from inventory.schema_history; drop table billing.outbox cascade'
sql 'select pg_switch_wal()' >/dev/null
run "$PG_BIN/pg_ctl" -D "$work/first" -s -m fast stop

step "a restore to $instant"
run "$PG_BIN/pg_verifybackup" --quiet --no-parse-wal "$work/second"
run rm -rf "$work/second/pg_wal"
run mkdir -m 700 "$work/second/pg_wal"
run tee -a "$work/second/postgresql.conf" >/dev/null <<CONF
restore_command = 'cp $work/archive/%f %p'
recovery_target_time = '$instant'
recovery_target_action = 'promote'
archive_mode = off
CONF
run touch "$work/second/recovery.signal"
start second
for _ in $(seq 100); do
    if [[ $(sql 'select pg_is_in_recovery()') == f ]]; then break; fi
    sleep 0.2
done

step "is everything there, and the schema whole?"
found=$(sql 'select count(*) from public.drill')
if [[ $found != 2000 ]]; then
    echo "2000 rows were written before the damage, $found are there" >&2
    exit 1
fi
sql 'drop table public.drill'
"$program" migrate check --database-url "$url"

step "feeds begin anew"
for schema in inventory leasing billing; do sql "update $schema.feed set epoch = gen_random_uuid()"; done
if [[ $(sql 'select epoch from inventory.feed') == "$epoch" ]]; then
    echo "the epoch of the feed is the old one" >&2
    exit 1
fi
step "restored: nothing that was acknowledged before the instant is lost"
