FROM alpine
ADD <<EOF /a
text
EOF
