#!/usr/bin/env bash
# A CA for the servers and nodes of a cluster, and a certificate for each: FOLDER/NAME/{node.pem,node.key,ca.pem}.
#   ./certificates.sh FOLDER NAME[,OTHER NAME OR ADDRESS…]…      ./certificates.sh tls n1 n2 n3 a,mqtt.example b,mqtt.example
# Run again, it makes new certificates with the same CA. It signs nodes and nobody else: keep FOLDER/ca.key off these machines.
set -euo pipefail
umask 077
folder="$1"
shift
mkdir -p "$folder"
cd "$folder"

[ -f ca.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
  -subj '/CN=Nodes of the cluster' -keyout ca.key -out ca.pem 2> /dev/null

for names in "$@"; do
  name="${names%%,*}"
  alternatives="$(tr ',' '\n' <<< "$names" | sed -E 's/^([0-9.]+|.*:.*)$/IP:\1/; /^IP:/!s/^/DNS:/' | paste -sd,)"
  mkdir -p "$name"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
    -keyout "$name/node.key.new" -out "$name/node.csr" 2> /dev/null
  openssl x509 -req -in "$name/node.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 -out "$name/node.pem.new" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$alternatives") 2> /dev/null
  mv "$name/node.key.new" "$name/node.key"
  mv "$name/node.pem.new" "$name/node.pem"
  cp ca.pem "$name/ca.pem"
  rm "$name/node.csr"
  echo "$folder/$name: $alternatives"
done
