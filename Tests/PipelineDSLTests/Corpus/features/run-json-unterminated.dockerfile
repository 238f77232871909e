FROM alpine
RUN ["echo
