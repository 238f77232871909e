FROM alpine
VOLUME ["/data", "/my data"]
