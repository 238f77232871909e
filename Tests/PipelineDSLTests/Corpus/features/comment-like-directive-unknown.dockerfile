# key=value
FROM alpine
