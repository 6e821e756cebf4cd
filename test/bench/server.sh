#!/bin/bash
# The bench's cluster from outside, for recovery.c; says first on which port the server will trade.
#
# server.sh DIR start      start the server whose postmaster was killed
# server.sh DIR restart    in good order
# server.sh DIR standby    make a streaming standby of it
# server.sh DIR promote    make the standby the server; the two change places
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

pg_find
QTS_DIR=$1
primary=$(cat "$QTS_DIR/primary" 2>/dev/null || echo data)
case $primary in
	data) standby=data2 port=$QTS_PORT other=$((QTS_PORT + 1)) ;;
	*) standby=data port=$((QTS_PORT + 1)) other=$QTS_PORT ;;
esac

# The children of a killed postmaster hold its shared memory for a moment.
start() # DIRECTORY
{
	local deadline=$((SECONDS + 30))
	until as_server "$PG_BIN/pg_ctl" -D "$QTS_DIR/$1" -l "$QTS_DIR/log" -w -t 30 start >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || die "the server did not start again"
	done
}

case $2 in
	start)
		echo "$port"
		start "$primary"
		;;
	restart)
		as_server "$PG_BIN/pg_ctl" -D "$QTS_DIR/$primary" -m fast -w -t 60 stop >/dev/null
		start "$primary"
		;;
	standby)
		rm -rf "${QTS_DIR:?}/$standby"
		as_server "$PG_BIN/pg_basebackup" -h "$QTS_DIR" -p "$port" -U postgres -D "$QTS_DIR/$standby" -R -c fast --no-sync
		echo "port = $other" >>"$QTS_DIR/$standby/postgresql.conf"
		start "$standby"
		deadline=$((SECONDS + 30))
		until [ "$(QTS_PORT=$port sql postgres -c "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'
			AND replay_lsn >= pg_current_wal_flush_lsn()")" = 1 ]; do
			[ $SECONDS -lt $deadline ] || die "the standby did not catch up"
		done
		;;
	promote)
		echo "$other"
		as_server "$PG_BIN/pg_ctl" -D "$QTS_DIR/$standby" -w -t 60 promote >/dev/null
		echo "$standby" >"$QTS_DIR/primary"
		;;
	*) die "server.sh DIR start|restart|standby|promote" ;;
esac
