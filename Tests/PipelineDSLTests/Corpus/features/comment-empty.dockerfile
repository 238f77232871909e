#
FROM alpine
#
RUN x
