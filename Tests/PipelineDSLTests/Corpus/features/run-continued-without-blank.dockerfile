FROM alpine
RUN ec\
ho joined
