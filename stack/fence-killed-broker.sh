#!/bin/bash
# fence-killed-broker.sh DATA PORT COMMAND...: run before a broker of one node starts; does nothing unless that broker was killed.
#
# A killed broker's metadata still name it as the leader of its partitions. Started on them, Kafka 4.1 to 4.3 takes up the transactions it
# had decided to commit, cannot write their markers yet, and loses every leadership for a moment when its old session ends. "No leader" it
# then takes for "topic deleted" (KAFKA-20734): it may call a transaction complete that never gets its markers, and readers stand still.
# So the controller runs alone first, with sessions that end at once, until it has fenced the dead broker: no leader is written down before
# the broker starts, and it takes up transactions once, when it leads again. It saves the wait for the old session, too.
#
# DATA is the folder of the log, PORT the controller's. COMMAND... starts Kafka with the properties file that is put behind it, and prints its
# log at INFO; Kafka's own kafka-run-class.sh is told so here.
set -eu
data=$1 port=$2
shift 2
if [ ! -d "$data/__cluster_metadata-0" ] || [ -e "$data/.kafka_cleanshutdown" ]; then exit 0; fi

work=$(mktemp -d) controller=
trap '[ -z "$controller" ] || kill -9 "$controller" 2>/dev/null || :; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT HUP
cat >"$work/controller.properties" <<END
process.roles=controller
node.id=1
controller.quorum.voters=1@localhost:$port
controller.listener.names=CONTROLLER
listeners=CONTROLLER://localhost:$port
listener.security.protocol.map=CONTROLLER:PLAINTEXT
log.dirs=$data
broker.session.timeout.ms=100
broker.heartbeat.interval.ms=50
END
cat >"$work/log4j2.properties" <<END
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%p %m%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
END
: >"$work/log"
export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$work/log4j2.properties"
"$@" "$work/controller.properties" >"$work/log" 2>&1 &
controller=$!

# A second after the fencing its records are on disk. One that died before it led anything is fenced already.
left=1200
while [ $((left -= 1)) -gt 0 ] && kill -0 "$controller" 2>/dev/null; do
  if grep -q 'Fencing broker 1 ' "$work/log"; then
    done='fenced it' left=$((left > 10 ? 10 : left))
  elif grep -q 'Becoming the active controller' "$work/log"; then
    done='it was fenced' left=$((left > 60 ? 60 : left))
  fi
  sleep 0.1
done
if [ -z "${done-}" ] || ! kill "$controller" 2>/dev/null; then
  tail -n 12 "$work/log"
  echo 'the controller alone did not get ready, or ended by itself'
  exit 1
fi
wait "$controller" || :
controller=
echo "the broker had been killed: $done"
