FROM alpine
RUN apk add --no-cache \
      curl \
      git \
    && rm -rf /var/cache/apk
