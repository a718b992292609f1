#!/bin/bash
# certificate.sh FOLDER: makes the proxy's certificate and its private key in FOLDER at the first start. The certificate
# signs itself, so clients can use it as their CA file. Only for a laboratory: it is valid for a year.
set -euo pipefail
cd "$1"
[[ ! -e proxy.crt ]] || exit 0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=failover \
  -addext 'subjectAltName=DNS:failover,DNS:localhost,IP:127.0.0.1' -keyout proxy.key -out proxy.new
# The user of failover's image.
chown 65532:65532 proxy.key
chmod 400 proxy.key
mv proxy.new proxy.crt
