FROM alpine
RUN echo "#not a comment" # a comment of the shell
