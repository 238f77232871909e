FROM alpine
ARG A=
