FROM alpine
RUN echo