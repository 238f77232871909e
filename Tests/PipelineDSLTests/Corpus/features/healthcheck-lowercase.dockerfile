FROM alpine
HEALTHCHECK cmd true
