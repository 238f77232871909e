FROM alpine
LABEL description This is a text
