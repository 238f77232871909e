FROM alpine
RUN echo it\'s "fine" and it's <<EOF
