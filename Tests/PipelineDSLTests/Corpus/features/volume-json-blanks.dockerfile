FROM alpine
VOLUME [" /data "]
