FROM alpine
ENTRYPOINT ["top", "-b"]
