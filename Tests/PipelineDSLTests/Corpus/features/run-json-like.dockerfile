FROM alpine
RUN [ -f /etc/passwd ] && echo yes
