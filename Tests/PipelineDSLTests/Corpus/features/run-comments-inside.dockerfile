FROM alpine
RUN set -e; \
    # first
    # second
    apk add curl; \
# at the margin
    echo done
