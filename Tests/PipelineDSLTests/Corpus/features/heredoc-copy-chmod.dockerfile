FROM alpine
COPY --chmod=755 <<EOF /usr/bin/hello
#!/bin/sh
echo hello
EOF
