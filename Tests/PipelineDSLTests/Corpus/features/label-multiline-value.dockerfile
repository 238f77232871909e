FROM alpine
LABEL text="one \
two \
three"
