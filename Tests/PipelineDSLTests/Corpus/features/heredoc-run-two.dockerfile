FROM alpine
RUN <<ONE cat > /a && cat <<TWO > /b
in one
ONE
in two
TWO
