#!/bin/sh
# Pushes with curl: a number, a counter, a text, and several points at once.
# Usage: push.sh [SERVER]    SERVER: http://localhost:7878 if absent
set -eu
server="${1:-http://localhost:7878}"

# --fail: exit with an error if the server refuses the push.
post() {
    curl --silent --show-error --fail --max-time 10 "$@"
}

# A number. The server uses its own clock.
post --data 42.5 "$server/in/example/temp"

# A number that only counts up: boards show how fast it grows.
post --data 1807 "$server/in/example/requests?kind=counter"

# A text.
post --data '{"text":"deploying"}' "$server/in/example/deploy"

# Several points, a JSON object per line: all are stored, or none.
post --data-binary @- "$server/in" <<END
{"series":"example/cpu/0","value":12.5}
{"series":"example/cpu/1","value":80.25}
END

echo "pushed; open $server/b/example"
