#!/usr/bin/env bash
# Unpacks nats-server of a Debian suite beside what the machine has, and prints the path of the program:
#   scripts/fetch-nats.sh            of all suites that the tests know, into the folder where the tests look
#   scripts/fetch-nats.sh forky      2.15 or newer         scripts/fetch-nats.sh trixie      2.10.27
# Uses the mirror that this machine's own apt uses, and its keys; changes nothing outside its folder.
set -euo pipefail
suites=("$@")
((${#suites[@]} > 0)) || suites=(forky trixie)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/godwit-ci/nats"

mirror() {
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
    awk '/^[[:space:]]*#/ { next } /^(deb|URIs:)/ { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/ && $i !~ /security/ && !found) { print $i; found = 1 } }'
}

fetch() {
  local suite="$1" folder="$2" apt
  apt="$(mktemp -d)"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$folder"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" > "$apt/sources.list"
  cat > "$apt/apt.conf" <<C
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
C
  (
    cd "$apt"
    export APT_CONFIG="$apt/apt.conf"
    apt-get update -qq && apt-get download -qq nats-server && dpkg-deb -x nats-server_*.deb "$folder"
  ) >&2
  rm -rf "$apt"
}

for suite in "${suites[@]}"; do
  program="$cache/$suite/usr/sbin/nats-server"
  [ -x "$program" ] || fetch "$suite" "$cache/$suite"
  "$program" --version >&2
  echo "$program"
done
