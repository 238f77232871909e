FROM alpine
ONBUILD RUN echo one \
    && echo two
