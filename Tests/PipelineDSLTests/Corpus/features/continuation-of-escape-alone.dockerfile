FROM alpine
\
RUN echo
