FROM alpine
ARG P=80
EXPOSE $P ${P}/udp
