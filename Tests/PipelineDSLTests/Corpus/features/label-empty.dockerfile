FROM alpine
LABEL a=
