FROM alpine
RUN --mount=type=cache,target=/x <<EOF
ls /x
EOF
