FROM alpine
MAINTAINER A Person <person@example.com>
