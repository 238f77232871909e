FROM alpine
ARG D=/cache
RUN --mount=type=cache,target=$D true
