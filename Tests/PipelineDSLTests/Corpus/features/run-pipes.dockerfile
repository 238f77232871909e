FROM alpine
RUN cat < /etc/passwd | grep root > /out 2>&1 || true
