FROM alpine
ONBUILD CMD ["a", "b"]
