#!/usr/bin/env bash
# Runs a redis-server and two instances of the example side by side, over one temporary database, until
# Ctrl-C. PORT and the port after it are the instances'; REDIS_PORT is the server's.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${PORT:-8080}
redis_port=${REDIS_PORT:-6390}
if ! command -v redis-server >/dev/null; then
  echo 'this needs a redis-server of version 7 or later: install the package redis-server (Debian, Ubuntu) or redis (others)'
  exit 1
fi

dir=$(mktemp -d)
pids=()
redis=
cleanup() {
  trap - EXIT INT TERM
  if ((${#pids[@]} > 0)); then
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" || true
  fi
  if [[ -n $redis ]]; then # last: an instance that leaves says so
    kill "$redis" 2>/dev/null || true
    wait "$redis" || true
  fi
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 0' INT TERM

go build -o "$dir/example" ./example
# In a session of its own, so that Ctrl-C reaches this script alone.
setsid redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$dir" --save '' --appendonly no >"$dir/redis.log" 2>&1 &
redis=$!
for _ in {1..100}; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$redis_port") 2>/dev/null; then
    break
  fi
  if ! kill -0 "$redis" 2>/dev/null; then
    cat "$dir/redis.log"
    exit 1
  fi
  sleep 0.05
done

for p in "$port" "$((port + 1))"; do
  PORT=$p REDIS_URL="redis://127.0.0.1:$redis_port" DB_PATH="$dir/cluster.db" setsid "$dir/example" &
  pids+=($!)
done
cat <<HELP
Redis is on port $redis_port. Ask for the same on both instances:

  curl -s http://127.0.0.1:$port/graphql -H 'Content-Type: application/json' -H 'X-Tenant: me' -H 'X-Gqlcache-Debug: true' -d '{"query":"{tags{name}}"}'

Ctrl-C ends all of it.
HELP
wait -n "${pids[@]}" || true # one has ended: so do the others
