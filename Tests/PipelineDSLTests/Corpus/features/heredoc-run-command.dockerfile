FROM alpine
RUN cat <<EOF > /out
text
EOF
