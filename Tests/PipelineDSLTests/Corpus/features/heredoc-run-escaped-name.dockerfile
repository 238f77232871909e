FROM alpine
RUN <<E\OF
echo $HOME
EOF
