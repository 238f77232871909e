FROM alpine
LABEL org.opencontainers.image.title="A title" "org.opencontainers.image.source"="https://example.com"
