FROM alpine
RUN <<EOF
# a comment of the shell
echo \
  continued

EOF
