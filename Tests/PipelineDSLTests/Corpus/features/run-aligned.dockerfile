FROM alpine
RUN mkdir /a   && mkdir /bb  && mkdir /ccc
