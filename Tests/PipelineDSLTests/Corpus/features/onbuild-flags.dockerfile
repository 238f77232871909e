FROM alpine
ONBUILD RUN --mount=type=cache,target=/x echo
