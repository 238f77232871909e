FROM alpine
ARG A=b=c
