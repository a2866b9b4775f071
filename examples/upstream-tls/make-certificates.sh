#!/bin/sh
# An authority of one's own, a certificate for the instances and one for Portico. For trying out: they last 30 days.
set -eu
mkdir -p certificates
cd certificates
new_key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

openssl req -x509 $new_key -days 30 -subj '/CN=Authority of our own' -keyout authority.key -out authority.pem

certificate() { # name, what it is for
  openssl req $new_key -subj "/CN=$1" -keyout "$1.key" -out "$1.request"
  printf 'subjectAltName=DNS:%s\n' "$2" > "$1.extensions"
  openssl x509 -req -in "$1.request" -CA authority.pem -CAkey authority.key -CAcreateserial -days 30 \
    -extfile "$1.extensions" -out "$1.pem"
  rm "$1.request" "$1.extensions"
}
certificate app app.internal
certificate portico portico.internal
