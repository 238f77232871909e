FROM alpine
ONBUILD RUN echo later
