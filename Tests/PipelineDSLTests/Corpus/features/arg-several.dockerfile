FROM alpine
ARG A B=2 C="three four"
