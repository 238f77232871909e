FROM alpine
COPY <<"EOF" /etc/motd
Welcome to $HOME
EOF
