# syntax=docker/dockerfile:1.4
FROM debian:bookworm AS base
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN <<EOF
apt-get update
apt-get install -y --no-install-recommends \
  ca-certificates \
  nginx
# keep the image small
rm -rf /var/lib/apt/lists/*
EOF

COPY <<-"NGINX" /etc/nginx/conf.d/default.conf
	server {
	  listen 80;
	  location / {
	    try_files $uri $uri/ /index.html;
	  }
	}
	NGINX

COPY --chmod=0755 <<start.sh <<'health.py' /opt/
#!/bin/sh
exec nginx -g 'daemon off;' # ${UNSET:-default}
start.sh
import urllib.request, sys
sys.exit(0 if urllib.request.urlopen("http://localhost").status == 200 else 1)
health.py

RUN python3 - <<PY > /report.txt
import sys
print(f"{sys.version}")
PY
HEALTHCHECK --interval=10s CMD python3 /opt/health.py
ENTRYPOINT ["/opt/start.sh"]
