FROM alpine
RUN echo one \
    # a comment
    two
