FROM alpine
RUN echo ${x,,} <<EOF
